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
    """Three lines, by how events came to be known.

    What was announced and what was found are served alike, so that live events do not
    wait behind a large recovery. While no plugin can use more, millions may come: an
    event takes a hundred bytes, and the garbage collector nothing.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._lines: dict[Origin, deque[Event]] = {each: deque() for each in Origin}

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def receive(
        self, notifications: Iterable[Notification], wanted: Container[str]
    ) -> None:
        """Parse notifications; bad ones are counted, logged and dropped.

        Args:
            notifications: In the order of their arrival.
            wanted: The channels that some plugin wants. Others are dropped here, but
                for `build_finished`, whose flag has to be cleared all the same.
        """
        line = self._lines[Origin.ANNOUNCED]
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

    def add(self, events: Iterable[Event], origin: Origin) -> None:
        """Put events in line."""
        self._lines[origin].extend(events)

    def take(self, most: int) -> list[tuple[Event, Origin]]:
        """The next events, at most `most`, from what was announced and found alike."""
        found = len(self) - len(self._lines[Origin.ANNOUNCED])
        share = max(most // 2, most - found)
        taken: list[tuple[Event, Origin]] = []
        for origin in Origin:
            room = share if origin is Origin.ANNOUNCED else most - len(taken)
            taken += ((event, origin) for event in _pop(self._lines[origin], room))
        return taken

    def put_back(self, events: list[tuple[Event, Origin]]) -> None:
        """Undo `take`."""
        for event, origin in reversed(events):
            self._lines[origin].appendleft(event)


def _pop(line: deque[Event], most: int) -> list[Event]:
    """Up to `most` events, or fewer when they speak for many builds."""
    count = builds = 0
    for event in islice(line, most):
        builds += 1 + len(getattr(event, "dependents", ()))
        if count and builds > LOAD_BUILDS:
            break
        count += 1
    return [line.popleft() for _ in range(count)]
