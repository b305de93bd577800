"""Tables and figures for people; JSON for programs."""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

import click
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from hydra_notify.config import STATUSES
from hydra_notify.events import Notification

EVENT_WIDTH: Final = 30
"""Characters of an event in a table: a long list of dependents is cut there."""

GAP: Final = "  "
"""Between columns."""

LEAST_WIDTH: Final = 20
"""Cells to which a column may be cut: less would tell nothing."""

BELOW: Final = "      └ "
"""Before what has a line of its own below its row."""

_STATUS_NAMES: Final = {number: name for name, number in STATUSES.items()}

_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its head.
        number: Whether it is set to the right.
        cut: What is left out of a cell where there is no room; "" if it is never cut.
    """

    title: str
    number: bool = False
    cut: Literal["", "begin", "end"] = ""


def show_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Write a table: no wider than the terminal; where there is none, nothing is cut.

    Cells are made safe to be shown. A last column for which no room is left gets lines
    of its own.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    titles = [column.title for column in columns]
    widths = [max(map(cell_len, each)) for each in zip(titles, *cells, strict=True)]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    shown = len(columns)
    if room is not None and not _fit(columns, widths, room):
        shown -= 1
        widths = widths[:shown]
        _fit(columns, widths, room)
    console = Console(highlight=False, markup=False, emoji=False)
    head = _line(columns, titles, widths)
    console.print(Text(head, "bold"), soft_wrap=True)
    if room is not None:
        rule = "─" * min(room, max(sum(widths) + len(GAP) * (shown - 1), len(head)))
        console.print(Text(rule, "dim"), soft_wrap=True)
    for row in cells:
        click.echo(_line(columns, row, widths))
        if room is not None and shown < len(row) and row[-1]:
            click.echo(f"{BELOW}{_cut(row[-1], room - len(BELOW))}")


def show_json(document: object) -> None:
    """Write a JSON document; what is not ASCII is escaped."""
    click.echo(json.dumps(document, indent=2))


def show_lines(text: str, *, indent: str = "") -> None:
    """Write text of a stranger, its lines kept and nothing else that acts."""
    for line in text.splitlines() or [""]:
        click.echo(f"{indent}{printable(line)}")


def printable(text: str) -> str:
    """`text` with nothing in it that a terminal would obey; TABs become spaces."""
    kept = (c if c.isprintable() else " " if c in "\t\n" else "·" for c in text)
    return "".join(kept)


def event_words(notification: Notification, width: int = EVENT_WIDTH) -> str:
    """An event as `resend` takes it, at most `width` characters."""
    words = " ".join([notification.channel, *notification.payload.split("\t")])
    return words if len(words) <= width else f"{words[: width - 1]}…"


def status_words(status: int | None, *, finished: bool) -> str:
    """A build's status in words, as the configuration names it."""
    if not finished:
        return "restarted"
    if status is None:
        return "unknown"
    return _STATUS_NAMES.get(status, str(status)).replace("_", " ")


def age(seconds: float) -> str:
    """A time that has passed, in the largest unit that still tells something."""
    for name, size in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {name}"
    return f"{max(0.0, seconds):.0f} s"


def count_of(number: int, one: str, many: str = "") -> str:
    """A number of things: `1 row`, `2,000 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def instant(moment: datetime | None) -> str | None:
    """A moment for programs: RFC 3339 in UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _fit(columns: Sequence[Column], widths: list[int], room: int) -> bool:
    """Make columns narrower that may be cut, widest first; whether that is enough."""
    over = sum(widths) + len(GAP) * (len(widths) - 1) - room
    while over > 0:
        widest = max(
            (index for index in range(len(widths)) if columns[index].cut),
            key=lambda index: widths[index],
            default=None,
        )
        if widest is None or widths[widest] <= LEAST_WIDTH:
            return False
        widths[widest] -= 1
        over -= 1
    return True


def _line(
    columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int]
) -> str:
    parts = []
    for column, cell, width in zip(columns, cells, widths, strict=False):
        text = _cut(cell, width, begin=column.cut == "begin")
        gap = " " * (width - cell_len(text))
        parts.append(gap + text if column.number else text + gap)
    return GAP.join(parts).rstrip()


def _cut(text: str, width: int, *, begin: bool = False) -> str:
    """`text` in `width` cells: what does not fit is left out, at one end."""
    if cell_len(text) <= width:
        return text
    while cell_len(text) >= width:
        text = text[1:] if begin else text[:-1]
    return f"…{text}" if begin else f"{text}…"
