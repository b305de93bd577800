"""What came of an event that was sent to a plugin."""

from dataclasses import dataclass, field, replace

import msgspec

from hydra_notify_sdk.events import AnyData
from hydra_notify_sdk.testing.sample import Sample
from hydra_notify_sdk.wire import (
    ErrorData,
    EventResult,
    PluginFrame,
    RpcError,
    Verdict,
    verdict,
)


class DeliveryFailed(AssertionError):
    """The plugin has not delivered an event, and a test wanted it to."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a handler said of its work; `percent` is 0 to 100."""

    message: str
    percent: float | None


@dataclass(frozen=True, slots=True)
class LogLine:
    """What a handler logged: one line, and the `extra` it was logged with."""

    level: str
    message: str
    fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Outcome:
    """What a plugin made of one event.

    Attributes:
        event_id: Of the event.
        verdict: What a host makes of the answer: delivered (or skipped), to be tried
            again, given up, or more than this event is held back.
        skipped: The note of `Skipped`; None if it was not.
        code: Of the failure, such as 429; None if there is none.
        message: Of the failure; "" if there is none.
        fix: What the operator can do about it.
        retry_after: Seconds the plugin asks to be left alone with this event.
        progress: What it reported on the way.
        log: What its handler logged, by whatever logger, from level `info`.
        exception: What its handler raised.
    """

    event_id: str
    verdict: Verdict
    skipped: str | None = None
    code: int | None = None
    message: str = ""
    fix: str = ""
    retry_after: float | None = None
    progress: list[Progress]
    log: list[LogLine]
    exception: BaseException | None

    @property
    def delivered(self) -> bool:
        """Whether it is done: neither skipped nor failed.

        A failure that says it was done already (409) counts.
        """
        return self.verdict is Verdict.DELIVERED and self.skipped is None

    def raise_for_failure(self) -> None:
        """Does nothing if the event is delivered or skipped.

        Raises:
            DeliveryFailed: With the plugin's words; the exception of its handler, with
                its traceback, is the cause.
        """
        if self.verdict is not Verdict.DELIVERED:
            raise DeliveryFailed(f"{self!r}") from self.exception

    def __repr__(self) -> str:
        match self:
            case Outcome(code=int(code)):
                fix = f" ({self.fix})" if self.fix else ""
                words = f"{self.verdict.value}, {code} {self.message}{fix}"
            case Outcome(skipped=str(note)):
                words = f"skipped, {note}"
            case _:
                words = "delivered"
        return f"<Outcome of {self.event_id}: {words}>"


@dataclass(eq=False, slots=True)
class Sending:
    """One event on its way, and what has been heard of it.

    Attributes:
        cancel_after: Reports of progress after which the host stops waiting.
        reply: None as long as there is none.
        exception: What the handler raised.
        leaving: Set when the handler has ended the plugin.
    """

    event: Sample[AnyData]
    attempt: int = 1
    redelivered: bool = False
    cancel_after: int | None = None
    progress: list[Progress] = field(default_factory=list)
    log: list[LogLine] = field(default_factory=list)
    reply: PluginFrame | None = None
    exception: BaseException | None = None
    leaving: SystemExit | KeyboardInterrupt | None = None


def outcome_of(sending: Sending) -> Outcome:
    """What the reply to an event says, as a host reads it."""
    reply = sending.reply
    assert reply is not None, "every event is answered"
    outcome = Outcome(
        event_id=sending.event.id,
        verdict=Verdict.DELIVERED,
        progress=sending.progress,
        log=sending.log,
        exception=sending.exception,
    )
    if reply.error is None:
        result = msgspec.json.decode(reply.result, type=EventResult)
        note = result.note if result.status == "skipped" else None
        return replace(outcome, skipped=note)
    data = ErrorData()
    if reply.error.data:
        data = msgspec.json.decode(reply.error.data, type=ErrorData)
    after = data.retry_after_ms
    return replace(
        outcome,
        verdict=_meaning(reply.error, data),
        code=reply.error.code,
        message=reply.error.message,
        fix=data.help or "",
        retry_after=None if after is None else after / 1000,
    )


def _meaning(error: RpcError, data: ErrorData) -> Verdict:
    meaning = verdict(error.code)
    if data.retryable is False:
        return Verdict.DEAD
    if data.retryable and meaning is not Verdict.PAUSE:
        return Verdict.RETRY
    return meaning
