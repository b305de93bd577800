"""What a soak is told, and how long it waits for what."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hydra_notify.demo.simulation.traffic import Mix

RATE: Final = 8.0
"""Builds a second: what the slowest plugin can take, although most of its lives are
short."""

MIX: Final = Mix(large=0.0005)
"""A failure with 900 dependents that nobody was told of becomes 900 events."""

LISTEN_LIMIT: Final = 30.0
"""Seconds for a host to listen when nothing hinders it."""

STALL_LIMIT: Final = 100.0
"""Seconds without progress after which nothing more is waited for: a plugin that has
crashed too often is started again after a minute and a fifth."""

STOP_LIMIT: Final = 60.0
"""Seconds for the host to end at SIGTERM: 40 for its plugins, 5 for its clears."""

GONE_LIMIT: Final = 15.0
"""Seconds for plugins to end when no host is left: one that hangs takes 8."""

LOOK: Final = 1.0
"""Between two looks for what is still missing."""

PROGRESS: Final = 10.0
"""Between two lines on the way."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a soak is told.

    Attributes:
        seconds: Of faults.
        seed: Of the faults and of what the simulated Hydra does.
        ledger: Whether the host gets its ledger.
        directory: An empty one, for the state of plugins and the logs of hosts.
        say: Takes a line about the progress.
    """

    seconds: float
    seed: int
    ledger: bool
    directory: Path
    say: Callable[[str], None]
