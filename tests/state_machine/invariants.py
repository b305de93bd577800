"""What must hold whatever happens: I1 to I5."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.state_machine.host import Host, Told
from tests.state_machine.world import Outcome, World, outcome_of

from hydra_notify.delivery import Delivery, OpenEvent
from hydra_notify.facts import PendingFlag

ALWAYS = ("a", "b")
"""Plugins that are always configured, required, and hold what they give up."""


@dataclass
class Ledger:
    """What the machine knows to be true, whoever else does.

    Attributes:
        flagged: What each build came to last, if its flag was set for it.
        receipts: What plugins have done their work for, in that order.
        excused: Outcomes that an operator had forgotten, by plugin.
        allowed: Repetitions that may be, by plugin and event.
        exempt: Events that two hosts had at a time.
        heads: By event: whatever is announced of it may repeat it.
    """

    flagged: dict[int, Outcome] = field(default_factory=dict)
    receipts: defaultdict[str, list[Told]] = field(
        default_factory=lambda: defaultdict(list)
    )
    excused: defaultdict[str, set[Outcome]] = field(
        default_factory=lambda: defaultdict(set)
    )
    allowed: Counter[tuple[str, str]] = field(default_factory=Counter)
    announced: Counter[int] = field(default_factory=Counter)
    exempt: set[str] = field(default_factory=set)

    def knows(self, plugin: str, outcome: Outcome) -> bool:
        """Whether a plugin was told an outcome, or need not be."""
        told = (each.outcomes for each in self.receipts[plugin])
        return outcome in self.excused[plugin] or any(outcome in each for each in told)


def nothing_is_cleared_early(known: Ledger, world: World) -> None:
    """I2: a cleared flag means that all have been told."""
    for build, outcome in known.flagged.items():
        row = world.row(build)
        if row is None or row.pending is not None:
            continue
        for plugin in ALWAYS:
            assert known.knows(plugin, outcome), f"{plugin} was not told {outcome}"


def nothing_is_lost(known: Ledger, world: World) -> None:
    """I1: in the end everybody was told what every build came to last."""
    for build, outcome in known.flagged.items():
        row = world.row(build)
        if row is None or not row.finished or outcome_of(build, row) != outcome:
            continue
        for plugin in ALWAYS:
            assert known.knows(plugin, outcome), f"{plugin} never heard of {outcome}"


def repetitions_are_bounded(known: Ledger) -> None:
    """I3: nothing is repeated without a reason."""
    for plugin in ALWAYS:
        times = Counter(told.event for told in known.receipts[plugin])
        heads = {told.event: told.head for told in known.receipts[plugin]}
        for event, count in times.items():
            if event in known.exempt:
                continue
            most = 1 + known.allowed[plugin, event] + known.announced[heads[event]]
            assert count <= most, f"{plugin} was told {event} {count} times, not {most}"


def everything_is_over(world: World, hosts: Iterable[Host]) -> None:
    """I4, I5: in the end no flag is set, and nothing is left anywhere."""
    for build in world.builds:
        row = world.row(build)
        assert row is None or not row.finished or row.pending is None, build
    left = world.letters()
    assert not left, left
    for host in hosts:
        events = host.dispatcher._events
        assert not events.by_id, events.by_id
        assert not events._covered
        assert not len(events.parked)
        assert not events.parked._awake
        for subscriber in host.dispatcher._subscribers.values():
            assert len(subscriber.queue) == 0


def the_books_are_right(host: Host) -> None:
    """I5: every event is in one place, and every flag is somebody's."""
    events = host.dispatcher._events
    parked = list(events.parked)
    assert not events.by_id.keys() & {each.id for each in parked}
    under_way = [*events.by_id.values(), *parked]
    flags: Counter[PendingFlag] = Counter()
    for event in events.by_id.values():
        flags.update(event.flags)
    assert events._covered == +flags
    for event in under_way:
        assert all(events.covers(flag) for flag in event.flags)
    numbered = {each.number: each for each in under_way if each.number}
    for name, subscriber in host.dispatcher._subscribers.items():
        queue = subscriber.queue
        entries = [
            *queue._waiting.items,
            *queue._lanes.ready,
            *(each for line in queue._lanes._behind.values() for each in line or ()),
            *queue._flight,
            *(delivery for _, _, delivery in queue._retries._heap),
        ]
        held = Counter(_event_of(each, numbered).id for each in entries)
        owed = {each.id for each in under_way if name in each.owing}
        # A retry that left early stays in the heap until its time.
        assert owed <= set(held), f"{name} is owed what nobody will send: {owed}"
        assert len(queue) == len(owed), f"{name}: {len(queue)} queued, {len(owed)} owed"


def what_is_parked_waits_for_nothing_else(host: Host) -> None:
    """I6: of a packed event there is no other copy, and its flag is held."""
    events = host.dispatcher._events
    for event in events.parked:
        assert event.owing
        assert not event.flags or events.required.intersection(event.owing)
        for subscriber in host.dispatcher._subscribers.values():
            queue = subscriber.queue
            at_hand = [*queue._lanes.ready, *queue._flight]
            assert event.id not in {_event_of(each, {}).id for each in at_hand}


def _event_of(
    item: OpenEvent | Delivery | int, numbered: Mapping[int, OpenEvent]
) -> OpenEvent:
    if isinstance(item, int):
        return numbered[item]
    return item.event if isinstance(item, Delivery) else item
