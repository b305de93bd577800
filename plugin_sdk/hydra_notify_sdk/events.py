"""What a handler is given: the event, and the context it runs in."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar, cast

import msgspec
from msgspec import Raw, Struct

from hydra_notify_sdk.failures import Failure, UnknownEvent
from hydra_notify_sdk.wire import (
    CHANNELS,
    BuildEventData,
    CloudEvent,
    Code,
    DeliveryInfo,
    EvalEventData,
)

AnyData = BuildEventData | EvalEventData
DataT_co = TypeVar("DataT_co", bound=AnyData, covariant=True)
ConfigT = TypeVar("ConfigT")

_decode_build = msgspec.json.Decoder(BuildEventData).decode
_decode_eval = msgspec.json.Decoder(EvalEventData).decode
_decode_envelope = msgspec.json.Decoder(CloudEvent).decode


class EventRequest(Struct, kw_only=True):
    """The parameters of `event`, with the event itself as it came."""

    name: str
    delivery: DeliveryInfo
    event: Raw


class Cancellation:
    """Whether the host has stopped waiting for an event.

    Args:
        look: Reads what the host has sent meanwhile; for plugins that handle events in
            the thread that reads.
    """

    __slots__ = ("_look", "requested")

    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look
        self.requested = False

    def seen(self) -> bool:
        """Whether it was requested, up to now."""
        if not self.requested:
            self._look()
        return self.requested


class Event(Generic[DataT_co]):
    """Something that happened in Hydra.

    Attributes:
        name: Hydra's channel, such as `build_finished`.
        id: Equal on every attempt and for every plugin: the key against doing it twice.
        subject: What it is about, such as `build/4711`.
        source: The base URL of the Hydra.
        time: When it happened (RFC 3339, UTC); "" where Hydra does not say.
        attempt: Which sending to this plugin this is, from 1.
        redelivered: Whether the effect of an earlier attempt is unknown (a crash, a
            timeout): look before you repeat.
        timeout: Seconds until the host cancels; `context.progress` starts it again.
        cloudevent: The event as the host sent it, CloudEvents 1.0 in JSON: what a
            forwarder passes on.
    """

    __slots__ = (
        "_cancellation",
        "_data",
        "_raw",
        "attempt",
        "cloudevent",
        "id",
        "name",
        "redelivered",
        "source",
        "subject",
        "time",
        "timeout",
    )

    def __init__(self, request: EventRequest, cancellation: Cancellation) -> None:
        self.cloudevent = bytes(request.event)
        envelope = _decode_envelope(request.event)
        self.name = request.name
        self.id = envelope.id
        self.subject = envelope.subject
        self.source = envelope.source
        self.time = envelope.time
        self.attempt = request.delivery.attempt
        self.redelivered = request.delivery.redelivered
        self.timeout = request.delivery.timeout_ms / 1000
        self._raw = envelope.data
        self._data: DataT_co | None = None
        self._cancellation = cancellation

    @property
    def data(self) -> DataT_co:
        """What is known of it; decoded when first asked for."""
        if self._data is None:
            decode = _decode_eval if self.name.startswith("eval_") else _decode_build
            try:
                # Which of the two it is follows from the name, which no type can say.
                self._data = cast("DataT_co", decode(self._raw))
            except ValueError as error:
                if self.name not in CHANNELS:
                    raise UnknownEvent(self.name) from error
                raise Failure(
                    f"event.data of {self.name}: {error}", code=Code.INVALID_PARAMS
                ) from error
        return self._data

    @property
    def cancelled(self) -> bool:
        """Whether the host has given up on this attempt, or has gone.

        A handler that works for long asks now and then, stops, and raises `Cancelled`.
        """
        return self._cancellation.seen()

    def __repr__(self) -> str:
        return f"<Event {self.id} attempt {self.attempt}>"


class Context(Struct, Generic[ConfigT], frozen=True, kw_only=True):
    """Where a handler runs.

    Attributes:
        config: The plugin's settings, of the type given to `Plugin`.
        secrets: By name, in plain text: not for logs.
        state_dir: A directory of the plugin's own, also its working directory.
        instance: The plugin's name in the host's configuration.
        base_url: Of Hydra's web interface, without a trailing slash.
        hydra_data: Hydra's data directory, "" where the host does not know it.
        log: Goes to the host's log. So does every other `logging.Logger`.
        report: Sends a message and a percentage for the request being handled.
    """

    config: ConfigT
    secrets: Mapping[str, str]
    state_dir: Path
    instance: str
    base_url: str
    hydra_data: str
    log: logging.Logger
    report: Callable[[str, float | None], None]

    def progress(self, message: str = "", percent: float | None = None) -> None:
        """Tells the host that work goes on: its deadline starts again.

        Args:
            message: What is being done, for the log.
            percent: How much of it is done, 0 to 100.
        """
        self.report(message, percent)

    def __repr__(self) -> str:
        # Without the secrets, which would end up in somebody's log.
        return f"<Context of {self.instance}>"
