"""Logging: one line per fact, in the form that whoever reads it expects.

* here: where the log goes, in which form, and how a line says what it is about.
* `forms`: what a line looks like to a person, to the journal, to a program.
* `secrets`: what no line shows.
* `writer`: the thread that writes them.
"""

import logging
import os
from collections.abc import Mapping
from typing import Final, Literal, TextIO

from hydra_notify.logs.forms import HumanForm, JournalForm, JsonForm, words
from hydra_notify.logs.secrets import hide, mask
from hydra_notify.logs.writer import Writer

__all__ = [
    "FORMS",
    "LEVELS",
    "Form",
    "Level",
    "about",
    "hide",
    "mask",
    "set_up",
    "words",
]

Form = Literal["auto", "human", "journal", "json"]
FORMS: Final[tuple[Form, ...]] = ("auto", "human", "journal", "json")

Level = Literal["debug", "info", "warning", "error"]
LEVELS: Final[tuple[Level, ...]] = ("debug", "info", "warning", "error")


def about(
    plugin: str = "", event: str = "", attempt: int = 0, delivery: str = ""
) -> dict[str, object]:
    """What a line is about, as the `extra` of whoever logs it; empty: not known.

    Args:
        plugin: Its name, which then need not be in the words.
        event: Its id.
        attempt: Which, from 1 on.
        delivery: The id of the attempt on the wire.
    """
    return {"plugin": plugin, "event": event, "attempt": attempt, "delivery": delivery}


def set_up(
    stream: TextIO | None,
    environ: Mapping[str, str],
    *,
    form: Form = "auto",
    level: Level = "info",
) -> None:
    """Send the log to `stream`.

    Args:
        stream: A real file; None, as Python has it for a closed stderr, means nowhere.
        environ: `$JOURNAL_STREAM` says which file is systemd's journal, `$NO_COLOR`
            and `$TERM` what a person wants.
        form: auto: for the journal where it goes there, else for a person.
        level: The least that is kept.
    """
    least = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    # What libraries say in debugging holds addresses with all that is in them.
    root.setLevel(max(least, logging.INFO))
    logging.getLogger("hydra_notify").setLevel(least)
    logging.captureWarnings(capture=True)
    if stream is None:
        root.handlers[:] = [logging.NullHandler()]
        return
    handler = Writer(stream.fileno())
    handler.setFormatter(_formatter(stream.fileno(), environ, form))
    root.handlers[:] = [handler]


def _formatter(
    descriptor: int, environ: Mapping[str, str], form: Form
) -> logging.Formatter:
    if form == "json":
        return JsonForm()
    if form == "journal" or (form == "auto" and _is_journal(descriptor, environ)):
        return JournalForm()
    plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    return HumanForm(colour=os.isatty(descriptor) and not plain)


def _is_journal(descriptor: int, environ: Mapping[str, str]) -> bool:
    """Whether the file is the journal, and not one that was put in its place."""
    try:
        device, inode = map(int, environ.get("JOURNAL_STREAM", "").split(":"))
        found = os.fstat(descriptor)
    except (ValueError, OSError):
        return False
    return (found.st_dev, found.st_ino) == (device, inode)
