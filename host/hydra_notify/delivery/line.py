"""Deliveries of one plugin that wait to be read: where a backlog is."""

from collections import deque
from collections.abc import Callable, Iterable
from itertools import compress
from operator import not_

from hydra_notify.delivery.open_event import Delivery, OpenEvent
from hydra_notify.delivery.parked import Parked
from hydra_notify_sdk.wire import Part

Waiting = OpenEvent | Delivery | int
"""A delivery that was sent before; else its event, by its number if that has one."""


class Line:
    """What has its turn one after the other.

    Args:
        parked: Has what is known of events by their number.

    Attributes:
        items: All that waits, in its order.
    """

    def __init__(self, parked: Parked) -> None:
        self._parked = parked
        self.items: deque[Waiting] = deque()

    def __len__(self) -> int:
        return len(self.items)

    def add(self, item: OpenEvent | Delivery) -> None:
        """Put an event, or a delivery of it that was sent before, last."""
        if not isinstance(item, Delivery):
            self.items.append(self._parked.place(item))
        else:
            self.items.append(item)

    def add_first(self, deliveries: list[Delivery]) -> None:
        """Put deliveries before all others, in their order."""
        self.items.extendleft(reversed(deliveries))

    def first(self) -> OpenEvent | Delivery | None:
        """What is first; None if there is nothing, or it is parked."""
        item = self.items[0] if self.items else None
        return self._parked.at_hand(item) if isinstance(item, int) else item

    def pop(self) -> None:
        """The first one has had its turn."""
        self.items.popleft()

    def unread(self, parts: frozenset[Part] | None, limit: int) -> list[OpenEvent]:
        """The next events, at most `limit`, that have no payload with `parts`."""
        events: list[OpenEvent] = []
        for item in self.items:
            if len(events) >= limit:
                break
            event = self._event_of(item)
            if event.payload(parts) is None:
                events.append(event)
        return events

    def drop(self, event: OpenEvent) -> bool:
        """Take the delivery of `event` out; whether there was one."""
        for index, item in enumerate(self.items):
            # Millions may be in line: none is woken for this.
            number = isinstance(item, int)
            if item == event.number if number else self._event_of(item) is event:
                del self.items[index]
                return True
        return False

    def sift(
        self, unwanted: Callable[[str], bool], first: Iterable[OpenEvent | Delivery]
    ) -> list[OpenEvent]:
        """Take out what is of unwanted channels, of these that come `first`, too."""
        items = [*map(self._put_back, first), *self.items]
        drops = [unwanted(_channel_of(item)) for item in items]
        self.items = deque(compress(items, map(not_, drops)))
        return [self._event_of(item) for item in compress(items, drops)]

    def take_all(self) -> list[OpenEvent]:
        """Take everything out."""
        events = [self._event_of(item) for item in self.items]
        self.items.clear()
        return events

    def _put_back(self, item: OpenEvent | Delivery) -> Waiting:
        # An event may be parked only if no line has more of it than its number.
        if isinstance(item, Delivery):
            if not item.untouched:
                return item
            item = item.event
        return self._parked.place(item)

    def _event_of(self, item: Waiting) -> OpenEvent:
        if isinstance(item, int):
            return self._parked.wake(item)
        return item.event if isinstance(item, Delivery) else item


def _channel_of(item: Waiting) -> str:
    if isinstance(item, int):
        # Only they have numbers.
        return "build_finished"
    return item.channel if isinstance(item, Delivery) else item.event.channel
