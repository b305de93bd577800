"""Events that have been announced or found, and not been looked at yet."""

import logging
from collections import deque
from collections.abc import Container, Iterable
from enum import Enum, auto
from itertools import islice
from typing import NamedTuple

from hydra_notify.errors import PayloadError
from hydra_notify.events import BuildFinished, Event, Notification, parse
from hydra_notify.limits import LOAD_BUILDS
from hydra_notify.metrics import Counts

_log = logging.getLogger(__name__)


class Origin(Enum):
    """How an event came to be known."""

    ANNOUNCED = auto()
    """By a notification."""

    RECOVERED = auto()
    """By the first sweep: an earlier host may have delivered it."""

    SWEPT = auto()
    """By its flag."""


class Arrival(NamedTuple):
    """An event that has not been looked at yet.

    Attributes:
        event: What came.
        origin: How.
        at: When it was announced (monotonic seconds); 0.0 if it was not.
    """

    event: Event
    origin: Origin
    at: float


class Inbox:
    """Three lines, by how events came to be known.

    What was announced and what was found are served alike, so that live events do not
    wait behind a large recovery. While no plugin can use more, millions may come: an
    event takes a hundred bytes, and the garbage collector nothing.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._lines: dict[Origin, deque[Event]] = {each: deque() for each in Origin}
        # When those that were announced came: how many at once, and the time.
        self._times: deque[tuple[int, float]] = deque()

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def receive(
        self,
        notifications: Iterable[Notification],
        wanted: Container[str],
        now: float,
    ) -> None:
        """Parse notifications; bad ones are counted, logged and dropped.

        Args:
            notifications: In the order of their arrival.
            wanted: The channels that some plugin wants. Others are dropped here, but
                for `build_finished`, whose flag has to be cleared all the same.
            now: Monotonic seconds.
        """
        line = self._lines[Origin.ANNOUNCED]
        before = len(line)
        for notification in notifications:
            channel = notification.channel
            self._counts.notifications[channel] += 1
            try:
                event = parse(notification)
            except PayloadError as error:
                self._counts.bad_payloads[channel] += 1
                text = notification.payload[:80]
                _log.warning("%s: bad payload %r: %s", channel, text, error)
                continue
            if channel in wanted or isinstance(event, BuildFinished):
                line.append(event)
            else:
                self._counts.uninteresting += 1
        self._came(len(line) - before, now)

    def add(self, events: Iterable[Event], origin: Origin) -> None:
        """Put events in line."""
        line = self._lines[origin]
        before = len(line)
        line.extend(events)
        if origin is Origin.ANNOUNCED:
            self._came(len(line) - before, 0.0)

    def take(self, most: int) -> list[Arrival]:
        """The next events, at most `most`, from what was announced and found alike."""
        found = len(self) - len(self._lines[Origin.ANNOUNCED])
        share = max(most // 2, most - found)
        taken: list[Arrival] = []
        for origin in Origin:
            room = share if origin is Origin.ANNOUNCED else most - len(taken)
            events = _pop(self._lines[origin], room)
            times = (
                self._gone(len(events))
                if origin is Origin.ANNOUNCED
                else [0.0] * len(events)
            )
            taken += (
                Arrival(event, origin, at)
                for event, at in zip(events, times, strict=True)
            )
        return taken

    def put_back(self, taken: list[Arrival]) -> None:
        """Undo `take`."""
        for event, origin, at in reversed(taken):
            self._lines[origin].appendleft(event)
            if origin is Origin.ANNOUNCED:
                self._times.appendleft((1, at))

    def _came(self, number: int, at: float) -> None:
        if number:
            self._times.append((number, at))

    def _gone(self, number: int) -> list[float]:
        """When the first `number` of those that were announced came."""
        times: list[float] = []
        while len(times) < number:
            together, at = self._times.popleft()
            some = min(together, number - len(times))
            times += [at] * some
            if some < together:
                self._times.appendleft((together - some, at))
        return times


def _pop(line: deque[Event], most: int) -> list[Event]:
    """Up to `most` events, or fewer when they speak for many builds."""
    count = builds = 0
    for event in islice(line, most):
        builds += 1 + len(getattr(event, "dependents", ()))
        if count and builds > LOAD_BUILDS:
            break
        count += 1
    return [line.popleft() for _ in range(count)]
