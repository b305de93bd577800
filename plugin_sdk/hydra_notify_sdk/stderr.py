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

    All lines of a traceback are marked: to the host each is a line of its own. Records
    of libraries begin with the name of their logger.

    Args:
        own: The plugin's own logger, whose name the host puts before every line.
    """

    def __init__(self, own: str) -> None:
        super().__init__("%(message)s")
        self._own = own
        self._of_libraries = logging.Formatter("%(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        prefix = next((p for level, p in _PREFIXES if record.levelno >= level), "<7>")
        if record.name == self._own:
            text = super().format(record)
        else:
            text = self._of_libraries.format(record)
        return "\n".join(prefix + line for line in text.splitlines())


def start_logging(own: str) -> None:
    """Sends all logging to stderr, unless the author has set it up already.

    Args:
        own: The name of the plugin's own logger.
    """
    root = logging.getLogger()
    if root.handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LevelFormatter(own))
    root.addHandler(handler)
    root.setLevel(logging.INFO)


def set_level(name: str) -> None:
    """Keeps what the host keeps.

    Args:
        name: `log_level` of `initialize`; the host knows two levels Python does not.
    """
    known = {**logging.getLevelNamesMapping(), "NOTICE": logging.INFO}
    logging.getLogger().setLevel(known.get(name.upper(), logging.INFO))
