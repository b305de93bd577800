"""How often a listener does what it does."""

from dataclasses import dataclass

from hydra_notify.limits import (
    ACTIVE_SILENCE,
    POLL_INTERVAL,
    RELISTEN_INTERVAL,
    SELF_PING_DEADLINE,
    SELF_PING_INTERVAL,
    STANDBY_RETRY,
)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds, as `limits` explains them; tests are in more of a hurry."""

    ping: float = SELF_PING_INTERVAL
    deadline: float = SELF_PING_DEADLINE
    retry: float = STANDBY_RETRY
    silence: float = ACTIVE_SILENCE
    poll: float = POLL_INTERVAL
    relisten: float = RELISTEN_INTERVAL
