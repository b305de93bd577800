"""What a line of the log looks like: to a person, to the journal, to a program.

A record says what it is about in attributes (`about`), never in its words alone. What a
plugin has sent along is in its attribute `fields`.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Final

from hydra_notify.logs.secrets import mask
from hydra_notify.plugin_log import mask_within, one_line

_PRIORITIES: Final = (
    (logging.CRITICAL, 2, "\x1b[1;31m"),
    (logging.ERROR, 3, "\x1b[31m"),
    (logging.WARNING, 4, "\x1b[33m"),
    (logging.INFO, 6, ""),
    (logging.DEBUG, 7, "\x1b[2m"),
)
"""Levels, from the worst, their sd-daemon numbers, and their colours."""

_ABOUT: Final = ("plugin", "delivery", "event", "attempt")
_IN_BRACKETS: Final = ("event", "attempt", "delivery")


class HumanForm(logging.Formatter):
    """`18:22:25 WARNING chat: words [event=... attempt=... delivery=...]`.

    Args:
        colour: Whether the level has one.
    """

    def __init__(self, *, colour: bool) -> None:
        super().__init__(datefmt="%H:%M:%S")
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        level = f"{record.levelname:<7}"
        _, colour = _priority(record)
        if self._colour and colour:
            level = f"{colour}{level}\x1b[0m"
        head = f"{self.formatTime(record, self.datefmt)} {level} {words(record)}"
        return "\n".join([head, *_traceback(self, record)])


class JournalForm(logging.Formatter):
    """`<4>chat: words [event=... attempt=... delivery=...]`; the time is its reader's.

    Each line of a traceback has the prefix: to the journal it is an entry of its own.
    """

    def format(self, record: logging.LogRecord) -> str:
        number, _ = _priority(record)
        lines = (words(record), *_traceback(self, record))
        return "\n".join(f"<{number}>{line}" for line in lines)


class JsonForm(logging.Formatter):
    """An object a line. All members but `fields` and `exception` are always there."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": mask(record.getMessage()),
            "logger": record.name,
            # Nothing is no event, no plugin, no attempt.
            **{name: getattr(record, name, None) or None for name in _ABOUT},
        }
        fields = getattr(record, "fields", None)
        if fields:
            line["fields"] = mask_within(fields, mask)
        if record.exc_info:
            line["exception"] = mask(self.formatException(record.exc_info))
        # ASCII: what some readers take for the end of a line is an escape.
        return json.dumps(line, default=str)


def _priority(record: logging.LogRecord) -> tuple[int, str]:
    """The sd-daemon number of its level, and its colour."""
    return next(
        ((n, colour) for least, n, colour in _PRIORITIES if record.levelno >= least),
        (7, ""),
    )


def words(record: logging.LogRecord) -> str:
    """What it says, in one line."""
    plugin = getattr(record, "plugin", "")
    fields = mask_within(getattr(record, "fields", {}), mask)
    assert isinstance(fields, dict)
    parts = [f"{plugin}: {record.getMessage()}" if plugin else record.getMessage()]
    parts += (f"{name}={value}" for name, value in fields.items())
    known = ((name, getattr(record, name, None)) for name in _IN_BRACKETS)
    told = " ".join(f"{name}={value}" for name, value in known if value)
    if told:
        parts.append(f"[{told}]")
    return one_line(mask(" ".join(parts)))


def _traceback(form: logging.Formatter, record: logging.LogRecord) -> list[str]:
    if not record.exc_info:
        return []
    text = mask(form.formatException(record.exc_info))
    return [one_line(line) for line in text.splitlines()]
