"""What is under way at one moment, for whoever looks at the host.

However much there is, no more than STATUS_LISTED of a kind are looked at one by one.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice

import trio

from hydra_notify.delivery import Delivery, OpenEvent, OpenEvents
from hydra_notify.dispatcher.subscriber import Subscriber
from hydra_notify.limits import STATUS_LISTED
from hydra_notify.status import Answer, DeadLetter, EventStory, InFlight, Retrying


@dataclass(frozen=True, slots=True)
class Line:
    """What one plugin is owed. Times are Unix times.

    Attributes:
        queued: Deliveries that wait for their turn.
        in_flight: Sent and not answered.
        retrying: Failed, and waiting for the next attempt.
        next_retry_at: When the earliest of these is due.
        held_until: Until when nothing is sent, if that is so.
    """

    queued: int
    in_flight: int
    retrying: int
    next_retry_at: float | None
    held_until: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """What is under way.

    Attributes:
        inbox: Events that were announced and not read yet.
        open_events: Those that are not done with.
        lines: By plugin.
        in_flight: Deliveries, the oldest of them.
        retrying: Those that are due next.
    """

    inbox: int
    open_events: int
    lines: dict[str, Line]
    in_flight: list[InFlight]
    retrying: list[Retrying]


def report(subscribers: Iterable[Subscriber], events: OpenEvents, inbox: int) -> Report:
    """How it is now."""
    subscribers = list(subscribers)
    wall = _wall_clock()
    return Report(
        inbox=inbox,
        open_events=len(events.by_id) + len(events.parked),
        lines={each.config.name: _line(each, wall) for each in subscribers},
        in_flight=nsmallest(
            STATUS_LISTED, _all_in_flight(subscribers, wall), lambda each: each.sent_at
        ),
        retrying=nsmallest(
            STATUS_LISTED, _all_retrying(subscribers, wall), lambda each: each.due_at
        ),
    )


def given_up(events: OpenEvents) -> tuple[int, list[DeadLetter]]:
    """Dead letters of events that are open, where no ledger remembers them.

    Returns:
        How many there are, and some of them, the latest first.
    """
    wall = _wall_clock()
    held = [event for event in events.by_id.values() if event.dead]
    found = (_letter(event, name, wall) for event in held for name in event.dead)
    number = sum(len(event.dead) for event in held)
    letters = islice(found, STATUS_LISTED)
    return number, sorted(letters, key=lambda each: each.changed_at, reverse=True)


def story(
    build: int, answers: Iterable[tuple[str, Answer]], events: OpenEvents
) -> list[EventStory]:
    """A build's own events and what became of them, the oldest first.

    Args:
        build: Its id.
        answers: What is remembered, with the ids of events.
        events: Those that are not done with.
    """
    of_event: dict[str, list[Answer]] = {}
    for id_, answer in answers:
        of_event.setdefault(id_, []).append(answer)
    parked = events.parked_one(build)
    subject = f"build/{build}"
    open_ = {e.id: e for e in events.by_id.values() if e.subject == subject}
    if parked is not None:
        events.park(parked)
    return [
        EventStory(
            event=id_,
            channel=id_.partition(":")[0],
            owing=list(open_[id_].owing) if id_ in open_ else [],
            dead=list(open_[id_].dead) if id_ in open_ else [],
            answers=of_event.get(id_, []),
        )
        for id_ in dict.fromkeys([*of_event, *open_])
    ]


def _wall_clock() -> Callable[[float], float]:
    """From trio's clock to Unix time."""
    ahead = time.time() - trio.current_time()
    return lambda at: at + ahead


def _line(subscriber: Subscriber, wall: Callable[[float], float]) -> Line:
    queue = subscriber.queue
    now, held, due = trio.current_time(), queue.held_until, queue.next_due
    return Line(
        queued=len(queue) - queue.in_flight - queue.retrying,
        in_flight=queue.in_flight,
        retrying=queue.retrying,
        next_retry_at=wall(due) if queue.retrying else None,
        held_until=wall(held) if held > now else None,
    )


def _all_in_flight(
    subscribers: Iterable[Subscriber], wall: Callable[[float], float]
) -> Iterable[InFlight]:
    for subscriber in subscribers:
        for each in subscriber.queue.flying:
            yield InFlight(
                subscriber.config.name,
                each.event.id,
                each.attempt,
                each.redelivered,
                wall(each.sent),
            )


def _all_retrying(
    subscribers: Iterable[Subscriber], wall: Callable[[float], float]
) -> Iterable[Retrying]:
    for subscriber in subscribers:
        for due, each in subscriber.queue.next_retries(STATUS_LISTED):
            yield Retrying(
                subscriber.config.name,
                each.event.id,
                each.attempt,
                wall(due),
                wall(_failing_since(each)),
                each.reason,
            )


def _letter(
    event: OpenEvent, plugin: str, wall: Callable[[float], float]
) -> DeadLetter:
    delivery = (event.tried or {}).get(plugin)
    if delivery is None:
        return DeadLetter(plugin, event.id, 0, 0, wall(trio.current_time()), False, "")
    return DeadLetter(
        plugin,
        event.id,
        delivery.attempt,
        delivery.crashes,
        wall(_failing_since(delivery)),
        False,
        delivery.reason,
    )


def _failing_since(delivery: Delivery) -> float:
    return delivery.sent if delivery.failing_since is None else delivery.failing_since
