"""Every message of protocol version 1.

Members that a receiver does not know are ignored, on both sides: that is how the
protocol grows. Raw members are decoded by whoever knows the method.
"""

from typing import Annotated, Final, Literal, get_args

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from hydra_notify_sdk.wire.limits import (
    DEFAULT_IN_FLIGHT,
    MAX_FRAME_BYTES,
    MAX_ID_LENGTH,
    MAX_IN_FLIGHT,
)

PROTOCOL_VERSION: Final = 1

Channel = Literal[
    "build_queued",
    "build_started",
    "build_finished",
    "cached_build_queued",
    "cached_build_finished",
    "step_finished",
    "eval_started",
    "eval_cached",
    "eval_added",
    "eval_failed",
]
"""The name of an event: the Postgres channel Hydra announces it on."""

CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)

Ordering = Literal["subject", "none"]
"""`subject`: one event of a build at a time, oldest first. `none`: any order."""


def matches(patterns: tuple[str, ...] | list[str], channel: str) -> bool:
    """Whether one of `patterns` names `channel`: exact, `prefix*`, or `*`."""
    return any(
        pattern == channel
        or (pattern.endswith("*") and channel.startswith(pattern[:-1]))
        for pattern in patterns
    )


def names_event(pattern: str) -> bool:
    """Whether `pattern` names any event there is."""
    return any(matches([pattern], channel) for channel in CHANNELS)


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
        scope: `plugin` when every other event would meet the same error now.
        kind: A stable word for it, such as `github.rate_limit`.
        help: What the operator can do.
        url: Where to read more.
        errors: Each fault, where there are several.
        supported: Protocol versions the plugin speaks, with code 426.
    """

    retryable: bool | None = None
    retry_after_ms: Annotated[int, Meta(ge=0)] | None = None
    scope: str | None = None
    kind: str | None = None
    help: str | None = None
    url: str | None = None
    errors: list[ErrorDetail] = []
    supported: list[int] = []


class RpcError(Struct, omit_defaults=True):
    """Why a request failed.

    Attributes:
        code: See `codes.Code`.
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
    id: str | UnsetType | None = UNSET
    method: str = ""
    params: Raw = Raw()
    result: Raw = Raw()
    error: RpcError | None = None


class HostFrame(Struct, omit_defaults=True, kw_only=True):
    """Anything the host sends: a request (with `id`) or a notification (without)."""

    jsonrpc: str = ""
    id: str | UnsetType = UNSET
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

    max_frame_bytes: int = MAX_FRAME_BYTES
    max_in_flight: int = MAX_IN_FLIGHT


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

    protocol_versions: list[int]
    host: HostInfo
    instance: str
    config: dict[str, object] = {}
    secrets: dict[str, str] = {}
    state_dir: str = ""
    log_level: str = "info"
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

    protocol_version: int
    name: str
    version: str
    events: list[str]
    include: list[str] = []
    max_in_flight: Annotated[int, Meta(ge=1)] = DEFAULT_IN_FLIGHT
    ordering: str = "subject"
    timeout_ms: Annotated[int, Meta(ge=1)] | None = None


class DeliveryInfo(Struct, kw_only=True):
    """About this sending, not about the event.

    Attributes:
        attempt: Which sending of this event to this plugin it is, from 1.
        redelivered: Whether an earlier one ended without an answer, so that its effect
            is unknown (crash, timeout, restart of the host): look before you repeat.
        timeout_ms: Milliseconds until `cancel`.
    """

    attempt: int
    redelivered: bool
    timeout_ms: int


class CloudEvent(Struct, omit_defaults=True, kw_only=True):
    """The event in CloudEvents 1.0 form; `id` is the idempotency key.

    Attributes:
        id: Made of facts in the database: equal on every attempt, for every plugin.
        source: The base URL of the Hydra it happened on.
        type: `hydra.` and the channel.
        subject: What it is about, such as `build/4711`.
        time: When it happened (RFC 3339, UTC), where the database says so.
        data: A `BuildEventData` or an `EvalEventData`.
    """

    specversion: str = ""
    id: str
    source: str
    type: str
    subject: str = ""
    time: str = ""
    data: Raw


class EventParams(Struct, kw_only=True):
    """One event; the reply to it is the acknowledgement.

    Attributes:
        name: The channel.
    """

    name: str
    delivery: DeliveryInfo
    event: CloudEvent


class EventResult(Struct, omit_defaults=True, kw_only=True):
    """The event is done with: `delivered`, or `skipped`, not the plugin's business."""

    status: str = "delivered"
    note: str = ""


class PingResult(Struct, omit_defaults=True, kw_only=True):
    """`ok`, `degraded`, or `failing`: the last one asks to be restarted."""

    status: str = "ok"
    message: str = ""


class ShutdownParams(Struct, kw_only=True):
    """The last request: answer, then exit 0 when stdin ends.

    Attributes:
        grace_ms: Milliseconds until stdin is closed.
    """

    reason: str
    grace_ms: int


class CancelParams(Struct, kw_only=True):
    """The host no longer waits for `id`; an answer is still owed."""

    id: Annotated[str, Meta(max_length=MAX_ID_LENGTH)]
    reason: str


class ProgressParams(Struct, omit_defaults=True, kw_only=True):
    """Work on request `id` goes on; its deadline starts again."""

    id: str
    message: str = ""
    percent: float | None = None


class LogParams(Struct, omit_defaults=True, kw_only=True):
    """A line for the host's log, tied to request `id` where there is one."""

    level: str = "info"
    message: str
    id: str | None = None
    fields: dict[str, object] = {}
