"""What a plugin says, in the host's log: under its name, masked, bounded, explained."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

import trio

from hydra_notify.config import PluginConfig
from hydra_notify.delivery import Delivery
from hydra_notify.dispatcher import about_delivery
from hydra_notify.limits import TAIL_IN_REASON
from hydra_notify.logs import about
from hydra_notify.metrics import PluginCounts
from hydra_notify.outcomes import Dead, Delivered, Outcome, Retry
from hydra_notify.plugin_log import STRAY_HINT, PluginLog, mask_within, one_line
from hydra_notify_sdk.wire import Oversized
from hydra_notify_sdk.wire.limits import LOG_LINE_BYTES

_log = logging.getLogger(__name__)

_plugin_log = logging.getLogger("hydra_notify.plugin")
"""For what plugins say themselves."""

# Which of it is kept is for each plugin's `log_level` to say, not for the host's.
_plugin_log.setLevel(logging.DEBUG)

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
        plugin: Its configuration.
        secrets: Their values appear nowhere.
        counts: Of the plugin.
    """

    def __init__(
        self, plugin: PluginConfig, secrets: Iterable[str], counts: PluginCounts
    ) -> None:
        self._name = plugin.name
        self._least = _LEVELS[plugin.log_level]
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

    def sent(self, deliveries: Iterable[Delivery]) -> None:
        """It is being sent these."""
        if _log.isEnabledFor(logging.DEBUG):
            for delivery in deliveries:
                _log.debug("sent", extra=about_delivery(self._name, delivery))

    def answered(self, deliveries: Iterable[Delivery], outcome: Outcome) -> None:
        """It has answered these; only successes, since failures are logged anyway."""
        if _log.isEnabledFor(logging.DEBUG) and isinstance(outcome, Delivered):
            words = "skipped" if outcome.skipped else "delivered"
            note = f": {self.mask(outcome.note)}" if outcome.note else ""
            for delivery in deliveries:
                extra = about_delivery(self._name, delivery)
                _log.debug("%s%s", words, note, extra=extra)

    def logged(
        self,
        level: str,
        message: str,
        fields: dict[str, object],
        delivery: Delivery | None,
    ) -> None:
        """It sent a `log` notification, about a delivery if it named its id."""
        named = about(self._name)
        if delivery is not None:
            named = about_delivery(self._name, delivery)
        known = mask_within(fields, self._log.mask)
        if len(str(known)) > LOG_LINE_BYTES:
            known = {"cut": str(known)[:LOG_LINE_BYTES]}
        self._say(level, message, {**named, "fields": known})

    def stray(self, text: str) -> None:
        """It printed text on stdout."""
        self._counts.stray_lines += 1
        hint = f" ({STRAY_HINT})" if self._counts.stray_lines == 1 else ""
        self._say("info", f"printed on stdout: {text.strip()}{hint}")

    def malformed(self, reason: str, text: str) -> None:
        """It sent a frame that makes no sense."""
        self._counts.malformed += 1
        words = f"bad frame: {reason}: {self._log.mask(text)[:200]}"
        if self._log.allow(trio.current_time()):
            words = self.mask(words)[:LOG_LINE_BYTES]
            _log.warning("%s", words, extra=about(self._name))
        self._count_dropped()

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
        self._count_dropped()

    def ended_orphans(self, number: int) -> None:
        """Processes it had left behind were ended."""
        what = "a process" if number == 1 else f"{number} processes"
        words = "ended %s that had left its group"
        _log.warning(words, what, extra=about(self._name))

    def _say(
        self, level: str, text: str, extra: dict[str, object] | None = None
    ) -> None:
        if self._log.allow(trio.current_time()):
            self._write(level, self._log.mask(text)[:LOG_LINE_BYTES], extra)
        self._count_dropped()

    def _write(
        self, level: str, text: str, extra: dict[str, object] | None = None
    ) -> None:
        """Log its own words, if its level is one that is kept."""
        number = _LEVELS.get(level, logging.INFO)
        if number >= self._least:
            extra = extra or about(self._name)
            _plugin_log.log(number, "%s", one_line(text), extra=extra)

    def _count_dropped(self) -> None:
        self._counts.log_lines_dropped = self._before + self._log.dropped
