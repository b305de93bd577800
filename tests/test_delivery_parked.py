"""What a backlog is made of, and that nothing gets lost in it."""

import gc
import tracemalloc
from collections.abc import Callable
from typing import cast

import pytest
from msgspec.structs import replace

from hydra_notify.delivery import OpenEvent, OpenEvents, Queue
from hydra_notify.dispatcher.inbox import Inbox, Origin
from hydra_notify.events import BuildFinished, Event, Notification, StepFinished
from hydra_notify.facts import Loaded, PendingFlag, outcome_id
from hydra_notify.limits import LOAD_BATCH
from hydra_notify.metrics import Counts
from hydra_notify.outcomes import DELIVERED, Retry
from hydra_notify_sdk.wire import CHANNELS, BuildEventData

PLUGINS = ("good", "dead")

BOUND = 200
"""Bytes of one event in a backlog."""

MANY = 5_000
"""Events: what does not grow with them is then a byte of each."""


AT = 1_767_607_200
LATER = AT + 100


def flag(build: int, at: int = AT) -> PendingFlag:
    return PendingFlag(build, at, 0, at - 10, at)


def loaded(event: BuildFinished, at: int = AT) -> Loaded:
    suffix = ":0123abcd" if event.dependents else ""
    return Loaded(
        event,
        id=outcome_id(event.build, at - 10, at, 0) + suffix,
        subject=f"build/{event.build}",
        time="",
        flags=tuple(flag(build, at) for build in (event.build, *event.dependents)),
        builds=(),
        data=cast(BuildEventData, None),
    )


class Backlog:
    """Events that one plugin has settled and another one has not seen yet."""

    def __init__(self, *, required: tuple[str, ...] = PLUGINS) -> None:
        self.events = OpenEvents()
        self.events.required |= set(required)
        self.queue = Queue(self.events.parked)

    def put(self, what: Loaded) -> OpenEvent:
        """An event that both are owed, as it is opened."""
        event = self.events.open(what, redelivered=False)
        self.events.owe(event, PLUGINS)
        self.queue.add(event)
        return event

    def make_ready(self, build: int) -> OpenEvent:
        """An event whose payload is at hand: nothing but its turn is to come."""
        self.queue.parts = frozenset()
        event = self.events.open(loaded(BuildFinished(build)), redelivered=False)
        self.events.owe(event, PLUGINS)
        event.payloads = {frozenset(): b"{}"}
        self.queue.add(event)
        return event

    def settled(self, what: Loaded) -> OpenEvent:
        """One that the good plugin has settled, while there is no ledger."""
        event = self.put(what)
        self.events.settle(event, "good")
        self.rest()
        return event

    def rest(self) -> None:
        """What the recorder does now and then."""
        for _ in range(2):
            for event in self.events.unwritten.turn():
                self.events.park(event)

    def write(self) -> None:
        """What the recorder does when there is a ledger."""
        self.events.unwritten.hurry()
        taken = self.events.unwritten.take(99)
        self.events.unwritten.wrote(*taken)
        for event in taken[0]:
            self.events.park(event)

    @property
    def parked(self) -> int:
        return len(self.events.parked)

    def next(self) -> OpenEvent:
        """The event whose turn it is."""
        self.queue.parts = frozenset()
        (event,) = self.queue.unread(1)
        return event


def test_an_event_that_only_waits_for_its_turn_is_parked_and_comes_back_as_it_was() -> (
    None
):
    backlog = Backlog()
    before = backlog.put(loaded(BuildFinished(4711)))
    backlog.events.settle(before, "good")
    fields = (before.event, before.id, before.subject, before.flags, before.owing)
    backlog.rest()
    assert backlog.parked == 1
    assert backlog.events.by_id == {}
    after = backlog.next()
    assert fields == (after.event, after.id, after.subject, after.flags, after.owing)
    assert backlog.parked == 0
    assert backlog.events.by_id == {after.id: after}


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("redelivered", [True, False])
def test_what_is_parked_remembers_the_ledger_and_an_earlier_host(
    recorded: bool, redelivered: bool
) -> None:
    backlog = Backlog()
    event = backlog.put(loaded(BuildFinished(1)))
    event.recorded, event.redelivered = recorded, redelivered
    backlog.events.park(event)
    after = backlog.next()
    assert after is not event
    assert (after.recorded, after.redelivered) == (recorded, redelivered)


def test_a_backlog_keeps_its_order() -> None:
    backlog = Backlog()
    for build in (3, 1, 2):
        backlog.settled(loaded(BuildFinished(build)))
    assert backlog.parked == 3
    backlog.queue.parts = frozenset()
    order = [event.event for event in backlog.queue.unread(9)]
    assert order == [BuildFinished(3), BuildFinished(1), BuildFinished(2)]


def test_the_flag_of_a_parked_event_is_covered_and_no_other_outcomes() -> None:
    backlog = Backlog()
    backlog.settled(loaded(BuildFinished(1)))
    assert backlog.parked == 1
    assert backlog.events.covers(flag(1))
    assert not backlog.events.covers(flag(1, LATER))
    assert not backlog.events.covers(flag(2))
    for column in ("pending", "status", "start", "stop"):
        assert not backlog.events.covers(replace(flag(1), **{column: 5}))


def test_a_parked_event_whose_flag_is_cleared_covers_none() -> None:
    backlog = Backlog()
    event = backlog.put(loaded(BuildFinished(1)))
    backlog.events.forget_flags(event)
    backlog.rest()
    assert backlog.parked == 1
    assert not backlog.events.covers(flag(1))


def test_an_event_that_is_announced_again_is_found_where_it_is_parked() -> None:
    backlog = Backlog()
    what = loaded(BuildFinished(1))
    backlog.settled(what)
    found = backlog.events.find(what.id)
    assert found is not None
    assert found.id == what.id
    assert backlog.parked == 0
    assert backlog.events.find(loaded(BuildFinished(1), at=LATER).id) is None


def test_settling_a_parked_event_frees_its_flag_and_its_number() -> None:
    backlog = Backlog()
    backlog.settled(loaded(BuildFinished(1)))
    event = backlog.next()
    assert backlog.queue.drop(event)
    assert backlog.events.settle(event, "dead")
    backlog.events.cleared(event, [1])
    assert not backlog.events.covers(flag(1))
    backlog.settled(loaded(BuildFinished(1), at=LATER))
    assert backlog.parked == 1


def test_while_one_outcome_of_a_build_is_parked_the_next_one_is_not() -> None:
    backlog = Backlog()
    backlog.settled(loaded(BuildFinished(1)))
    second = backlog.settled(loaded(BuildFinished(1), at=LATER))
    assert backlog.parked == 1
    assert backlog.events.by_id == {second.id: second}
    assert [event.id for event in backlog.events.parked] == [
        loaded(BuildFinished(1)).id
    ]
    assert backlog.queue.drop(second)
    assert backlog.queue.waiting == 1


def _tried(backlog: Backlog, event: OpenEvent) -> None:
    backlog.events.try_again(event.owe(), "dead")


def _in_hand(backlog: Backlog, event: OpenEvent) -> None:
    event.pins += 1


def _given_up(backlog: Backlog, event: OpenEvent) -> None:
    backlog.events.give_up(event.owe(), "good")


def _not_held(backlog: Backlog, event: OpenEvent) -> None:
    backlog.events.required.clear()


@pytest.mark.parametrize("change", [_tried, _in_hand, _given_up, _not_held])
def test_an_event_that_somebody_has_to_do_with_is_not_parked(
    change: Callable[[Backlog, OpenEvent], None],
) -> None:
    backlog = Backlog()
    event = backlog.put(loaded(BuildFinished(1)))
    change(backlog, event)
    backlog.rest()
    backlog.events.park(event)
    assert backlog.parked == 0
    assert backlog.events.by_id == {event.id: event}


@pytest.mark.parametrize(
    "what",
    [
        loaded(BuildFinished(1, (2,))),
        replace(loaded(BuildFinished(1)), id="build_finished:1:None-5:0"),
        replace(loaded(BuildFinished(1)), id="build_finished:1:007-9:0"),
        replace(loaded(BuildFinished(1)), subject="build/2"),
        replace(loaded(BuildFinished(1)), flags=(flag(1), flag(2))),
        loaded(BuildFinished(1), at=2**63),
        replace(
            loaded(BuildFinished(1)),
            event=StepFinished(1, 1, None),
            id="step_finished:1:1",
        ),
    ],
    ids=["dependents", "no start", "id", "subject", "flags", "times", "channel"],
)
def test_an_event_that_is_not_an_ordinary_one_is_not_parked(what: Loaded) -> None:
    backlog = Backlog()
    event = backlog.settled(what)
    assert backlog.parked == 0
    assert backlog.next() is event


def test_while_the_ledger_is_to_be_told_of_an_event_it_is_not_parked() -> None:
    backlog = Backlog()
    backlog.events.unwritten.active = True
    event = backlog.settled(loaded(BuildFinished(1)))
    assert backlog.parked == 0
    backlog.write()
    assert backlog.parked == 1
    assert backlog.next().recorded
    assert event.owing == ()


def test_a_flag_that_waits_for_the_ledger_is_not_parked_before_it_is_cleared() -> None:
    backlog = Backlog(required=("good",))
    backlog.events.unwritten.active = True
    event = backlog.settled(loaded(BuildFinished(1)))
    backlog.write()
    assert backlog.parked == 0
    assert backlog.events.settled(event)
    backlog.events.cleared(event, [1])
    backlog.events.park(event)
    assert backlog.parked == 1
    assert backlog.next().flags == ()


def test_when_a_plugin_may_hold_flags_no_longer_they_are_found() -> None:
    backlog = Backlog()
    backlog.settled(loaded(BuildFinished(1)))
    assert backlog.events.unheld() == []
    backlog.events.required.discard("dead")
    assert backlog.events.unheld() == [1]
    event = backlog.events.parked_one(1)
    assert event is not None
    assert backlog.events.clearable(event)


def test_a_ledger_that_comes_later_is_told_of_what_was_parked_without_it() -> None:
    backlog = Backlog()
    backlog.settled(loaded(BuildFinished(1)))
    backlog.events.unwritten.active = True
    assert len(backlog.events.unwritten) == 0
    for number in backlog.events.parked.of_ledger():
        backlog.events.parked_one(number)
    ((event,), gone) = backlog.events.unwritten.take(9)
    assert (event.id, event.owing, gone) == (
        loaded(BuildFinished(1)).id,
        ("dead",),
        [],
    )


def test_a_parked_event_that_is_woken_and_parked_again_still_waits_for_a_ledger() -> (
    None
):
    backlog = Backlog()
    backlog.settled(loaded(BuildFinished(1)))
    backlog.events.park(backlog.next())
    assert backlog.parked == 1
    assert backlog.events.parked.of_ledger() == [1]


def test_without_a_ledger_nothing_is_kept_of_what_it_would_be_told() -> None:
    backlog = Backlog()
    for build in range(1, 100):
        backlog.settled(loaded(BuildFinished(build)))
    assert len(backlog.events.unwritten) == 0


def test_what_a_ledger_knew_is_parked_when_it_cannot_be_used_any_more() -> None:
    backlog = Backlog()
    event = backlog.put(loaded(BuildFinished(1)))
    event.recorded = True
    backlog.events.settle(event, "good")
    backlog.rest()
    assert backlog.parked == 1
    assert len(backlog.events.unwritten) == 0


def test_who_still_has_a_parked_event_can_do_nothing_with_it() -> None:
    """As a clear that was under way when it was announced again."""
    backlog = Backlog()
    event = backlog.settled(loaded(BuildFinished(1)))
    assert not backlog.events.clearable(event)
    backlog.events.cleared(event, [1])
    assert backlog.parked == 1
    assert backlog.events.covers(flag(1))


def test_an_event_that_two_plugins_wait_for_is_parked_between_their_turns() -> None:
    backlog = Backlog()
    other = Queue(backlog.events.parked, parts=frozenset())
    event = backlog.put(loaded(BuildFinished(1)))
    other.add(event)
    backlog.events.park(event)
    woken = backlog.next()
    woken.payloads = {frozenset(): b"{}"}
    backlog.queue.advance(now=0)
    (delivery,) = backlog.queue.take(9, now=0)
    backlog.events.park(woken)
    assert backlog.parked == 0
    backlog.queue.answer(delivery, DELIVERED, now=0, chance=0.5)
    backlog.events.settle(woken, "dead")
    backlog.rest()
    assert backlog.parked == 1
    (again,) = other.unread(9)
    assert again.owing == ("good",)


def test_what_was_ready_and_waits_again_can_be_parked_like_the_rest() -> None:
    backlog = Backlog()
    event = backlog.make_ready(1)
    backlog.queue.reconsider(lambda _: False, frozenset(), ordered=True)
    backlog.events.park(event)
    assert backlog.parked == 1
    assert backlog.next().id == event.id


def test_what_was_sent_before_and_waits_again_is_not_parked() -> None:
    backlog = Backlog()
    event = backlog.make_ready(1)
    (delivery,) = backlog.queue.take(9, now=0)
    backlog.queue.answer(delivery, Retry("401", block=True), now=0, chance=0.5)
    backlog.events.try_again(delivery, "dead")
    backlog.rest()
    assert backlog.parked == 0
    assert backlog.next() is event


def test_a_plugin_that_wants_no_builds_after_all_wakes_what_was_parked_for_it() -> None:
    backlog = Backlog()
    for build in (1, 2):
        backlog.settled(loaded(BuildFinished(build)))
    wanted = backlog.queue.reconsider(lambda _: False, frozenset(), ordered=True)
    assert wanted == []
    assert backlog.parked == 2
    dropped = backlog.queue.reconsider(lambda _: True, frozenset(), ordered=True)
    assert [event.event for event in dropped] == [BuildFinished(1), BuildFinished(2)]
    assert len(backlog.queue) == 0
    assert backlog.parked == 0


def test_what_a_removed_plugin_was_owed_is_woken() -> None:
    backlog = Backlog()
    backlog.settled(loaded(BuildFinished(1)))
    (event,) = backlog.queue.abandon()
    assert backlog.events.orphan(event, "dead")


def grown(fill: Callable[[], None]) -> float:
    """Bytes for each of `MANY` that `fill` leaves behind."""
    gc.collect()
    tracemalloc.start()
    try:
        fill()
        return tracemalloc.get_traced_memory()[0] / MANY
    finally:
        tracemalloc.stop()


def test_an_event_in_a_backlog_costs_less_than_200_bytes() -> None:
    backlog = Backlog()

    def fill() -> None:
        for build in range(1_000_000, 1_000_000 + MANY):
            backlog.settled(loaded(BuildFinished(build)))

    size = grown(fill)
    assert backlog.parked == backlog.queue.waiting == MANY
    # Numbers, bytes, and two tables: less would mean that something is missing.
    assert 64 < size < BOUND


def test_the_garbage_collector_does_not_look_at_a_backlog() -> None:
    backlog = Backlog()
    gc.collect()
    before = len(gc.get_objects())
    for build in range(1, 1_001):
        backlog.settled(loaded(BuildFinished(build)))
    assert backlog.parked == 1_000
    gc.collect()
    assert len(gc.get_objects()) - before < 100


def notifications(form: str) -> list[Notification]:
    channel, _, payload = form.partition("|")
    numbers = range(1_000_000, 1_000_000 + MANY)
    return [Notification(channel, payload.format(number)) for number in numbers]


LOG = "/var/lib/hydra/build-logs/" + "x" * 60


@pytest.mark.parametrize(
    "form",
    [
        "build_finished|{}",
        "build_started|{}",
        f"step_finished|{{}}\t7\t{LOG}",
        "eval_added|17.5.230\t1\t{}\t1",
    ],
)
def test_an_event_that_nobody_can_use_yet_costs_few_bytes_beside_its_texts(
    form: str,
) -> None:
    inbox = Inbox(Counts())
    arrived = notifications(form)
    size = grown(lambda: inbox.receive(arrived, CHANNELS, now=1.0))
    assert len(inbox) == MANY
    assert 40 < size < BOUND + len(form)


def test_a_long_inbox_gives_back_what_was_announced_in_order() -> None:
    inbox = Inbox(Counts())
    arrived = notifications("build_finished|{}")[: 3 * LOAD_BATCH]
    half = len(arrived) // 2
    inbox.receive(arrived[:half], CHANNELS, now=1.0)
    inbox.receive(arrived[half:], CHANNELS, now=2.0)
    times: list[float] = []
    events: list[Event] = []
    while taken := inbox.take(7):
        inbox.put_back(taken)
        assert inbox.take(7) == taken
        events += [each.event for each in taken]
        times += [each.at for each in taken]
    assert events == [BuildFinished(int(each.payload)) for each in arrived]
    assert times == half * [1.0] + (len(arrived) - half) * [2.0]


def test_what_an_earlier_host_may_have_delivered_is_known_as_such_later() -> None:
    inbox = Inbox(Counts())
    inbox.add([BuildFinished(1)], Origin.SWEPT)
    inbox.add([BuildFinished(2)], Origin.RECOVERED)
    inbox.add([BuildFinished(3)], Origin.ANNOUNCED)
    assert inbox.take(9) == [
        (BuildFinished(3), Origin.ANNOUNCED, 0.0),
        (BuildFinished(2), Origin.RECOVERED, 0.0),
        (BuildFinished(1), Origin.SWEPT, 0.0),
    ]


def test_what_is_announced_does_not_wait_behind_what_is_found() -> None:
    inbox = Inbox(Counts())
    inbox.add(map(BuildFinished, range(1, 100)), Origin.RECOVERED)
    inbox.add(map(BuildFinished, range(100, 200)), Origin.ANNOUNCED)
    origins = [each.origin for each in inbox.take(10)]
    assert origins == 5 * [Origin.ANNOUNCED] + 5 * [Origin.RECOVERED]
