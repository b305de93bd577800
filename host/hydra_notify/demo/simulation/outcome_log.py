"""What the simulated Hydra did, in order: the truth a listener is measured against.

The log holds facts, each written down after its transaction was committed. Whoever
judges a listener asks `build_outcomes` what each build came to.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, assert_never


@dataclass(frozen=True, slots=True)
class Notified:
    """A notification was sent.

    Attributes:
        builds: Build ids in the payload; for `build_finished` the head and then the
            dependents, as sent. Empty for evaluations.
    """

    channel: str
    payload: str
    builds: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """A build finished.

    Attributes:
        build: Its id.
        status: `buildstatus`.
        start: `starttime`, seconds since 1970.
        stop: `stoptime`, seconds since 1970.
        pending: The pending flag when that was committed. None when nobody is to be
            told: a build that was cancelled or given up.
    """

    build: int
    status: int
    start: int
    stop: int
    pending: int | None


@dataclass(frozen=True, slots=True)
class Withheld:
    """A `build_finished` for these builds was due and is never sent."""

    builds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Restarted:
    """A finished build is unfinished again; its flag and its times stay as they are."""

    build: int


Fact = Notified | Finished | Withheld | Restarted


@dataclass(frozen=True, slots=True)
class BuildOutcome:
    """What one build came to, once.

    Attributes:
        build: Its id.
        status: `buildstatus`.
        start: `starttime`, seconds since 1970.
        stop: `stoptime`, seconds since 1970.
        pending: The pending flag, None where nobody is to be told.
        announced: How the first `build_finished` since then named it.
        superseded: Whether the build was restarted afterwards. A listener may then
            come too late for this outcome.
    """

    build: int
    status: int
    start: int
    stop: int
    pending: int | None
    announced: Literal["head", "dependent", "never"] = "never"
    superseded: bool = False

    @property
    def owed(self) -> bool:
        """Whether every listener must have been told this, announced or not."""
        return self.pending is not None and not self.superseded


@dataclass(slots=True)
class OutcomeLog:
    """Facts in the order they became true. One thread writes, any thread may read."""

    facts: list[Fact] = field(default_factory=list)

    def add(self, fact: Fact) -> None:
        """Write down what has just been committed."""
        self.facts.append(fact)

    def notified(self, channel: str) -> tuple[Notified, ...]:
        """What was sent on one channel."""
        return tuple(
            fact
            for fact in tuple(self.facts)
            if isinstance(fact, Notified) and fact.channel == channel
        )

    def channels(self) -> Counter[str]:
        """How many notifications each channel has carried."""
        return Counter(f.channel for f in tuple(self.facts) if isinstance(f, Notified))

    def outcomes(self) -> tuple[BuildOutcome, ...]:
        """What every build came to, each time it finished, in that order."""
        return build_outcomes(tuple(self.facts))


def build_outcomes(facts: Iterable[Fact]) -> tuple[BuildOutcome, ...]:
    """What every build came to, each time it finished, in that order."""
    outcomes: list[BuildOutcome] = []
    latest: dict[int, int] = {}
    for fact in facts:
        match fact:
            case Finished(build, status, start, stop, pending):
                latest[build] = len(outcomes)
                outcomes.append(BuildOutcome(build, status, start, stop, pending))
            case Restarted(build):
                if (index := latest.pop(build, None)) is not None:
                    outcomes[index] = replace(outcomes[index], superseded=True)
            case Notified("build_finished", _, builds):
                for place, build in enumerate(builds):
                    index = latest.get(build)
                    if index is not None and outcomes[index].announced == "never":
                        outcomes[index] = replace(
                            outcomes[index],
                            announced="dependent" if place else "head",
                        )
            case Notified() | Withheld():
                pass
            case _:
                assert_never(fact)
    return tuple(outcomes)
