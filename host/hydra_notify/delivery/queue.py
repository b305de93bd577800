"""What one plugin still owes an answer to, and in which order it gets it.

    waiting --admit--> ready --take--> in flight --answer--> settled
       ^                                   |
       +--- due --- retrying <-------------+ (failed, not overtaken)

`waiting` holds ids; from `ready` on a delivery holds its payload, bounded by
READY_BYTES. Within a subject one delivery is ready or in flight; later ones wait in its
lane. A retry leaves its lane, so that a failing delivery does not hold up newer ones;
it is dropped as superseded when a newer event of its build says all that it said.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import count

from hydra_notify.backoff import retry_delay
from hydra_notify.delivery.events import Delivery, OpenEvent
from hydra_notify.events import BuildEvent, BuildFinished
from hydra_notify.limits import READY_BYTES, SUSPECT_CRASHES
from hydra_notify.outcomes import Dead, Delivered, Outcome, Retry
from hydra_notify_sdk.wire import Part


class Fate(Enum):
    """What an answer made of a delivery."""

    SETTLED = "settled"
    RETRYING = "to be tried again"
    DEAD = "given up"
    SUPERSEDED = "superseded"


def supersedes(newer: OpenEvent, older: OpenEvent) -> bool:
    """Whether `newer`, of the same subject, says all that is left of `older` to say.

    A state on the way (queued, started) is overtaken by any later state; an outcome by
    another outcome of that build alone, and never while it speaks for dependents.
    """
    match older.event:
        case BuildEvent():
            return isinstance(newer.event, BuildEvent | BuildFinished)
        case BuildFinished(dependents=()):
            return isinstance(newer.event, BuildFinished) and newer.id != older.id
        case _:
            return False


@dataclass(slots=True)
class Queue:
    """The deliveries of one plugin.

    Attributes:
        plugin: Its name.
        required: Whether it holds flags.
        parts: The heavy parts it asked for; None until it has said.
        ordered: Whether events of one subject go one at a time.
        paused_until: Monotonic seconds before which nothing is sent.
        superseded: Deliveries dropped since a newer event said all they said; whoever
            reads them settles them and empties the list.
    """

    plugin: str
    required: bool
    parts: frozenset[Part] | None = None
    ordered: bool = True
    paused_until: float = 0.0
    superseded: list[Delivery] = field(default_factory=list)
    _waiting: deque[OpenEvent | Delivery] = field(default_factory=deque)
    _ready: deque[Delivery] = field(default_factory=deque)
    _lanes: dict[str, deque[Delivery]] = field(default_factory=dict)
    _in_flight: dict[Delivery, None] = field(default_factory=dict)
    _retrying: list[tuple[float, int, Delivery]] = field(default_factory=list)
    _retrying_of: dict[str, dict[Delivery, None]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)
    _bytes: int = 0
    _suspect: Delivery | None = None

    def __len__(self) -> int:
        """Deliveries not settled, those in flight and retrying included."""
        return self.sendable + len(self._in_flight) + self.retrying

    @property
    def sendable(self) -> int:
        """Deliveries that wait for nothing but their turn."""
        lanes = sum(map(len, self._lanes.values()))
        return len(self._waiting) + len(self._ready) + lanes

    @property
    def waiting(self) -> int:
        """Deliveries kept as ids: beyond what may be ready, or to be read again."""
        return len(self._waiting)

    @property
    def in_flight(self) -> int:
        """Deliveries sent and not answered."""
        return len(self._in_flight)

    @property
    def retrying(self) -> int:
        """Deliveries that failed and wait for their next attempt."""
        return sum(map(len, self._retrying_of.values()))

    @property
    def next_due(self) -> float:
        """When (monotonic seconds) the earliest retry is due; infinity if none is."""
        return self._retrying[0][0] if self._retrying else float("inf")

    @property
    def hungry(self) -> bool:
        """Whether more payloads would be of use.

        It has said what it wants, and less than half of what it may hold is ready.
        """
        return self.parts is not None and self._bytes * 2 <= READY_BYTES

    def add(self, event: OpenEvent) -> None:
        """Owe `event` to the plugin."""
        event.owed += 1
        if self.required:
            event.holding += 1
        if self._waiting or not self._admit(event):
            self._waiting.append(event)

    def advance(self, now: float) -> None:
        """Let due retries in, then make ready what can be, in order."""
        while self._retrying and self._retrying[0][0] <= now:
            delivery = heapq.heappop(self._retrying)[2]
            if self._leave_retrying(delivery):
                # Ahead of what is only ids: it has waited longest.
                self._waiting.appendleft(delivery)
        while self._waiting and self._admit(self._waiting[0]):
            self._waiting.popleft()

    def unread(self, limit: int) -> list[OpenEvent]:
        """The next events, at most `limit`, whose payload has to be read again."""
        events: list[OpenEvent] = []
        if not self.hungry:
            return events
        for item in self._waiting:
            if len(events) >= limit:
                break
            event = _event_of(item)
            if event.payload(self.parts) is None:
                events.append(event)
        return events

    def take(self, room: int, now: float) -> list[Delivery]:
        """At most `room` deliveries to send now; they are in flight from here on.

        An event that was in flight at `SUSPECT_CRASHES` crashes goes alone.
        """
        taken: list[Delivery] = []
        if now < self.paused_until or self._suspect is not None:
            return taken
        while self._ready and len(taken) < room:
            suspect = self._ready[0].crashes >= SUSPECT_CRASHES
            if suspect and self._in_flight:
                break
            delivery = self._ready.popleft()
            delivery.attempt += 1
            self._in_flight[delivery] = None
            taken.append(delivery)
            if suspect:
                self._suspect = delivery
                break
        return taken

    def answer(
        self, delivery: Delivery, outcome: Outcome, now: float, chance: float
    ) -> Fate:
        """Take the answer to a delivery in flight.

        Args:
            delivery: One that `take` returned and nobody has answered.
            outcome: What the plugin, or its silence, said.
            now: Monotonic seconds.
            chance: In [0, 1), for the retry's jitter.
        """
        del self._in_flight[delivery]
        if delivery is self._suspect:
            self._suspect = None
        self._unload(delivery)
        overtaken = self._release(delivery)
        match outcome:
            case Delivered():
                return Fate.SETTLED
            case Dead():
                return Fate.DEAD
            case Retry():
                delivery.redelivered = delivery.redelivered or outcome.unanswered
                if outcome.pause is not None:
                    self.paused_until = max(self.paused_until, now + outcome.pause)
                if overtaken:
                    return Fate.SUPERSEDED
                delay = outcome.after
                if delay is None:
                    delay = retry_delay(delivery.attempt, chance)
                self._retry(delivery, now + delay)
                return Fate.RETRYING

    def crash(self) -> list[Delivery]:
        """The plugin ended: what was in flight comes first again, as unanswered.

        Returns:
            Deliveries that were in flight at one crash too many: to be given up.
        """
        unanswered = list(self._in_flight)
        self._in_flight.clear()
        self._suspect = None
        poisonous: list[Delivery] = []
        for delivery in reversed(unanswered):
            delivery.redelivered = True
            delivery.crashes += 1
            if delivery.crashes > SUSPECT_CRASHES:
                self._unload(delivery)
                self._release(delivery)
                poisonous.append(delivery)
            else:
                self._ready.appendleft(delivery)
        return poisonous

    def remove(self, unwanted: Callable[[OpenEvent], bool]) -> list[OpenEvent]:
        """Drop the deliveries that are not in flight and whose event is unwanted.

        What was ready goes back to waiting: the parts asked for may have changed too.

        Returns:
            Their events, to be settled.
        """
        ready = [*self._ready, *(d for lane in self._lanes.values() for d in lane)]
        for delivery in ready:
            self._unload(delivery)
        self._ready.clear()
        self._lanes.clear()
        if self.ordered:
            self._lanes.update((d.event.subject, deque()) for d in self._in_flight)
        removed: list[OpenEvent] = []
        waiting = [*ready, *self._waiting]
        self._waiting.clear()
        for item in waiting:
            if unwanted(_event_of(item)):
                removed.append(_event_of(item))
            else:
                self._waiting.append(item)
        for _, _, delivery in self._retrying:
            if unwanted(delivery.event) and self._leave_retrying(delivery):
                removed.append(delivery.event)
        return removed

    def drop(self, event: OpenEvent) -> bool:
        """Drop the delivery of `event` if it waits to be read; whether it did."""
        for index, item in enumerate(self._waiting):
            if _event_of(item) is event:
                del self._waiting[index]
                return True
        return False

    def _admit(self, item: OpenEvent | Delivery) -> bool:
        event = _event_of(item)
        payload = event.payload(self.parts)
        if payload is None or self._bytes > READY_BYTES:
            return False
        delivery = (
            item
            if isinstance(item, Delivery)
            else Delivery(event, redelivered=event.redelivered)
        )
        delivery.payload = payload
        event.pins += 1
        self._bytes += len(payload)
        self._supersede(event)
        lane = self._lanes.get(event.subject) if self.ordered else None
        if lane is not None:
            lane.append(delivery)
            return True
        if self.ordered:
            self._lanes[event.subject] = deque()
        self._ready.append(delivery)
        return True

    def _unload(self, delivery: Delivery) -> None:
        self._bytes -= len(delivery.payload)
        delivery.payload = b""
        delivery.event.unpin()

    def _release(self, delivery: Delivery) -> bool:
        """Let the next of its lane go; whether a later one supersedes `delivery`."""
        lane = self._lanes.get(delivery.event.subject) if self.ordered else None
        if lane is None:
            return False
        overtaken = any(supersedes(later.event, delivery.event) for later in lane)
        if lane:
            self._ready.append(lane.popleft())
        else:
            del self._lanes[delivery.event.subject]
        return overtaken

    def _retry(self, delivery: Delivery, due: float) -> None:
        heapq.heappush(self._retrying, (due, next(self._numbers), delivery))
        of_subject = self._retrying_of.setdefault(delivery.event.subject, {})
        of_subject[delivery] = None

    def _leave_retrying(self, delivery: Delivery) -> bool:
        of_subject = self._retrying_of.get(delivery.event.subject, {})
        if delivery not in of_subject:
            return False
        del of_subject[delivery]
        if not of_subject:
            del self._retrying_of[delivery.event.subject]
        return True

    def _supersede(self, newer: OpenEvent) -> None:
        for delivery in list(self._retrying_of.get(newer.subject, ())):
            if supersedes(newer, delivery.event):
                self._leave_retrying(delivery)
                self.superseded.append(delivery)


def _event_of(item: OpenEvent | Delivery) -> OpenEvent:
    return item.event if isinstance(item, Delivery) else item
