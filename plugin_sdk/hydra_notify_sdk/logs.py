"""The plugin's log: standard logging, to the host, tied to the event it is about.

What is logged while an event is handled, in the thread that handles it, is sent as
`log` notifications with the id of the request. Everything else goes to stderr, each
line with a level that the host reads.
"""

import logging
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from hydra_notify_sdk.replies import log_line

_PREFIXES: Final = (
    (logging.CRITICAL, "<2>"),
    (logging.ERROR, "<3>"),
    (logging.WARNING, "<4>"),
    (logging.INFO, "<6>"),
)
_LEVELS: Final = {"<2>": "critical", "<3>": "error", "<4>": "warning", "<6>": "info"}

_STANDARD: Final = {
    *vars(logging.LogRecord("", 0, "", 0, "", None, None)),
    "asctime",
    "message",
    "taskName",
}
"""What every record has: the rest is the `extra` of whoever logged it."""

# A context variable and not a thread's: asyncio.run and copy_context take it along.
handled: ContextVar[tuple[str, Callable[[bytes], None]] | None] = ContextVar(
    "hydra_notify_handled", default=None
)
"""The id of the request that is being handled, and what writes a line of the wire."""


class LineFormatter(logging.Formatter):
    """The text of a record; those of libraries begin with the name of their logger.

    Args:
        own: The plugin's own logger, whose name the host puts before every line.
    """

    def __init__(self, own: str) -> None:
        super().__init__("%(message)s")
        self._own = own
        self._of_libraries = logging.Formatter("%(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        if record.name == self._own:
            return super().format(record)
        return self._of_libraries.format(record)


class LevelFormatter(LineFormatter):
    """Marks every line of a record with its level, as sd-daemon(3) does.

    All lines of a traceback are marked: to the host each is a line of its own.
    """

    def format(self, record: logging.LogRecord) -> str:
        prefix = prefix_of(record.levelno)
        return "\n".join(prefix + line for line in super().format(record).splitlines())


class EventHandler(logging.Handler):
    """Sends the records of an event's handler over the wire, each line by itself.

    Args:
        own: The name of the plugin's own logger.
        otherwise: Takes the records that belong to no event, and those that cannot be
            sent since the host has gone.
    """

    def __init__(self, own: str, otherwise: logging.Handler) -> None:
        super().__init__()
        self.setFormatter(LineFormatter(own))
        self._otherwise = otherwise

    def emit(self, record: logging.LogRecord) -> None:
        request = handled.get()
        if request is None:
            self._otherwise.handle(record)
            return
        name, send = request
        try:
            level = _LEVELS.get(prefix_of(record.levelno), "debug")
            fields = fields_of(record)
            for line in self.format(record).splitlines() or [""]:
                send(log_line(name, level, line, fields))
                # Once is enough.
                fields = {}
        except OSError:
            self._otherwise.handle(record)
        except Exception:  # noqa: BLE001 - as every handler of logging does
            self.handleError(record)


def prefix_of(level: int) -> str:
    """The mark of sd-daemon(3) for a level of `logging`."""
    return next((prefix for least, prefix in _PREFIXES if level >= least), "<7>")


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """The `extra` of a record."""
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


def start_logging(own: str) -> None:
    """Sends all logging to the host, unless the author has set it up already.

    Args:
        own: The name of the plugin's own logger.
    """
    root = logging.getLogger()
    if root.handlers:
        return
    stderr = logging.StreamHandler(sys.stderr)
    stderr.setFormatter(LevelFormatter(own))
    root.addHandler(EventHandler(own, stderr))
    root.setLevel(logging.INFO)


def set_level(name: str) -> None:
    """Keeps what the host keeps.

    Args:
        name: `log_level` of `initialize`; the host knows two levels Python does not.
    """
    known = {**logging.getLevelNamesMapping(), "NOTICE": logging.INFO}
    logging.getLogger().setLevel(known.get(name.upper(), logging.INFO))
