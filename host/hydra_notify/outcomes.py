"""What became of one attempt to deliver an event."""

from dataclasses import dataclass
from typing import Final

import msgspec

from hydra_notify_sdk.wire import ErrorData, RpcError, Verdict, limits, verdict


@dataclass(frozen=True, slots=True)
class Delivered:
    """The plugin is done with the event; `skipped` when it did not concern it."""

    skipped: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """It did not work now.

    Attributes:
        reason: For the log and the status page, with the plugin's own words.
        after: Seconds the plugin asked to wait; None leaves it to the schedule.
        pause: Seconds to send the plugin nothing at all; None for no pause.
        unanswered: Whether the effect is unknown (crash, timeout).
        block: Whether credentials were refused: nothing else would fare better.
    """

    reason: str
    after: float | None = None
    pause: float | None = None
    unanswered: bool = False
    block: bool = False


@dataclass(frozen=True, slots=True)
class Dead:
    """It can never work."""

    reason: str


Outcome = Delivered | Retry | Dead

DELIVERED: Final = Delivered()


def outcome_of(error: RpcError, *, pause_default: float) -> Outcome:
    """What an error reply means; its data wins over its code.

    Args:
        error: As the plugin sent it.
        pause_default: Seconds of pause for a code that asks for one without saying
            how long.
    """
    data = error_data(error)
    reason = f"{error.code} {error.message}".rstrip()
    if data.help:
        reason = f"{reason} ({data.help})"
    meaning = verdict(error.code)
    if data.retryable is False:
        meaning = Verdict.DEAD
    elif data.retryable and meaning is not Verdict.PAUSE:
        meaning = Verdict.RETRY
    after = None
    if data.retry_after_ms is not None:
        # Integers in JSON have no end, and floats have one.
        after = min(data.retry_after_ms, limits.MAX_RETRY_AFTER_MS) / 1000
    match meaning:
        case Verdict.DELIVERED:
            return Delivered(note=reason)
        case Verdict.DEAD:
            return Dead(reason)
        case Verdict.BLOCK:
            return Retry(reason, after=after, block=data.scope != "event")
        case Verdict.RETRY | Verdict.PAUSE:
            whole = meaning is Verdict.PAUSE or data.scope == "plugin"
            if data.scope == "event":
                whole = False
            pause = (pause_default if after is None else after) if whole else None
            return Retry(reason, after=after, pause=pause)


def error_data(error: RpcError) -> ErrorData:
    """The details of an error; those that are not of their form count as none."""
    if not error.data:
        return ErrorData()
    try:
        return msgspec.json.decode(error.data, type=ErrorData)
    except (ValueError, RecursionError):
        return ErrorData()
