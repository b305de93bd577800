"""When things happened: facts, lives of the host, troubles of the database.

Times are seconds of the monotonic clock, as in the records of plugins.
"""

import time
from dataclasses import dataclass, field
from typing import Literal

from hydra_notify.demo.simulation.outcome_log import Fact, OutcomeLog


@dataclass(slots=True)
class TimedLog(OutcomeLog):
    """An outcome log that knows when each fact was written down.

    Attributes:
        times: One for each fact.
    """

    times: list[float] = field(default_factory=list)

    def add(self, fact: Fact) -> None:
        # In this order: whoever reads a fact finds its time.
        self.times.append(time.monotonic())
        self.facts.append(fact)


@dataclass(frozen=True, slots=True)
class HostEnd:
    """A host was ended.

    Attributes:
        pid: Its number.
        started: When it was spawned.
        killed: When SIGKILL was sent, or SIGTERM.
        flags: Builds whose flag was set right after that; None if nobody could tell.
        drained: Whether it was SIGTERM, so that it had time to write its ledger.
    """

    pid: int
    started: float
    killed: float
    flags: frozenset[int] | None = None
    drained: bool = False


TroubleKind = Literal["restart", "terminated", "reset", "blackhole", "latency"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """The host could not reach its database, or hardly.

    Attributes:
        began: When.
        ended: When the fault was over.
    """

    kind: TroubleKind
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the soak knows of its own doing.

    Attributes:
        facts: What the simulated Hydra did.
        times: When, one for each fact.
        ends: Of hosts.
        troubles: Of the database.
        ledger: Whether the host had its ledger.
    """

    facts: tuple[Fact, ...]
    times: tuple[float, ...]
    ends: tuple[HostEnd, ...]
    troubles: tuple[Trouble, ...]
    ledger: bool
