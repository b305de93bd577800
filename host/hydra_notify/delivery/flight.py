"""Deliveries that were sent and not answered, and which of them must fly alone."""

from collections import deque
from collections.abc import Iterable, Iterator

from hydra_notify.delivery.lanes import Ready
from hydra_notify.delivery.open_event import Delivery, OpenEvent
from hydra_notify.limits import SUSPECT_CRASHES
from hydra_notify_sdk.wire import Part


class Flight:
    """What one plugin has in flight.

    A delivery that was in flight at `SUSPECT_CRASHES` crashes goes alone: the next
    crash tells whether it was that one.
    """

    def __init__(self) -> None:
        self._deliveries: dict[Delivery, None] = {}
        self._alone = False

    def __len__(self) -> int:
        return len(self._deliveries)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._deliveries)

    def board(
        self, ready: deque[Ready], room: int, parts: frozenset[Part], now: float
    ) -> list[Delivery]:
        """Send the next of `ready`, at most `room`, as far as they may fly together.

        Args:
            ready: In their order.
            room: For how many there is room.
            parts: The heavy parts that the plugin asks for.
            now: Monotonic seconds.
        """
        boarded: list[Delivery] = []
        deliveries = self._deliveries
        for _ in range(0 if self._alone else min(room, len(ready))):
            item = ready.popleft()
            if isinstance(item, OpenEvent):
                delivery = item.send(parts, now)
            else:
                delivery = item
                if delivery.crashes >= SUSPECT_CRASHES:
                    if deliveries:
                        ready.appendleft(delivery)
                        break
                    self._alone = True
                delivery.attempt += 1
                delivery.sent = now
            deliveries[delivery] = None
            boarded.append(delivery)
            if self._alone:
                break
        return boarded

    def land(self, deliveries: Iterable[Delivery]) -> None:
        """These were answered."""
        for delivery in deliveries:
            del self._deliveries[delivery]
        if not self._deliveries:
            self._alone = False

    def crash(self) -> tuple[list[Delivery], list[Delivery]]:
        """The plugin ended with all of them in flight.

        Returns:
            What may be sent again, and what was in flight at one crash too many.
        """
        crashed = list(self._deliveries)
        self._deliveries.clear()
        self._alone = False
        for delivery in crashed:
            delivery.opening = None
            delivery.redelivered = True
            delivery.crashes += 1
        again = [each for each in crashed if each.crashes <= SUSPECT_CRASHES]
        return again, [each for each in crashed if each.crashes > SUSPECT_CRASHES]
