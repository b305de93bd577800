"""Events to try a plugin with: samples, edited, and made fit for a session to send."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import msgspec
import trio

from hydra_notify.config.wording import did_you_mean
from hydra_notify.errors import HydraNotifyError
from hydra_notify.kit.play.edit import Edit, EditError, Json, apply, edit_of
from hydra_notify.outcomes import Outcome, Retry
from hydra_notify_sdk.wire import CHANNELS, Channel
from hydra_notify_sdk.wire.samples import BUILD, PARTS, sample_data, sample_params

_ATTEMPTS = range(1, 2**31)


class UnknownEvent(HydraNotifyError):
    """No event has this name; the message says which one was probably meant."""


@dataclass(eq=False)
class Sending:
    """One sending of an event: a `session.Sendable`.

    Attributes:
        channel: The event's name.
        payload: The CloudEvent, in JSON.
        attempt: From 1.
        redelivered: Whether an earlier sending ended without an answer.
        wire_id: The id it was sent by.
        opening: Not made yet: each sending has an id of its own.
        outcome: What it came to; None while it is on its way.
        reply: The line that answered it, if one did.
        over: Set when there is an outcome.
    """

    channel: Channel
    payload: bytes
    attempt: int = 1
    redelivered: bool = False
    wire_id: str = ""
    opening: None = None
    outcome: Outcome | None = None
    reply: bytes = b""
    over: trio.Event = field(default_factory=trio.Event)

    def settle(self, outcome: Outcome) -> None:
        """It has come to this."""
        self.outcome = outcome
        self.over.set()

    def again(self) -> "Sending":
        """The next sending of the same event, as the host would mark it.

        A repetition that the plugin has asked for is no redelivery: it knows that
        nothing was done.
        """
        asked_for = isinstance(self.outcome, Retry) and not self.outcome.unanswered
        return replace(
            self,
            attempt=self.attempt + 1,
            redelivered=not asked_for,
            outcome=None,
            reply=b"",
            over=trio.Event(),
        )


def channel_of(name: str) -> Channel:
    """The event called `name`.

    Raises:
        UnknownEvent: There is none.
    """
    for channel in CHANNELS:
        if channel == name:
            return channel
    raise UnknownEvent(f"{name} is no event; {did_you_mean(name, CHANNELS)}")


def sample_event(
    name: str, words: Sequence[str], *, number: int = 0, parts: Collection[str] = ()
) -> Json:
    """The parameters of `event` for a sample.

    Args:
        name: Of the event.
        words: Edits of it, each `PATH=VALUE`.
        number: Another one is another event, about another build or evaluation.
        parts: Heavy parts that the plugin includes.

    Raises:
        UnknownEvent: There is no such event.
        EditError: An edit cannot be made.
    """
    channel = channel_of(name)
    edits = [edit_of(word) for word in words]
    build, status = BUILD + number, 1
    # These two are part of the event's id, and of more than one member.
    for edit in edits:
        if edit.path == ("build",) and _is_number(edit.value):
            build = cast(int, edit.value)
        if edit.path == ("buildStatus",) and _is_number(edit.value):
            status = cast(int, edit.value)

    def made(parts: Collection[str]) -> Json:
        params = sample_params(channel, build=build, status=status, parts=parts)
        text = msgspec.json.encode(params)
        if channel.startswith("eval_"):
            text = text.replace(*_traces(number))
        return cast(Json, msgspec.json.decode(text))

    params = made(parts)
    apply(edits, params, made(PARTS))
    _check_delivery(params, edits)
    return params


def sending_of(params: Json) -> Sending:
    """The parameters of `event` as a session sends them.

    Raises:
        EditError: They set what only the plugin's manifest can.
    """
    delivery = cast(Json, params["delivery"])
    return Sending(
        channel_of(cast(str, params["name"])),
        msgspec.json.encode(params["event"]),
        cast(int, delivery["attempt"]),
        cast(bool, delivery["redelivered"]),
    )


def _check_delivery(params: Json, edits: Sequence[Edit]) -> None:
    delivery = params["delivery"]
    match delivery:
        case {"attempt": int(attempt), "redelivered": bool()} if (
            attempt in _ATTEMPTS and not isinstance(attempt, bool)
        ):
            pass
        case _:
            raise EditError(
                "delivery: attempt is a number from 1, redelivered true or false"
            )
    if any(edit.path == ("delivery", "timeout_ms") for edit in edits):
        raise EditError(
            "delivery.timeout_ms: the plugin's manifest says it; "
            "change timeout_ms there (timeout in the SDK)"
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _traces(number: int) -> tuple[bytes, bytes]:
    """The trace id of the samples, and the one of evaluation `number`."""
    data = sample_data("eval_started")
    assert not hasattr(data, "build")
    trace = str(msgspec.to_builtins(data)["traceId"])
    other = f"{int(trace[-12:], 16) + number:012x}"
    return trace.encode(), f"{trace[:-12]}{other}".encode()
