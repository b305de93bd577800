"""One plugin's queue, and the events that are not done with."""

from typing import cast

import pytest

from hydra_notify.delivery import Delivery, Fate, OpenEvent, OpenEvents, Queue
from hydra_notify.events import BuildEvent, BuildFinished, Event, StepFinished
from hydra_notify.facts import Loaded, PendingFlag
from hydra_notify.frames import opening
from hydra_notify.limits import READY_BYTES
from hydra_notify.outcomes import DELIVERED, Dead, Delivered, Retry
from hydra_notify_sdk.wire import BuildEventData

FAILED = Retry("500 words")


def flag(build: int, at: int = 100) -> PendingFlag:
    return PendingFlag(build, at, 0, at - 10, at)


def loaded(event: Event, flags: tuple[PendingFlag, ...] = (), at: int = 0) -> Loaded:
    build = getattr(event, "build", 0)
    return Loaded(
        event,
        id=f"{event.channel}:{build}:{at}",
        subject=f"build/{build}",
        time="",
        flags=flags,
        builds=(),
        data=cast(BuildEventData, None),
    )


def finished(build: int, at: int = 100, *dependents: int) -> OpenEvent:
    return opened(BuildFinished(build, dependents), at)


def opened(event: Event, at: int = 0, payload: bytes = b"{}") -> OpenEvent:
    open_event = OpenEvents().open(loaded(event, at=at), redelivered=False)
    open_event.payloads = {frozenset(): payload}
    return open_event


def queue() -> Queue:
    return Queue(OpenEvents().parked, parts=frozenset())


def owed(
    event: Event,
    flags: tuple[PendingFlag, ...],
    required: str = "",
    optional: str = "",
) -> tuple[OpenEvents, OpenEvent]:
    """An event that plugins with these letters for names are owed."""
    events = OpenEvents()
    events.required = events.holding = set(required)
    open_event = events.open(loaded(event, flags), redelivered=False)
    events.owe(open_event, (*required, *optional))
    return events, open_event


def builds_of(deliveries: list[Delivery]) -> list[int]:
    return [getattr(delivery.event.event, "build", 0) for delivery in deliveries]


def test_deliveries_come_in_order_and_no_more_than_there_is_room_for() -> None:
    q = queue()
    for build in (1, 2, 3):
        q.add(finished(build))
    assert builds_of(q.take(2, now=0)) == [1, 2]
    assert builds_of(q.take(2, now=0)) == [3]


def test_one_delivery_of_a_build_is_in_flight_at_a_time() -> None:
    q = queue()
    q.add(opened(BuildEvent("build_started", 1)))
    q.add(finished(1))
    q.add(finished(2))
    first = q.take(9, now=0)
    assert [d.channel for d in first] == ["build_started", "build_finished"]
    assert builds_of(first) == [1, 2]
    q.answer(first[0], DELIVERED, now=0, chance=0.5)
    assert builds_of(q.take(9, now=0)) == [1]


def test_a_plugin_may_do_without_order() -> None:
    q = queue()
    q.reconsider(lambda _: False, frozenset(), ordered=False)
    q.add(opened(BuildEvent("build_started", 1)))
    q.add(finished(1))
    assert builds_of(q.take(9, now=0)) == [1, 1]


def test_a_failed_delivery_comes_again_when_it_is_due_with_the_next_attempt() -> None:
    q = queue()
    event = finished(1)
    q.add(event)
    (delivery,) = q.take(1, now=0)
    assert q.answer(delivery, FAILED, now=0, chance=0.5) is Fate.RETRYING
    assert q.next_due == 2
    event.payloads = {frozenset(): b"{}"}
    q.advance(now=1.9)
    assert q.take(1, now=1.9) == []
    q.advance(now=2)
    (again,) = q.take(1, now=2)
    assert (again.attempt, again.redelivered) == (2, False)


def test_only_a_first_attempt_begins_as_that_of_other_plugins() -> None:
    event = finished(1)
    event.opening = opening("e1-host", "build_finished", 1, redelivered=False)
    failing, crashing = queue(), queue()
    for q in (failing, crashing):
        q.add(event)
    (first,), (other,) = failing.take(1, now=0), crashing.take(1, now=0)
    assert first.opening is other.opening is event.opening
    failing.answer(first, FAILED, now=0, chance=0.5)
    event.payloads = {frozenset(): b"{}"}
    failing.advance(now=2)
    (again,) = failing.take(1, now=2)
    assert again.opening is None
    crashing.crash()
    (again,) = crashing.take(1, now=2)
    assert again.opening is None


def test_an_event_that_is_revived_does_not_begin_as_it_did() -> None:
    events, event = owed(BuildFinished(1), (flag(1),), required="ab")
    event.opening = opening("e1-host", "build_finished", 1, redelivered=False)
    events.give_up(event.owe(), "a")
    assert events.revive(event, event.dead) == ("a",)
    assert event.owe().opening is None


def test_a_failed_delivery_does_not_hold_up_newer_ones_of_its_build() -> None:
    q = queue()
    q.add(opened(StepFinished(1, 1, None)))
    q.add(opened(StepFinished(1, 2, None)))
    (step,) = q.take(9, now=0)
    assert q.answer(step, FAILED, now=0, chance=0.5) is Fate.RETRYING
    assert len(q.take(9, now=0)) == 1


def test_a_delivery_that_has_failed_for_long_enough_is_given_up() -> None:
    q = Queue(OpenEvents().parked, parts=frozenset(), give_up_after=100.0)
    q.add(finished(1))
    (delivery,) = q.take(1, now=0)
    fate, now = q.answer(delivery, FAILED, now=0, chance=0.5), 0.0
    while fate is Fate.RETRYING:
        now = delivery.due
        delivery.event.payloads = {frozenset(): b"{}"}
        q.advance(now)
        assert q.take(1, now) == [delivery]
        fate = q.answer(delivery, FAILED, now, chance=0.5)
    # After 2, 4, 8, 16, 32 and 64 s: the seventh attempt is the first after 100 s.
    assert (fate, delivery.attempt, now) == (Fate.DEAD, 7, 126.0)
    assert delivery.reason == "500 words"
    assert len(q) == 0


def test_the_plugins_own_delay_beats_the_schedule() -> None:
    q = queue()
    q.add(finished(1))
    (delivery,) = q.take(1, now=10)
    q.answer(delivery, Retry("later", after=77), now=10, chance=0.5)
    assert q.next_due == 87


def test_a_pause_holds_everything_back() -> None:
    q = queue()
    q.add(finished(1))
    q.add(finished(2))
    (delivery,) = q.take(1, now=0)
    q.answer(delivery, Retry("429", pause=30), now=0, chance=0.5)
    assert q.take(9, now=29) == []
    assert builds_of(q.take(9, now=30)) == [2]


@pytest.mark.parametrize("chances", [0, 1])
def test_a_retry_is_superseded_by_a_newer_state_of_its_build(chances: int) -> None:
    """Whether the newer event is there before the failure or comes after it."""
    q = queue()
    q.add(opened(BuildEvent("build_started", 1)))
    if chances == 0:
        q.add(finished(1))
    (started,) = q.take(1, now=0)
    fate = q.answer(started, FAILED, now=0, chance=0.5)
    if chances == 1:
        q.add(finished(1))
        assert q.superseded == [started]
    else:
        assert fate is Fate.SUPERSEDED
    assert [d.channel for d in q.take(9, now=0)] == ["build_finished"]
    q.advance(now=5000)
    assert q.take(9, now=5000) == []


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (finished(1, 100, 2, 3), finished(1, 200)),
        (finished(1, 100), opened(BuildEvent("build_started", 1))),
        (opened(StepFinished(1, 1, None)), opened(StepFinished(1, 2, None))),
    ],
    ids=["dependents", "an outcome by a state on the way", "another step"],
)
def test_a_retry_that_says_more_than_the_newer_event_is_kept(
    older: OpenEvent, newer: OpenEvent
) -> None:
    q = queue()
    q.add(older)
    (delivery,) = q.take(1, now=0)
    q.answer(delivery, FAILED, now=0, chance=0.5)
    q.add(newer)
    assert q.superseded == []
    assert q.retrying == 1


def test_after_a_crash_what_was_in_flight_comes_first_and_says_so() -> None:
    q = queue()
    for build in (1, 2, 3):
        q.add(finished(build))
    q.take(2, now=0)
    assert q.crash()[1] == []
    again = q.take(9, now=0)
    assert builds_of(again) == [1, 2, 3]
    assert [d.redelivered for d in again] == [True, True, False]
    assert [d.attempt for d in again] == [2, 2, 1]


def test_an_event_in_flight_at_three_crashes_is_sent_alone() -> None:
    q = queue()
    for build in (1, 2):
        q.add(finished(build))
    for _ in range(3):
        q.take(9, now=0)
        q.crash()
    (alone,) = q.take(9, now=0)
    assert q.take(9, now=0) == []
    q.answer(alone, DELIVERED, now=0, chance=0.5)
    assert builds_of(q.take(9, now=0)) == [2]


def test_an_event_that_crashes_the_plugin_alone_is_given_up_and_the_rest_flows() -> (
    None
):
    q = queue()
    for build in (1, 2):
        q.add(finished(build))
    for _ in range(3):
        q.take(9, now=0)
        q.crash()
    q.take(9, now=0)
    assert builds_of(q.crash()[1]) == [1]
    assert builds_of(q.take(9, now=0)) == [2]


def test_a_backlog_is_ids_and_is_read_again_when_its_turn_comes() -> None:
    q = queue()
    big = bytes(READY_BYTES // 2)
    events = [opened(BuildFinished(build), payload=big) for build in range(1, 6)]
    for event in events:
        q.add(event)
        if not event.pins:
            event.payloads = None
    assert [event.pins for event in events] == [1, 1, 1, 0, 0]
    assert q.unread(9) == []
    for delivery in q.take(9, now=0):
        q.answer(delivery, DELIVERED, now=0, chance=0.5)
    assert [event.payloads for event in events[:3]] == [None] * 3
    assert q.unread(9) == events[3:]


def test_a_retry_gives_its_payload_back_and_reads_the_build_as_it_is_then() -> None:
    q = queue()
    event = finished(1)
    q.add(event)
    (delivery,) = q.take(1, now=0)
    q.answer(delivery, FAILED, now=0, chance=0.5)
    assert event.payloads is None
    q.advance(now=10)
    assert q.unread(9) == [event]


def test_what_a_plugin_turns_out_not_to_want_is_removed() -> None:
    q = Queue(OpenEvents().parked)
    wanted, unwanted = finished(1), opened(BuildEvent("build_started", 2))
    q.add(wanted)
    q.add(unwanted)
    dropped = q.reconsider(
        lambda channel: channel == "build_started", frozenset(), ordered=True
    )
    assert dropped == [unwanted]
    assert q.waiting == 1


def test_flags_may_be_cleared_when_the_last_required_plugin_has_settled() -> None:
    events, event = owed(BuildFinished(1), (flag(1),), required="ab")
    assert not events.settle(event, "a")
    assert events.settle(event, "b")
    assert events.covers(flag(1))
    events.cleared(event, [1])
    assert not events.covers(flag(1))
    assert events.by_id == {}


def test_an_optional_plugin_does_not_hold_the_flag() -> None:
    events, event = owed(BuildFinished(1), (flag(1),), required="a", optional="b")
    assert events.settle(event, "a")
    events.cleared(event, [1])
    assert list(events.by_id.values()) == [event]
    assert not events.settle(event, "b")
    assert events.by_id == {}


def test_a_flag_that_nobody_holds_waits_for_the_ledger_to_remember_the_rest() -> None:
    events, event = owed(BuildFinished(1), (flag(1),), required="a", optional="b")
    events.unwritten.active = True
    assert not events.settle(event, "a")
    events.unwritten.hurry()
    events.unwritten.wrote(*events.unwritten.take(9))
    assert event.recorded
    assert events.settled(event)


def test_a_given_up_delivery_goes_on_holding_the_flag() -> None:
    events, event = owed(BuildFinished(1), (flag(1),), required="ab")
    assert not events.give_up(event.owe(), "a")
    assert not events.settle(event, "b")
    assert events.covers(flag(1))


def test_a_given_up_delivery_holds_nothing_where_the_operator_says_so() -> None:
    events, event = owed(BuildFinished(1), (flag(1),), required="ab")
    events.holding = set()
    assert not events.give_up(event.owe(), "a")
    assert events.settle(event, "b")


def test_a_given_up_delivery_without_a_flag_is_done_with() -> None:
    events, event = owed(StepFinished(1, 1, None), (), required="a")
    assert not events.give_up(event.owe(), "a")
    assert events.by_id == {}


def test_a_given_up_delivery_can_be_owed_again() -> None:
    events, event = owed(BuildFinished(1), (flag(1),), required="a")
    events.give_up(event.owe(), "a")
    assert events.revive(event, ["a"]) == ("a",)
    assert events.settle(event, "a")


def test_a_given_up_delivery_that_is_dropped_frees_the_flag() -> None:
    events, event = owed(BuildFinished(1), (flag(1),), required="a")
    events.give_up(event.owe(), "a")
    assert events.drop(event, "a")


def test_a_plugin_that_is_no_longer_configured_holds_nothing() -> None:
    events, event = owed(BuildFinished(1), (flag(1),), required="abc")
    events.give_up(event.owe(), "b")
    assert not events.settle(event, "c")
    assert not events.orphan(event, "b")
    assert events.orphan(event, "a")
    assert event.orphaned == ("b", "a")


def test_an_event_that_nobody_wants_may_be_cleared_at_once() -> None:
    events = OpenEvents()
    event = events.open(loaded(BuildFinished(1), (flag(1),)), redelivered=False)
    assert events.settled(event)


def test_head_and_dependents_are_cleared_one_by_one() -> None:
    events = OpenEvents()
    flags = (flag(1), flag(2))
    event = events.open(loaded(BuildFinished(1, (2,)), flags), redelivered=False)
    events.cleared(event, [1])
    assert event.flags == (flag(2),)
    assert events.covers(flag(2))
    events.cleared(event, [2])
    assert events.by_id == {}


def test_a_poisonous_delivery_settles_as_dead() -> None:
    q = queue()
    q.add(finished(1))
    (delivery,) = q.take(1, now=0)
    assert q.answer(delivery, Dead("404"), now=0, chance=0.5) is Fate.DEAD
    assert len(q) == 0


def test_an_outcome_is_not_covered_by_an_older_one_that_was_given_up() -> None:
    events = OpenEvents()
    event = events.open(loaded(BuildFinished(1), (flag(1, 100),)), redelivered=False)
    events.holding = {"a"}
    events.owe(event, ("a",))
    events.give_up(event.owe(), "a")
    assert events.covers(flag(1, 100))
    assert not events.covers(flag(1, 200))


def test_between_half_full_and_full_nothing_is_asked_for_but_there_is_room() -> None:
    """Else a batch that was read for one plugin is read again for all the others."""
    q = queue()
    half = bytes(READY_BYTES // 2 + 1)
    q.add(opened(BuildFinished(1), payload=half))
    assert (q.hungry, q.has_room) == (False, True)
    q.add(opened(BuildFinished(2), payload=half))
    assert (q.hungry, q.has_room) == (False, False)
    q.add(opened(BuildFinished(3)))
    assert q.waiting == 1


UNANSWERED = Retry("no answer in time", unanswered=True)


def test_a_late_success_settles_what_waits_for_its_retry() -> None:
    q = queue()
    q.add(finished(1))
    (delivery,) = q.take(1, now=0)
    q.answer(delivery, UNANSWERED, now=0, chance=0.5)
    assert q.late(delivery)
    assert len(q) == 0
    q.advance(now=1000)
    assert q.take(1, now=1000) == []
    assert not q.late(delivery)


def test_a_late_success_leaves_alone_what_is_in_flight_again() -> None:
    q = queue()
    event = finished(1)
    q.add(event)
    (delivery,) = q.take(1, now=0)
    q.answer(delivery, UNANSWERED, now=0, chance=0.5)
    event.payloads = {frozenset(): b"{}"}
    q.advance(now=10)
    assert q.take(1, now=10) == [delivery]
    assert not q.late(delivery)
    assert q.answer(delivery, DELIVERED, now=11, chance=0.5) is Fate.SETTLED


REFUSED = Retry("401 bad token", block=True)


def read_again(q: Queue, *events: OpenEvent) -> None:
    for event in events:
        event.payloads = {frozenset(): b"{}"}


def blocked(count: int = 3) -> tuple[Queue, list[OpenEvent]]:
    """A queue that was blocked at 0 s by the first of its builds 1, 2, ..."""
    q = queue()
    events = [finished(build) for build in range(1, count + 1)]
    for event in events:
        q.add(event)
    (delivery,) = q.take(1, now=0)
    assert q.answer(delivery, REFUSED, now=0, chance=0.5) is Fate.RETRYING
    return q, events


def probe(q: Queue, events: list[OpenEvent], now: float) -> Delivery:
    """The one delivery that a blocked queue gives away at `now`."""
    read_again(q, *events)
    q.advance(now)
    (delivery,) = q.take(9, now)
    assert q.take(9, now) == []
    return delivery


def test_a_blocked_plugin_is_sent_one_probe_after_one_two_four_and_five_minutes() -> (
    None
):
    q, events = blocked()
    now = 0.0
    for delay in (60, 120, 240, 300, 300):
        assert q.held_until == now + delay
        assert q.take(9, now + delay - 1) == []
        now += delay
        q.answer(probe(q, events, now), REFUSED, now, chance=0.5)
    assert len(q) == 3
    assert q.sendable == 0


@pytest.mark.parametrize("outcome", [DELIVERED, Dead("404")])
def test_an_answer_that_had_credentials_lifts_the_block(
    outcome: Delivered | Dead,
) -> None:
    q, events = blocked()
    q.answer(probe(q, events, 60), outcome, 60, chance=0.5)
    assert not q.block.on
    read_again(q, *events)
    q.advance(60)
    assert len(q.take(9, now=60)) == 2


def test_a_probe_that_fails_for_another_reason_leaves_the_block() -> None:
    q, events = blocked()
    q.answer(probe(q, events, 60), FAILED, 60, chance=0.5)
    assert q.block.on
    assert q.held_until == 120


def test_the_next_process_of_a_blocked_plugin_is_probed_at_once() -> None:
    q, events = blocked()
    q.crash()
    q.answer(probe(q, events, 1), DELIVERED, 1, chance=0.5)
    assert not q.block.on


def test_refusals_of_what_was_in_flight_together_count_once() -> None:
    q = queue()
    for build in (1, 2, 3):
        q.add(finished(build))
    for delivery in q.take(3, now=0):
        q.answer(delivery, REFUSED, now=0, chance=0.5)
    assert q.held_until == 60
    assert len(q) == 3


def test_the_plugins_own_time_for_the_next_probe_wins() -> None:
    q = queue()
    q.add(finished(1))
    (delivery,) = q.take(1, now=0)
    q.answer(delivery, Retry("401", after=7.0, block=True), now=0, chance=0.5)
    assert q.held_until == 7


def test_an_event_that_closes_after_its_writing_failed_is_removed_all_the_same() -> (
    None
):
    """The ledger may have it: only the answer was lost."""
    events, event = owed(StepFinished(1, 1, None), (), required="a")
    unwritten = events.unwritten
    unwritten.active = True
    unwritten.hurry()
    unwritten.put_back(*unwritten.take(9))
    events.settle(event, "a")
    assert unwritten.take(9) == ([], [event.id])


def test_the_same_outcome_with_dependents_does_not_supersede_it() -> None:
    """They have the flag in common: the plugin has to be told before it is cleared."""
    q = queue()
    alone = finished(1)
    q.add(alone)
    (delivery,) = q.take(1, now=0)
    with_dependents = finished(1, 100, 2)
    with_dependents.id = f"{alone.id}:0123abcd"
    q.add(with_dependents)
    assert q.answer(delivery, FAILED, now=0, chance=0.5) is Fate.RETRYING
    assert q.retrying == 1


def test_an_event_whose_flag_somebody_else_has_cleared_is_remembered() -> None:
    events, event = owed(BuildFinished(1), (flag(1),), required="a")
    events.unwritten.active = True
    events.unwritten.hurry()
    assert events.unwritten.take(9) == ([], [])
    events.forget_flags(event)
    events.unwritten.hurry()
    assert events.unwritten.take(9) == ([event], [])
