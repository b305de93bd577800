"""Deliveries that were sent and not answered, and which of them must fly alone."""

from collections import deque
from collections.abc import Iterable, Iterator

from hydra_notify.delivery.open_event import Delivery
from hydra_notify.limits import SUSPECT_CRASHES


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

    def board(self, ready: deque[Delivery], room: int, now: float) -> list[Delivery]:
        """Send the next of `ready`, at most `room`, as far as they may fly together.

        Args:
            now: Monotonic seconds.
        """
        boarded: list[Delivery] = []
        deliveries = self._deliveries
        for _ in range(0 if self._alone else min(room, len(ready))):
            delivery = ready.popleft()
            suspect = delivery.crashes >= SUSPECT_CRASHES
            if suspect and deliveries:
                ready.appendleft(delivery)
                break
            delivery.attempt += 1
            delivery.sent = now
            deliveries[delivery] = None
            boarded.append(delivery)
            if suspect:
                self._alone = True
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
