"""What the audience sees: the figures of a show while it goes on."""

import logging
import time
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from hydra_notify.logs import words
from hydra_notify.metrics import Counts, PluginCounts

LOG_LINES: Final = 1_000
"""Kept of the log until they are shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the host's log.

    Attributes:
        clock: `HH:MM:SS`.
        level: As logging counts them.
        text: Of printable characters, whatever a plugin has written.
    """

    clock: str
    level: int
    text: str

    @property
    def level_name(self) -> str:
        """What its level is called."""
        return logging.getLevelName(self.level)


@dataclass(slots=True)
class Scene:
    """A show under way. The host's own counts: the verdict does not use them.

    Attributes:
        seconds: How long builds go on.
        channels: What each plugin gets.
        counts: Kept by the host.
        page: The address of the status page.
        phase: What happens now, in a few words.
        began: When builds began (monotonic seconds), or None.
        pending: Pending flags in the database, or None before they are first counted.
        log: The latest lines.
    """

    seconds: float
    channels: Mapping[str, frozenset[str]]
    counts: Counts
    page: str = ""
    phase: str = "the host starts"
    began: float | None = None
    pending: int | None = None
    log: deque[Line] = field(default_factory=lambda: deque(maxlen=LOG_LINES))

    @property
    def elapsed(self) -> float:
        """Seconds since builds began."""
        return 0.0 if self.began is None else time.monotonic() - self.began

    def plugin(self, name: str) -> PluginCounts:
        """What the host counts of one plugin."""
        return self.counts.plugin(name)

    def open(self, name: str) -> int:
        """Deliveries that a plugin has not answered for good, so far."""
        counts, events = self.counts.plugin(name), self.counts.events
        owed = sum(events[channel] for channel in self.channels[name])
        done = counts.delivered + counts.superseded + counts.dead + counts.not_kept
        return max(0, owed - done)


@contextmanager
def captured_log(scene: Scene) -> Generator[None]:
    """Send the log to the scene, and nowhere else, until the end of the block."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = [_Handler(scene.log)]
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


class _Handler(logging.Handler):
    def __init__(self, lines: deque[Line]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        self._lines.append(Line(clock, record.levelno, printable(words(record))))


def printable(text: str) -> str:
    """`text` with nothing in it that a terminal would obey."""
    return "".join(c if c.isprintable() else "·" for c in text)
