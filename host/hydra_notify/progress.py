"""Whether the host gets on with its work, or stands where only a restart helps.

A database that is away, a privilege that is missing and a plugin in trouble are no such
things: they are waited for, and each wait is bounded. So what is counted here grows as
long as the host is alive, whatever the world does.
"""

from dataclasses import dataclass
from typing import Final

from hydra_notify.limits import LOOK_GAP, STEP_STALL, THREADS_STALL, WORK_STALL
from hydra_notify.metrics import Counts, PluginState, Role


@dataclass(frozen=True, slots=True)
class Signs:
    """What is seen of the host at one moment.

    Attributes:
        steps: Of finding the database and of listening to it.
        working: Whether builds are being read or flags cleared.
        batches: Of work that were done, or have failed.
        threads: Whether a thread is free for statements and new processes.
    """

    steps: int
    working: bool
    batches: int
    threads: bool


def signs(counts: Counts, *, working: bool, threads: bool) -> Signs:
    """What is to be seen in the host's counts."""
    batches = counts.load_batches + counts.clear_batches + counts.database_errors
    return Signs(counts.steps, working, batches, threads)


class Progress:
    """How long each part of the host has stood still.

    Args:
        now: Seconds, of a clock that only goes forward.
    """

    def __init__(self, now: float) -> None:
        self._looked = now
        self._before = Signs(steps=-1, working=False, batches=-1, threads=True)
        self._still: dict[str, float] = dict.fromkeys(_LIMITS, 0.0)

    def stuck(self, seen: Signs, now: float) -> str:
        """What stands still for longer than it can take; empty if all goes on.

        Args:
            seen: What is to be seen now.
            now: Of the same clock as ever.
        """
        # Nobody looked while the machine slept or this process was stopped: nothing
        # could move then.
        passed = min(now - self._looked, LOOK_GAP)
        before, self._before, self._looked = self._before, seen, now
        moves = {
            _LISTENER: seen.steps != before.steps,
            _WORK: not seen.working or seen.batches != before.batches,
            _THREADS: seen.threads,
        }
        for part, moved in moves.items():
            self._still[part] = 0.0 if moved else self._still[part] + passed
        stuck = [part for part, limit in _LIMITS.items() if self._still[part] > limit]
        return " and ".join(stuck)


_LISTENER: Final = "the connection that listens"
_WORK: Final = "reading builds and clearing flags"
_THREADS: Final = "every worker thread"

_LIMITS: Final = {_LISTENER: STEP_STALL, _WORK: WORK_STALL, _THREADS: THREADS_STALL}


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
