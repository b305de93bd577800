"""Tables and figures for people; JSON for programs."""

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
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
        spare: Whether the whole column may be left out where there is no room: those
            with the highest number first; 0 if never.
    """

    title: str
    number: bool = False
    cut: Literal["", "begin", "end"] = ""
    spare: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a table, and how.

    Attributes:
        style: Of rich; what it tells, the text has to tell, too.
    """

    text: str
    style: str = ""


def show_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Write a table: no wider than the terminal; where there is none, nothing is cut.

    Cells are made safe to be shown. A last column for which no room is left gets lines
    of its own.
    """
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    cells = [[Cell(text) for text in row] for row in rows]
    show_texts(table(columns, cells, room))


def show_texts(texts: Iterable[Text]) -> None:
    """Write lines, their colours only where somebody sees them."""
    console = Console(highlight=False, markup=False, emoji=False)
    for text in texts:
        console.print(text, soft_wrap=True)


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], room: int | None
) -> list[Text]:
    """The lines of a table.

    Args:
        columns: Its columns; the last one that may be cut gets lines of its own where
            no room is left for it.
        rows: Cells are made safe to be shown.
        room: Cells that a line may have; None if nothing is to be cut.
    """
    while room is not None and _least(columns, rows) > room:
        spare = max(columns, key=lambda column: column.spare)
        if not spare.spare:
            break
        index = columns.index(spare)
        columns = [*columns[:index], *columns[index + 1 :]]
        rows = [[*row[:index], *row[index + 1 :]] for row in rows]
    cells = [[Cell(printable(cell.text), cell.style) for cell in row] for row in rows]
    titles = [column.title for column in columns]
    widths = _widths(columns, cells)
    shown = len(columns)
    if room is not None and not _fit(columns, widths, room):
        shown -= 1
        widths = widths[:shown]
        _fit(columns, widths, room)
    head = _line(columns, [Cell(title) for title in titles], widths)
    head.stylize("bold")
    lines = [head]
    if room is not None:
        wide = max(sum(widths) + len(GAP) * (shown - 1), head.cell_len)
        lines.append(Text("─" * min(room, wide), "dim"))
    for row in cells:
        lines.append(_line(columns, row, widths))
        if room is not None and shown < len(row) and row[-1].text:
            text = _cut(row[-1].text, room - len(BELOW))
            lines.append(Text.assemble(BELOW, (text, row[-1].style)))
    return lines


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> list[int]:
    texts = [[cell.text for cell in row] for row in rows]
    titles = [column.title for column in columns]
    return [max(map(cell_len, each)) for each in zip(titles, *texts, strict=True)]


def _least(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> int:
    """Cells for all that cannot be cut, nor be put elsewhere."""
    kept = [
        width if not column.cut else min(width, LEAST_WIDTH)
        for column, width in zip(columns, _widths(columns, rows), strict=True)
    ]
    if columns[-1].cut:
        kept.pop()
    return sum(kept) + len(GAP) * (len(kept) - 1)


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
    columns: Sequence[Column], cells: Sequence[Cell], widths: Sequence[int]
) -> Text:
    line = Text()
    for column, cell, width in zip(columns, cells, widths, strict=False):
        text = _cut(cell.text, width, begin=column.cut == "begin")
        gap = " " * (width - cell_len(text))
        if column.number:
            line.append(gap)
        line.append(text, cell.style)
        line.append(GAP if column.number else gap + GAP)
    line.rstrip()
    return line


def _cut(text: str, width: int, *, begin: bool = False) -> str:
    """`text` in `width` cells: what does not fit is left out, at one end."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) >= width:
        text = text[1:] if begin else text[:-1]
    return f"…{text}" if begin else f"{text}…"
