"""What became of events lately, and how long it took: for whoever looks at the host.

It is told many at a time, keeps no more than ids, and forgets the oldest.
"""

import time
from collections import deque
from collections.abc import Iterable, Sequence

import trio

from hydra_notify.delivery import Delivery, OpenEvent
from hydra_notify.events import build_of
from hydra_notify.limits import CHRONICLE_ANSWERS, CHRONICLE_FAILURES
from hydra_notify.metrics import Counts, PluginCounts
from hydra_notify.status import Answer


class Chronicle:
    """The latest answers, and the times of all of them.

    Args:
        counts: Of the host.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._since = time.time()
        self._batches: deque[tuple[float, str, str, list[str]]] = deque()
        self._size = 0
        self._failures: deque[tuple[str, Answer]] = deque(maxlen=CHRONICLE_FAILURES)

    @property
    def since(self) -> float:
        """It remembers everything from then on (Unix time)."""
        return self._since

    def seen(self, events: list[str]) -> None:
        """Events were read and are owed from now on; their ids."""
        self._keep("", "seen", events)

    def delivered(
        self, plugin: str, counts: PluginCounts, deliveries: Sequence[Delivery]
    ) -> None:
        """A plugin has done these; they are settled already."""
        now = trio.current_time()
        self._keep(plugin, "delivered", [each.event.id for each in deliveries])
        # What came together has the same times: it is counted together.
        sent = arrived = -1.0
        channel, alike = "", 0
        for delivery in deliveries:
            event = delivery.event
            if (
                event.arrived != arrived
                or delivery.sent != sent
                or event.event.channel != channel
            ):
                if alike:
                    self._count(counts, channel, now, sent, arrived, alike)
                sent, arrived = delivery.sent, event.arrived
                channel, alike = event.event.channel, 0
            alike += 1
            if not event.owing and arrived:
                self._counts.event_time[channel].add(now - arrived)
            if delivery.failing_since is not None:
                counts.recovered[channel] += 1
        if alike:
            self._count(counts, channel, now, sent, arrived, alike)

    def failed(self, plugin: str, delivery: Delivery, what: str, reason: str) -> None:
        """An attempt came to nothing.

        Args:
            plugin: Whose.
            delivery: Of what.
            what: What became of it, for people.
            reason: Why.
        """
        answer = Answer(time.time(), plugin, what, delivery.attempt, reason)
        self._failures.append((delivery.event.id, answer))

    def cleared(self, events: Iterable[OpenEvent]) -> None:
        """Flags of these are about to be forgotten: they were cleared."""
        now, flag_time = time.time(), self._counts.flag_time
        ids: list[str] = []
        for event in events:
            ids.append(event.id)
            for flag in event.flags:
                flag_time.add(max(0.0, now - flag.pending))
        self._keep("", "cleared", ids)

    def of(self, build: int) -> list[tuple[str, Answer]]:
        """What is remembered of a build's own events, with their ids, in order."""
        part = f":{build}"
        found = [
            (id_, Answer(at, plugin, what))
            for at, plugin, what, ids in self._batches
            for id_ in ids
            if part in id_ and build_of(id_) == build
        ]
        found += [each for each in self._failures if build_of(each[0]) == build]
        return sorted(found, key=lambda each: each[1].at)

    def _keep(self, plugin: str, what: str, ids: list[str]) -> None:
        if not ids:
            return
        self._batches.append((time.time(), plugin, what, ids))
        self._size += len(ids)
        while self._size > CHRONICLE_ANSWERS and len(self._batches) > 1:
            self._since, _, _, gone = self._batches.popleft()
            self._size -= len(gone)

    @staticmethod
    def _count(
        counts: PluginCounts,
        channel: str,
        now: float,
        sent: float,
        arrived: float,
        number: int,
    ) -> None:
        counts.runtime[channel].add(now - sent, number)
        if arrived:
            counts.latency.add(now - arrived, number)
