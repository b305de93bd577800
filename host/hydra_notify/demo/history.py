"""What plugins are owed, worked out from what the simulated Hydra did.

Positions are places in the list of facts: of two facts the later one has the larger.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hydra_notify.demo.simulation.outcome_log import (
    Fact,
    Finished,
    Notified,
    build_outcomes,
)

ID_FIELDS: Final = {
    "build_queued": 1,
    "build_started": 1,
    "cached_build_queued": 2,
    "cached_build_finished": 2,
    "step_finished": 2,
    "eval_started": 2,
    "eval_cached": 3,
    "eval_added": 3,
    "eval_failed": 2,
}
"""How many fields of a payload are part of the event's id. (That of `build_finished`
names the outcome of its build instead.)"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one build came to, and must have been told to everyone.

    Attributes:
        build: Its id.
        key: `START-STOP:STATUS`, as in the id of an event.
        at: Position.
    """

    build: int
    key: str
    at: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A notification other than `build_finished`.

    Attributes:
        channel: Its name.
        builds: The build it is about, or none.
        at: Position of the last one with the same event id.
    """

    channel: str
    builds: tuple[int, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """One `build_finished` with dependents.

    Attributes:
        dependents: Those that the payload names.
        at: Position.
        since: Position of the outcome that its head had then.
    """

    dependents: frozenset[int]
    at: int
    since: int


@dataclass(frozen=True, slots=True)
class History:
    """Everything that can have been told.

    Attributes:
        owed: Outcomes that everyone has to be told.
        outcomes: The position of every outcome there was, by build and key; the last
            one where a build came to the same twice.
        sent: Notifications other than `build_finished`, by event id.
        chunks: By head.
    """

    owed: tuple[Outcome, ...]
    outcomes: dict[tuple[int, str], int]
    sent: dict[str, Sent]
    chunks: dict[int, tuple[Chunk, ...]]

    def events(self, channels: frozenset[str]) -> int:
        """How many different things there are to tell to whom these channels matter."""
        others = sum(sent.channel in channels for sent in self.sent.values())
        return others + ("build_finished" in channels) * len(self.owed)


def history_of(facts: Sequence[Fact]) -> History:
    """The history that `facts` are."""
    outcomes: dict[tuple[int, str], int] = {}
    latest: dict[int, int] = {}
    sent: dict[str, Sent] = {}
    chunks: defaultdict[int, list[Chunk]] = defaultdict(list)
    positions: list[int] = []
    for at, fact in enumerate(facts):
        match fact:
            case Finished(build, status, start, stop):
                positions.append(at)
                outcomes[build, _key(start, stop, status)] = latest[build] = at
            case Notified("build_finished", _, (head, *dependents)):
                # A payload may name its head among the dependents as well.
                others = frozenset(dependents) - {head}
                if others:
                    chunks[head].append(Chunk(others, at, latest.get(head, at)))
            case Notified(channel, payload, builds):
                fields = payload.split("\t")[: ID_FIELDS[channel]]
                sent[":".join((channel, *fields))] = Sent(channel, builds, at)
            case _:
                pass
    owed = tuple(
        Outcome(o.build, _key(o.start, o.stop, o.status), at)
        for o, at in zip(build_outcomes(facts), positions, strict=True)
        if o.owed
    )
    return History(owed, outcomes, sent, {h: tuple(c) for h, c in chunks.items()})


def _key(start: int, stop: int, status: int) -> str:
    return f"{start}-{stop}:{status}"
