"""How a plugin's process ended, and what that means for its next start."""

from dataclasses import dataclass
from typing import Final

from hydra_notify import process

_FINAL: Final = (process.EXIT_CONFIG, process.EXIT_NO_PERMISSION)
"""Exits after which starting it again is useless until something changes."""


@dataclass(frozen=True, slots=True)
class End:
    """The end of one life.

    Attributes:
        cause: One word: `stopped`, `refused`, `crash`, `hang`, `protocol`, ...
        reason: For people.
        final: Whether another start is useless until something is mended.
        ready_for: Seconds it was ready.
    """

    cause: str
    reason: str
    final: bool = False
    ready_for: float = 0.0


def end_by_itself(status: int, last_words: str, ready_for: float) -> End:
    """The end of a process that nobody had asked to end.

    Args:
        status: As of `wait_end`.
        last_words: The end of its stderr.
        ready_for: Seconds it was ready.
    """
    reason = process.exit_reason(status)
    if status == 0:
        reason = "it ended by itself: a plugin runs until its stdin ends"
    if last_words:
        reason = f"{reason}; stderr: {last_words}"
    return End("crash", reason, status in _FINAL, ready_for)
