"""The thread that writes the log.

The host never waits for a reader, however slow or dead: what does not fit the buffer,
and what cannot be written, is dropped and counted, and the count is written as soon as
writing works again.
"""

import logging
import os
import select
import threading

from hydra_notify.limits import LOG_BUFFER, LOG_CLOSE


class Writer(logging.Handler):
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
            line = self._line(record)
        except Exception as error:  # noqa: BLE001 -- it must not end the host
            # Not `handleError`: it shows on stderr, as they are, values that we mask.
            words = "a line of log could not be made: %s (%s:%d)"
            what = (type(error).__name__, record.filename, record.lineno)
            line = self._line(_record(logging.ERROR, words, *what))
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
        return self._line(_record(logging.WARNING, words, dropped))

    def _line(self, record: logging.LogRecord) -> bytes:
        return self.format(record).encode("utf-8", "backslashreplace") + b"\n"

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


def _record(level: int, words: str, *values: object) -> logging.LogRecord:
    """A line of the log's own."""
    return logging.LogRecord(__name__, level, __file__, 0, words, values, None)
