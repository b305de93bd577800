"""Every message of protocol version 1.

Members that a receiver does not know are ignored, on both sides: that is how the
protocol grows. Raw members are decoded by whoever knows the method.
"""

from typing import Annotated, Final

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from hydra_notify_sdk.wire.limits import (
    DEFAULT_IN_FLIGHT,
    MAX_FRAME_BYTES,
    MAX_ID_LENGTH,
    MAX_IN_FLIGHT,
)
from hydra_notify_sdk.wire.words import (
    CancelReason,
    ErrorScope,
    EventName,
    EventPattern,
    EventStatus,
    LogLevel,
    NotNegative,
    OrderingWord,
    PartName,
    Percent,
    PingStatus,
    Positive,
    RequestId,
    ShutdownReason,
)

PROTOCOL_VERSION: Final = 1


class ErrorDetail(Struct, omit_defaults=True, kw_only=True):
    """One of several faults: where (`settings.url`), what is wrong, what mends it."""

    path: str = ""
    message: str = ""
    help: str = ""


class ErrorData(Struct, omit_defaults=True, kw_only=True):
    """The optional details of an error; they win over the code's own meaning.

    Attributes:
        retryable: Whether another attempt can succeed.
        retry_after_ms: Milliseconds to wait before it, at most a day.
        scope: `plugin` when every other event would meet the same error now, `event`
            when only this one does.
        kind: A stable word for it, such as `github.rate_limit`.
        help: What the operator can do.
        url: Where to read more.
        errors: Each fault, where there are several.
        supported: Protocol versions the plugin speaks, with code 426.
    """

    retryable: bool | None = None
    retry_after_ms: Annotated[int, Meta(ge=0)] | None = None
    scope: ErrorScope | None = None
    kind: str | None = None
    help: str | None = None
    url: str | None = None
    errors: list[ErrorDetail] = []
    supported: list[Positive] = []


class RpcError(Struct, omit_defaults=True):
    """Why a request failed.

    Attributes:
        code: The HTTP status the plugin met, or one of JSON-RPC's.
        message: One line for the log.
        data: An `ErrorData`, left raw since a bad one must not hide the error itself.
    """

    code: int
    message: str = ""
    data: Raw = Raw()


class PluginFrame(Struct, omit_defaults=True, kw_only=True):
    """Anything a plugin sends: a reply (`result` or `error`) or a notification.

    `jsonrpc` may be missing. `id` is null only in the reply to a frame the plugin could
    not parse.
    """

    jsonrpc: str = ""
    id: RequestId | UnsetType | None = UNSET
    method: str = ""
    params: Raw = Raw()
    result: Raw = Raw()
    error: RpcError | None = None


class HostFrame(Struct, omit_defaults=True, kw_only=True):
    """Anything the host sends: a request (with `id`) or a notification (without)."""

    jsonrpc: str = ""
    id: RequestId | UnsetType = UNSET
    method: str = ""
    params: Raw = Raw()


class HostInfo(Struct, kw_only=True):
    """Who is asking.

    Attributes:
        name: Of the host program.
        version: Of the host program, not of the protocol.
        base_url: Of Hydra's web interface, without a trailing slash.
        hydra_data: Hydra's data directory (build logs, RunCommand logs).
    """

    name: str
    version: str
    base_url: str = ""
    hydra_data: str = ""


class LimitsInfo(Struct, frozen=True, kw_only=True):
    """What the host will not go beyond."""

    max_frame_bytes: Positive = MAX_FRAME_BYTES
    max_in_flight: Positive = MAX_IN_FLIGHT


class InitializeParams(Struct, kw_only=True):
    """The first request, sent once.

    Attributes:
        protocol_versions: Those the host speaks, newest first.
        instance: The plugin's name in the host's configuration.
        config: Its `[plugins.NAME.settings]`.
        secrets: Its secrets by name, in plain text; never log them.
        state_dir: A directory of its own, also its working directory.
        log_level: The least level that is kept.
    """

    protocol_versions: list[Positive]
    host: HostInfo
    instance: str
    config: dict[str, object] = {}
    secrets: dict[str, str] = {}
    state_dir: str = ""
    log_level: LogLevel = "info"
    limits: LimitsInfo = LimitsInfo()


class InitializeResult(Struct, omit_defaults=True, kw_only=True):
    """A plugin's manifest.

    Attributes:
        protocol_version: The one it picked.
        name: Of the program, for logs.
        version: Of the program.
        events: Channel names or patterns (`build_*`, `*`).
        include: Heavy parts of the data it needs (`data.Part`); others are ignored.
        max_in_flight: Unanswered events it can hold.
        ordering: See `Ordering`; an unknown word counts as `subject`.
        timeout_ms: Milliseconds it needs for one event; the operator may cap it.
    """

    protocol_version: Positive
    name: str
    version: str
    events: list[EventPattern]
    include: list[PartName] = []
    max_in_flight: Annotated[int, Meta(ge=1)] = DEFAULT_IN_FLIGHT
    ordering: OrderingWord = "subject"
    timeout_ms: Annotated[int, Meta(ge=1)] | None = None


class DeliveryInfo(Struct, kw_only=True):
    """About this sending, not about the event.

    Attributes:
        attempt: Which sending of this event to this plugin it is, from 1.
        redelivered: Whether an earlier one ended without an answer, so that its effect
            is unknown (crash, timeout, restart of the host): look before you repeat.
        timeout_ms: Milliseconds until `cancel`.
    """

    attempt: Positive
    redelivered: bool
    timeout_ms: Positive


class CloudEvent(Struct, omit_defaults=True, kw_only=True):
    """The event in CloudEvents 1.0 form; `id` is the idempotency key.

    Attributes:
        specversion: Of CloudEvents.
        id: Made of facts in the database: equal on every attempt, for every plugin.
        source: The base URL of the Hydra it happened on.
        type: `hydra.` and the channel.
        subject: What it is about, such as `build/4711`.
        time: When it happened (RFC 3339, UTC), where the database says so.
        data: A `BuildEventData` or an `EvalEventData`.
    """

    specversion: Annotated[str, Meta(extra_json_schema={"const": "1.0"})] = ""
    id: str
    source: Annotated[str, Meta(extra_json_schema={"format": "uri"})]
    type: str
    subject: str = ""
    time: Annotated[str, Meta(extra_json_schema={"format": "date-time"})] = ""
    data: Annotated[Raw, Meta(extra_json_schema={"type": "object"})]


class EventParams(Struct, kw_only=True):
    """One event; the reply to it is the acknowledgement.

    Attributes:
        name: The channel.
    """

    name: EventName
    delivery: DeliveryInfo
    event: CloudEvent


class EventResult(Struct, omit_defaults=True, kw_only=True):
    """The event is done with: `delivered`, or `skipped`, not the plugin's business.

    Attributes:
        note: Why, in a few words, for the log.
    """

    status: EventStatus = "delivered"
    note: str = ""


class PingResult(Struct, omit_defaults=True, kw_only=True):
    """`ok`, `degraded`, or `failing`: the last one asks to be restarted.

    Attributes:
        message: What is wrong, for the log.
    """

    status: PingStatus = "ok"
    message: str = ""


class ShutdownParams(Struct, kw_only=True):
    """The last request: answer, then exit 0 when stdin ends.

    Attributes:
        grace_ms: Milliseconds until stdin is closed.
    """

    reason: ShutdownReason
    grace_ms: NotNegative


class CancelParams(Struct, kw_only=True):
    """The host no longer waits for `id`; an answer is still owed.

    Attributes:
        id: Of the request.
    """

    id: Annotated[RequestId, Meta(max_length=MAX_ID_LENGTH)]
    reason: CancelReason


class ProgressParams(Struct, omit_defaults=True, kw_only=True):
    """Work on request `id` goes on; its deadline starts again.

    Attributes:
        id: Of the request.
        message: What is being done, for the log.
        percent: How much of it is done, 0 to 100.
    """

    id: RequestId
    message: str = ""
    percent: Percent | None = None


class LogParams(Struct, omit_defaults=True, kw_only=True):
    """A line for the host's log, tied to request `id` where there is one.

    Attributes:
        id: Of the request.
        fields: Values for programs that read the log.
    """

    level: LogLevel = "info"
    message: str
    id: RequestId | None = None
    fields: dict[str, object] = {}
