"""When to try again: a delivery, a crashed plugin, a lost database.

Nothing here reads a clock or rolls dice: callers pass `now` (seconds, monotonic) and
`chance` (a number in [0, 1)).
"""

from dataclasses import dataclass
from typing import Self

from hydra_notify.limits import (
    FLAPPING_CRASHES,
    FLAPPING_IN_A_ROW,
    FLAPPING_PERIOD,
    RECONNECT_BASE,
    RECONNECT_CAP,
    RESTART_BASE,
    RESTART_CAP,
    RESTART_JITTER,
    RESTART_RESET,
    RETRY_CAP_EXPONENT,
    RETRY_JITTER,
)


def retry_delay(attempt: int, chance: float) -> float:
    """Seconds to wait after failed attempt number `attempt`, counted from 1."""
    return _spread(2.0 ** min(attempt, RETRY_CAP_EXPONENT), RETRY_JITTER, chance)


def reconnect_delay(failures: int, chance: float) -> float:
    """Seconds to wait after `failures` attempts in a row to reach Postgres.

    Full jitter above the base: many clients come back together after an outage.
    """
    longest = min(RECONNECT_CAP, RECONNECT_BASE * 2.0 ** min(failures, 16))
    return RECONNECT_BASE + chance * (longest - RECONNECT_BASE)


def worth_saying(failures: int) -> bool:
    """Whether to log failure number `failures` in a row: the first, second, fourth, ...

    An outage of an hour should not bury what happened before it.
    """
    return failures & (failures - 1) == 0


def _spread(delay: float, jitter: float, chance: float) -> float:
    return delay * (1 + jitter * (2 * chance - 1))


@dataclass(frozen=True, slots=True)
class CrashHistory:
    """The crashes of one plugin that still count.

    Attributes:
        in_a_row: Crashes since it was last ready for `RESTART_RESET`.
        times: When the latest ones were, newest first, within `FLAPPING_PERIOD`.
        flapping: Whether it crashes too often to be worth more than a probe now and
            then; until it has been ready for `RESTART_RESET`.
    """

    in_a_row: int = 0
    times: tuple[float, ...] = ()
    flapping: bool = False

    def add(self, now: float, *, ready_for: float) -> Self:
        """This history and one more crash, after `ready_for` seconds of being ready."""
        if ready_for >= RESTART_RESET:
            return type(self)(1, (now,))
        recent = (now, *(t for t in self.times if t > now - FLAPPING_PERIOD))
        in_a_row = self.in_a_row + 1
        often = len(recent) > FLAPPING_CRASHES or in_a_row >= FLAPPING_IN_A_ROW
        return type(self)(in_a_row, recent, self.flapping or often)

    def restart_delay(self, chance: float) -> float:
        """Seconds until it should be started again."""
        if self.flapping:
            return _spread(RESTART_CAP, RESTART_JITTER, chance)
        delay = RESTART_BASE * 2.0 ** min(self.in_a_row - 1, 16)
        return _spread(min(RESTART_CAP, delay), RESTART_JITTER, chance)
