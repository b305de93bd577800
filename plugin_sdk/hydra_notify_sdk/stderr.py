"""The plugin's log: standard logging, written to stderr with a level the host reads."""

import logging
import sys
from typing import Final

_PREFIXES: Final = (
    (logging.CRITICAL, "<2>"),
    (logging.ERROR, "<3>"),
    (logging.WARNING, "<4>"),
    (logging.INFO, "<6>"),
)


class LevelFormatter(logging.Formatter):
    """Marks every line of a record with its level, as sd-daemon(3) does.

    All lines of a traceback are marked: to the host each is a line of its own.
    """

    def format(self, record: logging.LogRecord) -> str:
        prefix = next((p for level, p in _PREFIXES if record.levelno >= level), "<7>")
        return "\n".join(prefix + line for line in super().format(record).splitlines())


def start_logging() -> None:
    """Sends all logging to stderr, unless the author has set it up already."""
    root = logging.getLogger()
    if root.handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LevelFormatter("%(name)s: %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)


def set_level(name: str) -> None:
    """Keeps what the host keeps.

    Args:
        name: `log_level` of `initialize`; the host knows two levels Python does not.
    """
    known = {**logging.getLevelNamesMapping(), "NOTICE": logging.INFO}
    logging.getLogger().setLevel(known.get(name.upper(), logging.INFO))
