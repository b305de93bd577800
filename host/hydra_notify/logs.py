"""Logging: one line per fact, in the form that whoever reads it expects."""

import logging
from collections.abc import Mapping
from typing import Final, TextIO

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


def set_up(stream: TextIO, environ: Mapping[str, str]) -> None:
    """Send the log to `stream`: with priorities under systemd, else with the time."""
    handler = logging.StreamHandler(stream)
    if "JOURNAL_STREAM" in environ:
        handler.setFormatter(_JournalFormatter("%(message)s"))
    else:
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
        )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
