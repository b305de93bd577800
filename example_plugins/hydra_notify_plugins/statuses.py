"""How a build ended, in the words of people and of services."""

from enum import Enum
from typing import Final


class Kind(Enum):
    """What a status means to whoever looks at a commit or a chat."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    """The build itself failed."""

    ERROR = "error"
    """Something around it failed: it says nothing of the code."""

    CANCELLED = "cancelled"


_WORDS: Final = {
    0: "succeeded",
    1: "failed",
    2: "dependency failed",
    3: "aborted",
    4: "cancelled",
    5: "obsolete",
    6: "failed with output",
    7: "timed out",
    8: "cached failure",
    9: "unsupported system type",
    10: "log limit exceeded",
    11: "output size limit exceeded",
    12: "not deterministic",
}

_KINDS: Final = {
    0: Kind.SUCCESS,
    3: Kind.ERROR,
    4: Kind.CANCELLED,
    5: Kind.CANCELLED,
    9: Kind.ERROR,
}

UNINFORMATIVE: Final = frozenset({3, 4})
"""Statuses that say nothing of the job: messages about them are noise."""


def word_of(status: int | None) -> str:
    """How a build ended; "unfinished" where it has not."""
    if status is None:
        return "unfinished"
    return _WORDS.get(status, f"failed (status {status})")


def kind_of(status: int | None) -> Kind:
    """What that means; a number that nobody knows is a failure."""
    if status is None:
        return Kind.PENDING
    return _KINDS.get(status, Kind.FAILURE)
