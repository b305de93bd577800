"""hydra-notify.toml(5), from the reference configuration."""

import re
from collections.abc import Iterator
from typing import Final

import hydra_notify
from generate import roff

_TABLE: Final = re.compile(r"\[(.+)\]")
_KEY: Final = re.compile(r"(?:# )?((?:\"[^\"]+\"|[A-Za-z_]+) = .*)")

_SHOWN_BY: Final = "plugins.log_events"
"""The table that shows every key of a plugin."""


def page(reference: str) -> str:
    """The page.

    Args:
        reference: The text of hydra-notify.toml.
    """
    keys, examples = _halves(reference)
    title = "File Formats"
    parts = [
        roff.header("HYDRA-NOTIFY.TOML", 5, hydra_notify.__version__, title),
        roff.heading("Name"),
        roff.escaped("hydra-notify.toml - configuration of hydra-notify"),
        roff.heading("Description"),
        *_described(keys),
        roff.heading("Examples"),
        roff.paragraphs("The plugins that `hydra-notify demo` runs besides:"),
        roff.verbatim(examples),
        roff.heading("See also"),
        r"\fBhydra\-notify\fR(1)",
    ]
    return "\n".join(parts) + "\n"


def _halves(reference: str) -> tuple[list[str], list[str]]:
    """What explains keys, and the tables after that."""
    lines = reference.splitlines()
    of_shown = f"[{_SHOWN_BY}"
    last = max(n for n, each in enumerate(lines) if each.startswith(of_shown))
    end = next(n for n in range(last, len(lines)) if lines[n : n + 2] == ["", ""])
    return lines[:end], "\n".join(lines[end:]).strip().splitlines()


def _described(lines: list[str]) -> Iterator[str]:
    first = next(n for n, line in enumerate(lines) if _TABLE.fullmatch(line))
    yield roff.paragraphs(_text(lines[:first]))
    said: list[str] = []
    own = False
    for line in lines[first:]:
        if table := _TABLE.fullmatch(line):
            name = table[1].replace(_SHOWN_BY, "plugins.NAME")
            # What is there is the example's, not the host's.
            own = name.endswith(".settings")
            yield roff.part(f"[{name}]")
            yield roff.paragraphs(_text(said))
            said = []
        elif key := _KEY.fullmatch(line):
            if not own:
                yield roff.item(key[1], _text(said))
            said = []
        elif line:
            said.append(line)


def _text(comment: list[str]) -> str:
    """What a comment says; its empty lines divide paragraphs."""
    return "\n".join(line.removeprefix("#").strip() for line in comment)
