"""What a file says, and where it says it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from hydra_notify.errors import HydraNotifyError


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written.

    Attributes:
        file: Its path.
        line: From 1 on; None where the form does not tell (JSON).
    """

    file: Path
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else str(self.file)


class HydraConfError(HydraNotifyError):
    """The file cannot be read as Hydra would. No value is part of the message."""

    def __init__(self, place: Place, problem: str, fix: str) -> None:
        super().__init__(f"{place}: {problem}; {fix}")
        self.place = place


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value.

    Attributes:
        text: None for a key that stands alone on its line.
        place: Where.
    """

    text: str | None = field(repr=False)
    place: Place


@dataclass(slots=True)
class Block:
    """A block, or a whole file: its keys in the order of the file.

    Attributes:
        place: Where it begins.
        entries: What stands under each key: once a scalar or a block, more often a
            list of them.
    """

    place: Place
    entries: "dict[str, Entry]" = field(default_factory=dict)

    def all(self, key: str) -> "list[Item]":
        """What stands under a key, however often."""
        found = self.entries.get(key)
        if found is None:
            return []
        return found if isinstance(found, list) else [found]


Item: TypeAlias = Scalar | Block

Entry: TypeAlias = Item | list[Item]


def plain(entry: Entry) -> object:
    """The same as Config::General would return it: dicts, lists, strings and None."""
    if isinstance(entry, list):
        return [plain(item) for item in entry]
    if isinstance(entry, Block):
        return {key: plain(each) for key, each in entry.entries.items()}
    return entry.text
