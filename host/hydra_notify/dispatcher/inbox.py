"""Events that have been announced or found, and not been looked at yet."""

import logging
from collections import deque
from collections.abc import Container, Iterable
from enum import Enum, auto
from itertools import islice

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


class Inbox:
    """Two lines: what was announced, and what was found.

    They are served alike, so that live events do not wait behind a large recovery.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._announced: deque[tuple[Event, Origin]] = deque()
        self._found: deque[tuple[Event, Origin]] = deque()

    def __len__(self) -> int:
        return len(self._announced) + len(self._found)

    def receive(
        self, notifications: Iterable[Notification], wanted: Container[str]
    ) -> None:
        """Parse notifications; bad ones are counted, logged and dropped.

        Args:
            notifications: In the order of their arrival.
            wanted: The channels that some plugin wants. Others are dropped here, but
                for `build_finished`, whose flag has to be cleared all the same.
        """
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
                self._announced.append((event, Origin.ANNOUNCED))
            else:
                self._counts.uninteresting += 1

    def add(self, events: Iterable[Event], origin: Origin) -> None:
        """Put events in line."""
        line = self._announced if origin is Origin.ANNOUNCED else self._found
        line.extend((event, origin) for event in events)

    def take(self, most: int) -> list[tuple[Event, Origin]]:
        """The next events, at most `most`, from both lines alike."""
        share = max(most // 2, most - len(self._found))
        taken = _pop(self._announced, share)
        return taken + _pop(self._found, most - len(taken))

    def put_back(self, events: list[tuple[Event, Origin]]) -> None:
        """Undo `take`."""
        for item in reversed(events):
            found = item[1] is not Origin.ANNOUNCED
            (self._found if found else self._announced).appendleft(item)


def _pop(line: deque[tuple[Event, Origin]], most: int) -> list[tuple[Event, Origin]]:
    """Up to `most` events, or fewer when they speak for many builds."""
    count = builds = 0
    for event, _ in islice(line, most):
        builds += 1 + len(getattr(event, "dependents", ()))
        if count and builds > LOAD_BUILDS:
            break
        count += 1
    return [line.popleft() for _ in range(count)]
