"""Physical lines to logical ones: what is left before structure counts."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hydra_notify.hydra_conf.values import HydraConfError, Place

_S: Final = re.ASCII | re.DOTALL

_BLANKS: Final = " \t\n\r\f\v"
"""What Perl takes for white space in bytes."""

_REMARK: Final = re.compile(r"\s*/\*.*\*/\s*", _S)
"""Within one line: with the blanks around it, from the first /* to the last */."""

_REMARK_BEGINS: Final = re.compile(r"\s*/\*(?!/$)", _S)
_REMARK_ENDS: Final = re.compile(r".*\*/", _S)

_COMMENT: Final = re.compile(r"(?<!\\)#.*", _S)

_EMPTY: Final = re.compile(r"<[^/].*/>$", _S)
"""`<block/>`, at the end of a line."""

_HERE: Final = re.compile(r"\s*(\S+?)(?:\s*=\s*|\s+)<<\s*(.+)", _S)

_CONTINUED: Final = re.compile(r"(?<!\\)\\$", re.ASCII)

_INCLUDE: Final = re.compile(
    r"\s*include(?:optional)?\s+([\"']?)(.+?)(?<!\\)\1", _S | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Line:
    """A logical line.

    Attributes:
        text: Of a here-document, what comes after its key.
        place: Where it begins.
        key: Of a here-document.
    """

    text: str
    place: Place
    key: str | None = None


Include = Callable[[str, Place], Iterator[Line]]
"""The lines of a file that is named at a place."""


@dataclass(slots=True)
class _Open:
    """What a line has begun and a later one ends."""

    place: Place
    what: str
    lines: list[str] = field(default_factory=list)
    key: str = ""
    tag: re.Pattern[str] | None = None


def logical_lines(text: str, file: Path, include: Include) -> Iterator[Line]:
    """The lines of a file, and of those that it includes.

    Raises:
        HydraConfError: Something that was begun in the file does not end in it.
    """
    here: _Open | None = None
    remark: _Open | None = None
    joined: _Open | None = None
    for number, raw in enumerate(_physical(text), start=1):
        place = Place(file, number)
        if here is not None:
            assert here.tag is not None
            end = here.tag.fullmatch(raw)
            if end is None:
                here.lines.append(raw)
                continue
            lines = [each.removeprefix(end[1]) for each in here.lines]
            yield Line("\n".join(lines), here.place, here.key)
            here = None
            continue
        line = _REMARK.sub("", raw, count=1)
        if line == raw and _REMARK_BEGINS.match(raw):
            remark = remark or _Open(place, "a comment that begins with /*")
            continue
        if _REMARK_ENDS.match(line):
            # Also where none has begun: Hydra warns, and drops what is before it.
            line = _REMARK_ENDS.sub("", line, count=1)
            remark = None
        if remark is not None:
            continue
        line = _COMMENT.sub("", line, count=1)
        if _EMPTY.search(line.rstrip(_BLANKS)):
            # As if it stood on two lines.
            line = line.strip(_BLANKS)
            yield Line(f"{line[:-2]}>", place)
            yield Line("</x>", place)
            continue
        begins = _HERE.fullmatch(line.rstrip(_BLANKS))
        if begins is not None:
            tag = re.compile(rf"([ \t]*){re.escape(begins[2])}\s*", re.ASCII)
            here = _Open(place, "a here-document")
            here.key, here.tag = begins[1], tag
            continue
        if _CONTINUED.search(line):
            joined = joined or _Open(place, "a line that ends in a backslash")
            joined.lines.append(line[:-1].lstrip(_BLANKS))
            continue
        if joined is not None and any(joined.lines):
            whole = "".join(joined.lines) + line.strip(_BLANKS)
            if whole.strip(_BLANKS):
                yield Line(whole.strip(_BLANKS), joined.place)
            joined = None
            continue
        joined = None
        named = _INCLUDE.fullmatch(line)
        if named is not None:
            yield from include(named[2].rstrip(_BLANKS) or named[2], place)
        elif line.strip(_BLANKS):
            yield Line(line.strip(_BLANKS), place)
    for left in (here, remark, joined):
        if left is not None:
            raise HydraConfError(
                left.place,
                f"{left.what} does not end in this file, and Hydra drops it",
                "end it",
            )


def _physical(text: str) -> list[str]:
    """The lines as Perl reads them: only a newline ends one."""
    lines = text.removeprefix("\ufeff").split("\n")
    return lines[:-1] if lines[-1] == "" else lines
