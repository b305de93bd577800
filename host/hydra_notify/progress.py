"""Whether the host gets on with its work, or stands where only a restart helps.

A database that is away, a privilege that is missing and a plugin in trouble are no such
things: they are waited for, and each wait is bounded. So what is counted here grows as
long as the host is alive, whatever the world does.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from hydra_notify.limits import LOOK_GAP, STEP_STALL, THREADS_STALL, WORK_STALL
from hydra_notify.metrics import Counts, PluginState, Role

_LIMITS: Final[Mapping[str, float]] = {
    "the connection that listens": STEP_STALL,
    "reading builds": WORK_STALL,
    "clearing flags": WORK_STALL,
    "the ledger": WORK_STALL,
    "every worker thread": THREADS_STALL,
}
"""Seconds that each part of the host can stand still, by what people call it."""


class Working(NamedTuple):
    """Which tasks have something to do with the database.

    Attributes:
        reading: Whether builds are being read.
        clearing: Whether there are flags to clear.
        recording: Whether the ledger is to be written, or is being taken up.
    """

    reading: bool = False
    clearing: bool = False
    recording: bool = False


class Signs(NamedTuple):
    """What is seen of the host at one moment.

    Attributes:
        counts: What each part has done so far, failures too.
        idle: Which of them have nothing to do; the listener never.
    """

    counts: tuple[int, ...]
    idle: tuple[bool, ...]


def signs(counts: Counts, working: Working, *, threads: bool) -> Signs:
    """What is to be seen, in the order of the limits.

    Args:
        counts: Of the host.
        working: What it has to do.
        threads: Whether a thread is free for statements and new processes.
    """
    failed = counts.database_errors
    return Signs(
        (
            counts.steps,
            counts.load_batches + failed,
            counts.clear_batches + failed,
            counts.ledger_batches + counts.recovered + failed,
            0,
        ),
        (False, *(not each for each in working), threads),
    )


class Progress:
    """How long each part of the host has stood still.

    Args:
        now: Seconds, of a clock that only goes forward.
    """

    def __init__(self, now: float) -> None:
        self._looked = now
        self._before: tuple[int, ...] = tuple(-1 for _ in _LIMITS)
        self._still: tuple[float, ...] = tuple(0.0 for _ in _LIMITS)

    def stuck(self, seen: Signs, now: float) -> str:
        """What stands still for longer than it can take; empty if all goes on.

        Args:
            seen: What is to be seen now.
            now: Of the same clock as ever.
        """
        # Nobody looked while the machine slept or this process was stopped: nothing
        # could move then.
        passed = min(now - self._looked, LOOK_GAP)
        before, self._before, self._looked = self._before, seen.counts, now
        moved = (a != b for a, b in zip(before, seen.counts, strict=True))
        self._still = tuple(
            0.0 if moves or idle else still + passed
            for still, moves, idle in zip(self._still, moved, seen.idle, strict=True)
        )
        return " and ".join(
            part
            for (part, limit), still in zip(_LIMITS.items(), self._still, strict=True)
            if still > limit
        )


def status(counts: Counts) -> str:
    """What the host does, in one line for people."""
    if counts.polling:
        return f"active, LISTEN does not work; {_plugins(counts)}"
    link = "" if counts.listening else ", no connection to Postgres: trying again"
    match counts.role:
        case Role.STARTING:
            return "waiting for Hydra's database"
        case Role.STANDBY:
            return f"standby{link or ': another host is active'}"
        case Role.ACTIVE:
            return f"active{link}; {_plugins(counts)}"


def _plugins(counts: Counts) -> str:
    states = {
        name: each.state
        for name, each in counts.plugins.items()
        if each.state is not PluginState.STOPPED
    }
    up = [name for name, state in states.items() if state is PluginState.READY]
    down = [f"{name} ({states[name]})" for name in states if name not in up]
    said = f"{len(up)} of {len(states)} plugins ready"
    return f"{said}, not {', '.join(down)}" if down else said
