"""Text as man pages have it: macros of man(7), and what has to be escaped for them."""

import re
from collections.abc import Iterable

_SPECIAL = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha"}
_SPECIAL["~"] = r"\(ti"


def escaped(text: str) -> str:
    """`text` with everything as it is typed: an option can be copied from the page."""
    made = "".join(_SPECIAL.get(letter, letter) for letter in text)
    return re.sub(r"[^\x00-\x7f]", lambda found: f"\\[u{ord(found[0]):04X}]", made)


def line(text: str) -> str:
    """One line of the page, which is not taken for a macro."""
    made = escaped(" ".join(text.split()))
    return r"\&" + made if made.startswith(".") else made


def marked(text: str) -> str:
    """The same, with what stands in backquotes in bold."""
    parts = re.split(r"`([^`]+)`", text)
    made = "".join(
        rf"\fB{escaped(part)}\fR" if odd % 2 else escaped(part)
        for odd, part in enumerate(re.sub(r"\s+", " ", part) for part in parts)
    ).strip()
    return r"\&" + made if made.startswith(".") else made


def header(name: str, section: int, version: str, title: str) -> str:
    """The first lines; without a date, so that a page is made the same every day."""
    words = f'"hydra-notify {version}" "{title}"'
    return f'.\\" Made by `make generate`.\n.TH {name} {section} "" {words}'


def heading(title: str) -> str:
    """A section of the page."""
    return f".SH {title.upper()}"


def part(title: str) -> str:
    """A part of a section."""
    quoted = escaped(title).replace('"', r"\(dq")
    return f'.SS "{quoted}"'


def paragraphs(text: str) -> str:
    """Paragraphs, which empty lines divide."""
    found = [each for each in re.split(r"\n\s*\n", text.strip()) if each.strip()]
    return "\n".join(f".PP\n{marked(each)}" for each in found)


def item(term: str, text: str) -> str:
    """A term and what is to be said of it, paragraph by paragraph."""
    first, *more = re.split(r"\n\s*\n", text.strip())
    lines = [".TP", rf"\fB{escaped(term)}\fR", marked(first) or r"\&"]
    for each in more:
        lines += [".IP", marked(each)]
    return "\n".join(lines)


def verbatim(lines: Iterable[str]) -> str:
    """Lines that stay as they are."""
    shown = (escaped(each) for each in lines)
    kept = (r"\&" + each if each.startswith(".") else each for each in shown)
    return "\n".join([".PP", ".nf", ".RS 4", *kept, ".RE", ".fi"])
