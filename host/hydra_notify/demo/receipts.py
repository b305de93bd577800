"""What plugins wrote down of the events they handled: evidence that is not the host's.

A receipt is a line `EVENT ID, TAB, BUILD IDS`: the build and then those that finished
with it, separated by spaces; no ids for evaluations.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

RECEIPTS: Final = "received.log"
"""The file in a plugin's directory."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One event, handled once.

    Attributes:
        event: Its id.
        builds: The build it is about, then its dependents; empty for evaluations.
        outcomes: What dependents came to (`START-STOP:STATUS`), if that was written
            down: a dependent may have finished again before its event was read.
    """

    event: str
    builds: tuple[int, ...] = ()
    outcomes: tuple[tuple[int, str], ...] = ()


def read_receipts(directory: Path) -> tuple[Receipt, ...]:
    """The receipts of the plugin whose directory this is, oldest first."""
    try:
        text = (directory / RECEIPTS).read_text(errors="replace")
    except FileNotFoundError:
        return ()
    # A plugin may be at its last line just now.
    return parse_receipts(text.split("\n")[:-1])


def parse_receipts(lines: Iterable[str]) -> tuple[Receipt, ...]:
    """Lines as receipts; one that is none becomes a receipt of what never happened."""
    return tuple(_parse(line) for line in lines)


def _parse(line: str) -> Receipt:
    event, tab, builds = line.partition("\t")
    try:
        return Receipt(event, tuple(map(int, builds.split())))
    except ValueError:
        return Receipt(event + tab + builds)
