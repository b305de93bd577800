"""Words of any length, in lines that a terminal has room for."""

import textwrap

from rich.text import Text

from hydra_notify.cli.listing import printable


def paragraph(name: str, style: str, words: str, room: int | None) -> list[Text]:
    """A name, and words that go on below where they begin.

    Args:
        name: Stands in front.
        style: Of the name.
        words: Made safe to be shown.
        room: Cells that a line may have; None where nothing is to be folded.
    """
    indent = " " * (len(name) + 2)
    first, *others = folded(words, room, indent=indent)
    first = Text.assemble((name, style), "  ", first[len(indent) :])
    first.rstrip()
    return [first, *others]


def folded(
    words: str, room: int | None, *, indent: str = "", style: str = ""
) -> list[Text]:
    """Words in lines, each after `indent`; made safe to be shown."""
    text = printable(words)
    if room is None:
        return [Text(indent + text, style)]
    # Where there is hardly any room, what is cut says less than what runs over.
    wrapped = textwrap.wrap(
        text,
        max(room, len(indent) + 10),
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
    return [Text(line, style) for line in wrapped or [indent]]
