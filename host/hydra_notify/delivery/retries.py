"""Deliveries of one plugin that failed, until they are due again or overtaken."""

import heapq
from collections.abc import Iterator
from itertools import count

from hydra_notify.delivery.open_event import Delivery, OpenEvent
from hydra_notify.events import BuildEvent, BuildFinished


def supersedes(newer: OpenEvent, older: OpenEvent) -> bool:
    """Whether `newer`, of the same subject, says all that is left of `older` to say.

    A state on the way (queued, started) is overtaken by any later state; an outcome by
    another outcome of that build alone, and never while it speaks for dependents.

    Not by the same outcome with dependents: they have the flag in common, and the older
    event would clear it before the plugin has been told by the newer one.
    """
    match older.event:
        case BuildEvent():
            return isinstance(newer.event, BuildEvent | BuildFinished)
        case BuildFinished(dependents=()):
            # The id of an event with dependents is that of its outcome, and a suffix.
            same = f"{newer.id}:".startswith(f"{older.id}:")
            return isinstance(newer.event, BuildFinished) and not same
        case _:
            return False


class Retries:
    """Failed deliveries by the time they are due (monotonic seconds).

    One that leaves early stays in the heap until its time, where it is passed over.

    Attributes:
        size: How many there are.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Delivery]] = []
        self._numbers: Iterator[int] = count()
        self._of_subject: dict[str, dict[Delivery, None]] = {}
        self.size = 0

    def __len__(self) -> int:
        return self.size

    @property
    def next_due(self) -> float:
        """When the earliest may be due; infinity if there is none."""
        return self._heap[0][0] if self._heap else float("inf")

    def add(self, delivery: Delivery, due: float) -> None:
        """Hold a delivery until it is due."""
        heapq.heappush(self._heap, (due, next(self._numbers), delivery))
        self._of_subject.setdefault(delivery.event.subject, {})[delivery] = None
        self.size += 1

    def next(self, limit: int) -> list[tuple[float, Delivery]]:
        """Those that are due next, at most `limit`, with their times.

        However many there are, it looks only at the top of the heap.
        """
        found: list[tuple[float, Delivery]] = []
        tops = [(*self._heap[0][:2], 0)] if self._heap else []
        while tops and len(found) < limit:
            due, _, place = heapq.heappop(tops)
            delivery = self._heap[place][2]
            if delivery in self._of_subject.get(delivery.event.subject, ()):
                found.append((due, delivery))
            for below in (2 * place + 1, 2 * place + 2):
                if below < len(self._heap):
                    heapq.heappush(tops, (*self._heap[below][:2], below))
        return found

    def take_due(self, now: float) -> list[Delivery]:
        """Those that are due, in that order."""
        due: list[Delivery] = []
        while self._heap and self._heap[0][0] <= now:
            delivery = heapq.heappop(self._heap)[2]
            if self._discard(delivery):
                due.append(delivery)
        return due

    def take_overtaken(self, newer: OpenEvent) -> list[Delivery]:
        """Those that have nothing to say beside `newer`."""
        overtaken = [
            delivery
            for delivery in self._of_subject.get(newer.subject, ())
            if supersedes(newer, delivery.event)
        ]
        for delivery in overtaken:
            self._discard(delivery)
        return overtaken

    def take(self, delivery: Delivery) -> bool:
        """Take one out; whether it was here."""
        return self._discard(delivery)

    def take_all(self) -> list[tuple[float, Delivery]]:
        """Every one of them with its time, in that order."""
        entries = sorted(self._heap)
        kept = [(due, d) for due, _, d in entries if self._discard(d)]
        self._heap.clear()
        return kept

    def _discard(self, delivery: Delivery) -> bool:
        siblings = self._of_subject.get(delivery.event.subject, {})
        if delivery not in siblings:
            return False
        del siblings[delivery]
        if not siblings:
            del self._of_subject[delivery.event.subject]
        self.size -= 1
        return True
