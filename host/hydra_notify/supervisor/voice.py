"""What a plugin says, in the host's log: under its name, masked, bounded, explained."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

import trio

from hydra_notify.limits import TAIL_IN_REASON
from hydra_notify.metrics import PluginCounts
from hydra_notify.outcomes import Dead, Delivered, Outcome, Retry
from hydra_notify.plugin_log import STRAY_HINT, PluginLog, one_line
from hydra_notify_sdk.wire import Oversized
from hydra_notify_sdk.wire.limits import LOG_LINE_BYTES

_log = logging.getLogger(__name__)

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "notice": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}


class Voice:
    """One life of a plugin, heard.

    Args:
        name: The plugin's.
        secrets: Their values appear nowhere.
        counts: Of the plugin.
    """

    def __init__(self, name: str, secrets: Iterable[str], counts: PluginCounts) -> None:
        self._name = name
        self._counts = counts
        self._log = PluginLog(secrets, trio.current_time())
        self._before = counts.log_lines_dropped

    def mask(self, text: str) -> str:
        """`text` in one line, without secrets."""
        return one_line(self._log.mask(text))

    def masked(self, outcome: Outcome) -> Outcome:
        """`outcome` with its reason in one line, without secrets."""
        match outcome:
            case Retry(reason) | Dead(reason):
                return replace(outcome, reason=self.mask(reason))
            case Delivered():
                return outcome

    @property
    def last_words(self) -> str:
        """The end of stderr, in one line; "" when it was silent."""
        return " | ".join(list(self._log.tail)[-TAIL_IN_REASON:])

    def logged(
        self, level: str, message: str, fields: dict[str, object], event: str
    ) -> None:
        """It sent a `log` notification; `event` is the id it belongs to, or ""."""
        words = " ".join(f"{name}={value}" for name, value in fields.items())
        about = f"{event}: " if event else ""
        self._say(level, f"{about}{message} {words}".rstrip())

    def stray(self, text: str) -> None:
        """It printed text on stdout."""
        self._counts.stray_lines += 1
        hint = f" ({STRAY_HINT})" if self._counts.stray_lines == 1 else ""
        self._say("info", f"printed on stdout: {text.strip()}{hint}")

    def malformed(self, reason: str, text: str) -> None:
        """It sent a frame that makes no sense."""
        self._counts.malformed += 1
        self._say("warning", f"bad frame: {reason}: {self._log.mask(text)[:200]}")

    def stderr(self, lines: Sequence[bytes | Oversized]) -> None:
        """It wrote lines to stderr."""
        for line in lines:
            if isinstance(line, Oversized):
                text = b"(a line of %d bytes)" % line.length
            else:
                text = line
            kept = self._log.stderr(text, trio.current_time())
            self._counts.tail.append(one_line(self._log.tail[-1]))
            if kept is not None:
                level, words = kept
                self._write(level, words)
        self._counts.log_lines_dropped = self._before + self._log.dropped

    def ended_orphans(self, number: int) -> None:
        """Processes it had left behind were ended."""
        what = "a process" if number == 1 else f"{number} processes"
        self._write("warning", f"ended {what} that had left its group")

    def _say(self, level: str, text: str) -> None:
        if self._log.allow(trio.current_time()):
            self._write(level, self._log.mask(text)[:LOG_LINE_BYTES])
        self._counts.log_lines_dropped = self._before + self._log.dropped

    def _write(self, level: str, text: str) -> None:
        _log.log(_LEVELS.get(level, logging.INFO), "%s: %s", self._name, one_line(text))
