"""What one plugin still owes an answer to, and in which order it gets it.

    waiting --admit--> lanes --take--> in flight --answer--> settled
       ^                                   |
       +--- due --- retries <--------------+ (failed, not overtaken)

`waiting` holds numbers of builds where it can (see `parked`); in its lane a delivery
holds its payload, bounded by READY_BYTES. A retry leaves its lane, so that a failing
delivery does not hold up newer ones; it is dropped as superseded when a newer event of
its build says all that it said.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import Enum

from hydra_notify.backoff import retry_delay
from hydra_notify.delivery.block import Block
from hydra_notify.delivery.flight import Flight
from hydra_notify.delivery.lanes import Lanes, Ready, event_of
from hydra_notify.delivery.line import Line
from hydra_notify.delivery.open_event import Delivery, OpenEvent
from hydra_notify.delivery.parked import Parked
from hydra_notify.delivery.retries import Retries, supersedes
from hydra_notify.limits import GIVE_UP_AFTER, READY_BYTES
from hydra_notify.outcomes import Dead, Delivered, Outcome, Retry
from hydra_notify_sdk.wire import Part


class Fate(Enum):
    """What an answer made of a delivery."""

    SETTLED = "settled"
    RETRYING = "to be tried again"
    DEAD = "given up"
    SUPERSEDED = "superseded"


class Queue:
    """The deliveries of one plugin.

    Args:
        parked: What is known of events by their number.
        parts: The heavy parts it asks for; None until it has said.
        give_up_after: Seconds after its first failure at which a failing delivery is
            given up.

    Attributes:
        paused_until: Monotonic seconds before which nothing is sent.
        block: Whether the plugin's credentials are refused.
        superseded: Deliveries dropped since a newer event said all they said; whoever
            reads them settles them and empties the list.
    """

    def __init__(
        self,
        parked: Parked,
        *,
        parts: frozenset[Part] | None = None,
        give_up_after: float = GIVE_UP_AFTER,
    ) -> None:
        self.parts = parts
        self.give_up_after = give_up_after
        self.paused_until = 0.0
        self.block = Block()
        self.superseded: list[Delivery] = []
        self._waiting = Line(parked)
        self._lanes = Lanes()
        self._flight = Flight()
        self._retries = Retries()
        self._bytes = 0

    def __len__(self) -> int:
        """Deliveries not settled, those in flight and retrying included."""
        held = len(self._waiting) + len(self._lanes)
        return held + len(self._flight) + len(self._retries)

    @property
    def sendable(self) -> int:
        """Deliveries that wait for nothing but their turn; none of a blocked plugin."""
        return 0 if self.block.on else len(self._waiting) + len(self._lanes)

    @property
    def ordered(self) -> bool:
        """Whether events of one subject go one at a time."""
        return self._lanes.ordered

    @property
    def waiting(self) -> int:
        """Deliveries kept as ids: beyond what may be ready, or to be read again."""
        return len(self._waiting)

    @property
    def in_flight(self) -> int:
        """Deliveries sent and not answered."""
        return len(self._flight)

    @property
    def retrying(self) -> int:
        """Deliveries that failed and wait for their next attempt."""
        return len(self._retries)

    @property
    def flying(self) -> Iterable[Delivery]:
        """Those that were sent and not answered, the oldest first."""
        return self._flight

    def next_retries(self, limit: int) -> list[tuple[float, Delivery]]:
        """The retries that are due next, at most `limit`, with their times."""
        return self._retries.next(limit)

    @property
    def next_due(self) -> float:
        """When (monotonic seconds) the earliest retry is due; infinity if none is."""
        return self._retries.next_due

    @property
    def held_until(self) -> float:
        """Monotonic seconds before which nothing is sent: a pause, or a block."""
        return max(self.paused_until, self.block.until)

    @property
    def hungry(self) -> bool:
        """Whether it is time to read more for it: half of its room is free."""
        return self.parts is not None and self._bytes * 2 <= READY_BYTES

    @property
    def has_room(self) -> bool:
        """Whether one more payload could be made ready."""
        return self.parts is not None and self._bytes <= READY_BYTES

    def add(self, event: OpenEvent, payload: bytes | None = None) -> None:
        """Put `event` in line; it is owed to the plugin.

        Args:
            event: What is owed.
            payload: As encoded for the plugin's parts, if the caller has it in hand.
        """
        if payload is None:
            payload = event.payload(self.parts)
        if payload is None or self._bytes > READY_BYTES or self._waiting.items:
            self._waiting.add(event)
        else:
            self._admit(event, event, payload)

    def restore(self, delivery: Delivery, now: float) -> None:
        """Take up a delivery as an earlier host has left it."""
        if delivery.due > now:
            self._retries.add(delivery, delivery.due)
        else:
            self._waiting.add(delivery)

    def advance(self, now: float) -> None:
        """Let due retries in, then make ready what can be, in order."""
        if self._retries.size:
            # Ahead of what is only ids: they have waited longest.
            self._waiting.add_first(self._retries.take_due(now))
        while self._waiting.items and self.has_room:
            first = self._waiting.first()
            if first is None:
                break
            event = event_of(first)
            payload = event.payload(self.parts)
            if payload is None:
                break
            if isinstance(first, Delivery):
                first.payload = payload
            self._admit(first, event, payload)
            self._waiting.pop()

    def unread(self, limit: int) -> list[OpenEvent]:
        """The next events, at most `limit`, whose payload has to be read again."""
        return self._waiting.unread(self.parts, limit) if self.hungry else []

    def take(self, room: int, now: float) -> list[Delivery]:
        """At most `room` deliveries to send now; they are in flight from here on."""
        if now < self.held_until or self.parts is None:
            return []
        if self.block.on:
            room = min(room, 1 - len(self._flight))
        return self._flight.board(self._lanes.ready, room, self.parts, now)

    def delivered(self, deliveries: Sequence[Delivery]) -> list[OpenEvent]:
        """The plugin is done with these, which were in flight; their events."""
        self._flight.land(deliveries)
        self._bytes -= sum([len(delivery.payload) for delivery in deliveries])
        events = [delivery.event for delivery in deliveries]
        self._lanes.release_all(events)
        for event in events:
            event.pins -= 1
            if not event.pins:
                event.payloads = None
        self.block.lift()
        return events

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
        self._flight.land([delivery])
        delivery.opening = None
        self._unload(delivery)
        later = self._lanes.release(delivery)
        match outcome:
            case Delivered():
                self.block.lift()
                return Fate.SETTLED
            case Dead():
                self.block.lift()
                delivery.reason = outcome.reason
                return Fate.DEAD
            case Retry():
                delivery.reason = outcome.reason
                if delivery.failing_since is None:
                    delivery.failing_since = now
                delivery.redelivered = delivery.redelivered or outcome.unanswered
                if outcome.pause is not None:
                    self.paused_until = max(self.paused_until, now + outcome.pause)
                if any(supersedes(each, delivery.event) for each in later):
                    return Fate.SUPERSEDED
                if outcome.block:
                    self.block.refused(now, outcome.after)
                    # It has its turn again before the others, whenever that is.
                    self._waiting.add_first([delivery])
                    return Fate.RETRYING
                self.block.failed(now)
                if now >= delivery.failing_since + self.give_up_after:
                    return Fate.DEAD
                delay = outcome.after
                if delay is None:
                    delay = retry_delay(delivery.attempt, chance)
                delivery.due = now + delay
                self._retries.add(delivery, delivery.due)
                return Fate.RETRYING

    def late(self, delivery: Delivery) -> bool:
        """The plugin has done a delivery after all, past its deadline.

        One that still waits for its retry needs none. One that is due or in flight
        again stays: the answer to that sending decides, and its effect is repeated.

        Returns:
            Whether the delivery is to be settled.
        """
        return self._retries.take(delivery)

    def crash(self) -> tuple[list[Delivery], list[Delivery]]:
        """The plugin ended: what was in flight comes first again, as unanswered.

        Returns:
            What comes again, and deliveries that were in flight at one crash too many:
            to be given up.
        """
        # The next process may be given other credentials.
        self.block.probe_now()
        again, poisonous = self._flight.crash()
        self._lanes.ready.extendleft(reversed(again))
        for delivery in poisonous:
            self._unload(delivery)
            self._lanes.release(delivery)
        return again, poisonous

    def reconsider(
        self,
        unwanted: Callable[[str], bool],
        parts: frozenset[Part],
        *,
        ordered: bool,
    ) -> list[OpenEvent]:
        """The plugin has said what it wants: drop what is unwanted and not in flight.

        What was ready goes back to waiting, since it was encoded for other parts.

        Args:
            unwanted: Whether it does not want the events of a channel.
            parts: The heavy parts it asks for.
            ordered: Whether events of one subject go one at a time.

        Returns:
            The events that were dropped, to be settled.
        """
        ready = self._lanes.empty(list(self._flight), ordered=ordered)
        for item in ready:
            self._unload(item)
        self.parts = parts
        dropped = self._waiting.sift(unwanted, ready)
        for due, delivery in self._retries.take_all():
            if unwanted(delivery.channel):
                dropped.append(delivery.event)
            else:
                self._retries.add(delivery, due)
        return dropped

    def drop(self, event: OpenEvent) -> bool:
        """Drop the delivery of `event` if it waits to be read; whether it did."""
        return self._waiting.drop(event)

    def abandon(self) -> list[OpenEvent]:
        """Forget everything that is not in flight; the events it was about."""
        taken = self._lanes.empty([], ordered=self._lanes.ordered)
        for item in taken:
            self._unload(item)
        retrying = [delivery for _, delivery in self._retries.take_all()]
        waiting = self._waiting.take_all()
        return [*map(event_of, taken), *waiting, *(d.event for d in retrying)]

    def _admit(self, item: Ready, event: OpenEvent, payload: bytes) -> None:
        """Make what is owed of `event`, with this payload, ready for its turn."""
        event.pins += 1
        self._bytes += len(payload)
        if self._retries.size:
            self.superseded += self._retries.take_overtaken(event)
        self._lanes.add(item, event.subject)

    def _unload(self, item: Ready) -> None:
        if isinstance(item, Delivery):
            self._bytes -= len(item.payload)
            item.payload = b""
        else:
            self._bytes -= len(item.payload(self.parts) or b"")
        event_of(item).unpin()
