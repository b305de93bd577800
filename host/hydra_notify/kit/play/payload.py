"""JSON for the eyes: what fits into a line stands in one, and a screen is enough."""

import json
from collections.abc import Callable, Iterator
from typing import cast


def visible(text: str) -> str:
    """`text` with escapes for whatever a terminal would obey."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def pretty(value: object, width: int, mask: Callable[[str], str]) -> list[str]:
    """The lines of a JSON value, each at most `width` characters, secrets masked."""
    lines: list[str] = []
    for line in _lines(value, width, ""):
        text = mask(visible(line))
        pieces = [text[at : at + width] for at in range(0, len(text), width)]
        lines += pieces or [""]
    return lines


def cut(lines: list[str], most: int) -> tuple[list[str], str]:
    """The first lines, and what is to be said of the others, or ""."""
    if len(lines) <= most:
        return lines, ""
    rest = sum(len(line.strip().encode()) for line in lines[most - 1 :])
    return lines[: most - 1], f"... {rest:,} bytes more"


def _lines(value: object, width: int, before: str, indent: str = "") -> Iterator[str]:
    text = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(indent + before + text) <= width:
        yield f"{indent}{before}{text}"
        return
    inner = indent + "  "
    if isinstance(value, dict):
        members = [
            (f"{json.dumps(name, ensure_ascii=False)}: ", member)
            for name, member in cast(dict[str, object], value).items()
        ]
        opening, closing = "{", "}"
    else:
        members = [("", member) for member in cast(list[object], value)]
        opening, closing = "[", "]"
    yield f"{indent}{before}{opening}"
    row = inner
    for index, (name, member) in enumerate(members):
        *above, last = _lines(member, width - 1, name, inner)
        last += "," if index < len(members) - 1 else ""
        # Members that are short share a line.
        if not above and len(row) + len(last) - len(inner) < width:
            row += last.removeprefix(inner) + " "
            continue
        if row != inner:
            yield row.rstrip()
        yield from above
        row = inner if above else last + " "
        if above:
            yield last
    if row != inner:
        yield row.rstrip()
    yield f"{indent}{closing}"
