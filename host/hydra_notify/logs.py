"""Logging: one line per fact, in the form that whoever reads it expects.

A thread writes the lines. The host never waits for a reader, however slow or dead: what
does not fit its buffer, and what cannot be written, is dropped and counted, and the
count is written as soon as writing works again.
"""

import logging
import os
import select
import threading
from collections.abc import Mapping
from typing import Final, TextIO

from hydra_notify.limits import LOG_BUFFER, LOG_CLOSE

_PRIORITIES: Final = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
    (logging.DEBUG, 7),
)
"""Levels and their sd-daemon numbers, from the worst."""


class _JournalFormatter(logging.Formatter):
    """`<N>message`: the journal adds the time itself."""

    def format(self, record: logging.LogRecord) -> str:
        number = next((n for level, n in _PRIORITIES if record.levelno >= level), 7)
        # Each line of a record needs the prefix.
        return "\n".join(
            f"<{number}>{line}" for line in super().format(record).split("\n")
        )


def set_up(stream: TextIO | None, environ: Mapping[str, str]) -> None:
    """Send the log to `stream`: with priorities under systemd, else with the time.

    Args:
        stream: A real file; None, as Python has it for a closed stderr, means nowhere.
        environ: `$JOURNAL_STREAM` is set by systemd.
    """
    handler = logging.NullHandler() if stream is None else _Writer(stream.fileno())
    if "JOURNAL_STREAM" in environ:
        handler.setFormatter(_JournalFormatter("%(message)s"))
    else:
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
        )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)


class _Writer(logging.Handler):
    """Keeps lines for its thread to write; `logging.shutdown` closes it at the exit.

    Args:
        descriptor: Of an open file.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._changed = threading.Condition()
        self._lines: list[bytes] = []
        self._held = 0
        self._dropped = 0
        self._closing = False
        self._torn = False
        # A daemon: a write that never returns does not keep the host alive.
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record).encode("utf-8", "backslashreplace") + b"\n"
        except Exception:  # noqa: BLE001 -- a wrong format must not end the host
            self.handleError(record)
            return
        with self._changed:
            if self._held + len(line) > LOG_BUFFER:
                self._dropped += 1
                return
            self._lines.append(line)
            self._held += len(line)
            self._changed.notify()

    def close(self) -> None:
        """Wait LOG_CLOSE at most for what is kept to be written."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(LOG_CLOSE)
        super().close()

    def _write(self) -> None:
        while lines := self._next():
            written = self._written(b"".join(lines))
            with self._changed:
                self._held -= sum(map(len, lines))
                if not written:
                    self._dropped += len(lines)

    def _next(self) -> list[bytes]:
        """Lines to write, when there are some; none at the end."""
        with self._changed:
            while not self._lines and not self._closing:
                self._changed.wait()
            lines, self._lines = self._lines, []
            dropped = self._dropped
        if dropped and lines and self._written(self._complaint(dropped)):
            with self._changed:
                self._dropped -= dropped
        return lines

    def _complaint(self, dropped: int) -> bytes:
        words = "%d lines of log were dropped: they could not be written in time"
        record = logging.LogRecord(
            __name__, logging.WARNING, __file__, 0, words, (dropped,), None
        )
        return self.format(record).encode() + b"\n"

    def _written(self, data: bytes) -> bool:
        """Whether all of it could be written; half a line is ended by the next."""
        data = b"\n" + data if self._torn else data
        rest = data
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                # Whoever shares this file with us has made it so.
                select.select([], [self._descriptor], [])
            except OSError:
                self._torn = self._torn or 0 < len(rest) < len(data)
                return False
        self._torn = False
        return True
