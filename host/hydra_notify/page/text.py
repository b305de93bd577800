"""What plugins, services and people wrote, made safe to be looked at.

HTML is escaped by the templates. This is about the rest: what a terminal would obey,
and what turns the direction of the text around it.
"""

import re
from typing import Final

_ESCAPE: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))"
)
"""Colours and titles, as programs send them to terminals: they say nothing here."""

_KEPT: Final = "\n\t"

_SHY: Final = "·"
"""In place of a character that cannot be seen."""


def shown(text: str) -> str:
    """`text` without anything that acts or hides; lines and tabs stay."""
    text = _ESCAPE.sub("", text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _KEPT else _SHY for c in text)


def spans(text: str) -> list[tuple[bool, str]]:
    """The parts of a sentence of ours, and whether each is a command, in backticks."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        # One of them opens nothing.
        return [(False, text)]
    return [(bool(index % 2), part) for index, part in enumerate(parts) if part]


def first_line(text: str) -> str:
    """The first line that says something."""
    return next((line for line in text.splitlines() if line.strip()), "")
