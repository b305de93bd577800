"""What a plugin wrote down, read again: see `plugin`."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hydra_notify.demo.receipts import Receipt

RECORD: Final = "record.log"

NANO: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Handled:
    """One event that a plugin has done its work for.

    Attributes:
        life: Names the process.
        at: When, monotonic seconds.
        event: Its id.
        builds: The build it is about, then its dependents; empty for evaluations.
        outcomes: What dependents came to, `START-STOP:STATUS` each.
        acked: When the answer had been written, or None: it may never have been.
    """

    life: str
    at: float
    event: str
    builds: tuple[int, ...]
    acked: float | None
    outcomes: tuple[tuple[int, str], ...] = ()

    @property
    def receipt(self) -> Receipt:
        """What the judge needs of it."""
        return Receipt(self.event, self.builds, self.outcomes)


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that one plugin wrote down.

    Attributes:
        hosts: The pid of each life's host, or of who adopted it after that one's end.
        handled: Oldest first.
    """

    hosts: dict[str, int]
    handled: tuple[Handled, ...]


def read_record(directory: Path) -> Record:
    """The record of the plugin whose directory this is."""
    try:
        text = (directory / RECORD).read_text()
    except FileNotFoundError:
        return Record({}, ())
    return parse_record(text.split("\n"))


def parse_record(lines: Iterable[str]) -> Record:
    """Lines as a record; those that were cut off do not count."""
    hosts: dict[str, int] = {}
    work: dict[tuple[str, str], tuple[int, str, list[str]]] = {}
    answers: dict[tuple[str, str], int] = {}
    for line in lines:
        match line.split("\t"):
            case ["S", life, host, _, "."]:
                hosts[life] = int(host)
            case ["H", life, at, request, event, builds, "."]:
                work[life, request] = int(at), event, builds.split()
            case ["A", life, at, request, "."]:
                answers[life, request] = int(at)
            case _:
                pass
    handled = [
        Handled(
            key[0],
            at / NANO,
            event,
            tuple(int(word.partition("=")[0]) for word in words),
            _seconds(answers.get(key)),
            tuple((int(b), key) for b, _, key in map(_parts, words) if key),
        )
        for key, (at, event, words) in work.items()
    ]
    return Record(hosts, tuple(sorted(handled, key=lambda each: each.at)))


def _parts(word: str) -> tuple[str, str, str]:
    return word.partition("=")


def _seconds(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / NANO
