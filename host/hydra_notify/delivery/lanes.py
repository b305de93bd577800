"""Deliveries that could be sent, in order: one of a subject at a time, oldest first."""

from collections import deque
from collections.abc import Iterable, Sequence

from hydra_notify.delivery.open_event import Delivery, OpenEvent

Ready = OpenEvent | Delivery
"""A delivery that was sent before; else its event."""


class Lanes:
    """What is ready, and behind it what waits for an earlier one of its subject.

    A subject is busy from `add` to `release`: its delivery is ready or in flight.

    Attributes:
        ready: Those whose turn it is.
        ordered: Whether subjects matter at all.
    """

    def __init__(self, *, ordered: bool = True) -> None:
        self.ready: deque[Ready] = deque()
        self.ordered = ordered
        # None until something waits behind the delivery of a subject: nearly always.
        self._behind: dict[str, deque[Ready] | None] = {}
        self._size = 0

    def __len__(self) -> int:
        """Deliveries that are ready or wait for their subject."""
        return len(self.ready) + self._size

    def add(self, item: Ready, subject: str) -> None:
        """Let a delivery in, behind the others of its subject."""
        if self.ordered:
            if subject in self._behind:
                behind = self._behind[subject]
                if behind is None:
                    behind = self._behind[subject] = deque()
                behind.append(item)
                self._size += 1
                return
            self._behind[subject] = None
        self.ready.append(item)

    def release(self, delivery: Delivery) -> Sequence[OpenEvent]:
        """A delivery in flight is over: the next of its subject is ready.

        Returns:
            The events that were behind it, oldest first.
        """
        behind = self._behind.pop(delivery.event.subject, None)
        if not behind:
            return ()
        return self._next(delivery.event.subject, behind)

    def release_all(self, events: Iterable[OpenEvent]) -> None:
        """As `release`, for the deliveries of many events."""
        lanes = self._behind
        for event in events:
            behind = lanes.pop(event.subject, None)
            if behind:
                self._next(event.subject, behind)

    def _next(self, subject: str, behind: deque[Ready]) -> Sequence[OpenEvent]:
        later = list(map(event_of, behind))
        self.ready.append(behind.popleft())
        self._size -= 1
        self._behind[subject] = behind
        return later

    def empty(self, busy: list[Delivery], *, ordered: bool) -> list[Ready]:
        """Take everything out.

        Args:
            busy: What is in flight: its subjects stay busy.
            ordered: Whether subjects matter from now on.
        """
        later = (behind for behind in self._behind.values() if behind)
        taken = [*self.ready, *(item for behind in later for item in behind)]
        self.ready.clear()
        self._behind.clear()
        self._size = 0
        self.ordered = ordered
        if ordered:
            self._behind.update((d.event.subject, None) for d in busy)
        return taken


def event_of(item: Ready) -> OpenEvent:
    """The event that is owed."""
    return item.event if isinstance(item, Delivery) else item
