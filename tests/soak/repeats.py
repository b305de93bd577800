"""Which events a plugin may have been told twice, and whether any other was.

The bound is made of evidence that is not the host's. Each time a plugin did its work
for an event, that may be followed by one repetition if

* `in flight`: the process has not written its answer, or not as far as we know: it was
  killed, crashed, hung, or its host was dead already;
* `last second`: its host was killed within `LEDGER_LAG` of the answer, and so perhaps
  before the answer was in the ledger;
* `no database`: the same, where that time includes one in which the host could not
  reach the database and write its ledger (`BACK_AFTER`: how long until it notices);
* `flag set` (without a ledger, in place of the last two): the flag of one of its builds
  was still set when the host was killed, so that the next one had to deliver to all.

And an event may come again for each time that it is `announced` after it was told: an
operator's NOTIFY, or one that comes late, when a sweep has found the flag already, or
one right after another. While the link was in trouble, later means: after that trouble
began. On the other channels, each announcement is an event of its own.
"""

import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.soak.evidence import Evidence, HostEnd, Trouble, TroubleKind
from tests.soak.record import NANO, Handled, Record

from hydra_notify.demo.history import ID_FIELDS
from hydra_notify.demo.simulation.outcome_log import Finished, Notified

LEDGER_LAG: Final = 1.0
"""Seconds from an answer to its place in the ledger: at most 0.8 that it waits, and the
rest to be read and written."""

HEARD_AFTER: Final = 1.0
"""Seconds from an announcement until the host has heard it, at most: of two in a row
the second may be heard when the first has been told and answered."""

BACK_AFTER: Final[Mapping[TroubleKind, float]] = {
    "restart": 2.0,
    "terminated": 2.0,
    "reset": 2.0,
    "latency": 2.0,
    "blackhole": 20.0,
}
"""Seconds from the end of a trouble until the host writes again, at most."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often a plugin was told the same again.

    Attributes:
        reasons: Repetitions that may have been, by reason.
        duplicates: Those that were.
        beyond: Events told more often than there was a reason for.
    """

    reasons: Counter[str]
    duplicates: int
    beyond: tuple[str, ...]

    @property
    def bound(self) -> int:
        """Repetitions that may have been."""
        return self.reasons.total()


def repeats_of(record: Record, evidence: Evidence) -> Repeats:
    """The repetitions in one plugin's record, and the bound."""
    permits = _Permits(evidence)
    reasons = Counter[str]()
    duplicates = 0
    beyond: list[str] = []
    told: defaultdict[str, list[Handled]] = defaultdict(list)
    for handled in record.handled:
        told[handled.event].append(handled)
    for event, tellings in told.items():
        again = permits.announced_again(event, tellings[0])
        reasons["announced"] += len(again)
        allowed = 0
        for times, handled in enumerate(tellings):
            if times > allowed + bisect.bisect(again, handled.at):
                beyond.append(event)
            reason = permits.reason(handled, record.hosts[handled.life])
            if reason:
                reasons[reason] += 1
                allowed += 1
        duplicates += len(tellings) - 1
    return Repeats(+reasons, duplicates, tuple(beyond))


class _Permits:
    """Reasons for a repetition."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._ends = evidence.ends
        self._announced = _announcements(evidence)

    def reason(self, handled: Handled, host: int) -> str:
        """Why it may be told again although it was told, or ""."""
        if handled.acked is None:
            return "in flight"
        end = self._end(handled.life, host)
        if end is None or (handled.acked >= end.killed and not end.drained):
            # Its host was dead already.
            return "in flight"
        if not self._evidence.ledger:
            if end.flags is None or not end.flags.isdisjoint(handled.builds):
                return "flag set"
            return ""
        if end.drained:
            return ""
        if handled.acked >= end.killed - LEDGER_LAG:
            return "last second"
        if handled.acked >= _written_until(end, self._evidence.troubles):
            return "no database"
        return ""

    def _end(self, life: str, host: int) -> HostEnd | None:
        """The end of the host that started a life; None if that one adopted it only."""
        started = int(life.partition(".")[2]) / NANO
        its = [e for e in self._ends if e.pid == host and e.started <= started]
        return its[-1] if its else None

    def announced_again(self, event: str, first: Handled) -> list[float]:
        """When it was announced after it had been told for the first time.

        Only announcements of a finished build that is under way are one event; on other
        channels each one counts.
        """
        times = self._announced.get(_announced_as(event), [])
        if not event.startswith("build_finished:"):
            return times[1:]
        since = first.at
        for trouble in self._evidence.troubles:
            over = trouble.ended + BACK_AFTER[trouble.kind]
            if trouble.began <= first.at <= over:
                since = min(since, trouble.began)
        again = times[bisect.bisect_left(times, since - HEARD_AFTER) :]
        # One of those before it was told is why it was.
        return again[1:] if again and again[0] <= first.at else again


def _written_until(end: HostEnd, troubles: Iterable[Trouble]) -> float:
    """Since when answers may not have come into the ledger of a killed host."""
    since = end.killed - LEDGER_LAG
    for trouble in sorted(troubles, key=lambda t: t.ended, reverse=True):
        over = trouble.ended + BACK_AFTER[trouble.kind]
        if trouble.began <= end.killed and over >= since:
            since = min(since, trouble.began - LEDGER_LAG)
    return since


def _announced_as(event: str) -> str:
    """The id of an event, as far as an announcement determines it.

    The id of one that speaks for dependents ends in a hash of those that were there.
    """
    parts = event.split(":")
    if parts[0] == "build_finished" and len(parts) == 5:
        return ":".join((*parts[:4], "+"))
    return event


def _announcements(evidence: Evidence) -> dict[str, list[float]]:
    """When events were announced, by what `_announced_as` makes of their ids."""
    outcomes: dict[int, str] = {}
    times: defaultdict[str, list[float]] = defaultdict(list)
    for fact, at in zip(evidence.facts, evidence.times, strict=True):
        match fact:
            case Finished(build, status, start, stop):
                outcomes[build] = f"{start}-{stop}:{status}"
            case Notified("build_finished", _, (head, *dependents)):
                more = ":+" if set(dependents) - {head} else ""
                outcome = outcomes.get(head, "")
                times[f"build_finished:{head}:{outcome}{more}"].append(at)
            case Notified(channel, payload):
                fields = payload.split("\t")[: ID_FIELDS[channel]]
                times[":".join((channel, *fields))].append(at)
            case _:
                pass
    return times
