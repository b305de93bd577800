"""The plugin protocol, version 1: one definition, used by host, SDK and tools.

One JSON object per line, UTF-8. A strict profile of JSON-RPC 2.0: no batches, named
parameters, the host asks and the plugin answers; the reply to an `event` is its
acknowledgement. `docs/protocol.md` is the same thing in prose.

* `words`: the names of events, and lists of words that may grow.
* `messages`: every request, reply and notification.
* `data`: what an event says about builds, steps and evaluations.
* `framing`: bytes to lines and back.
* `codes`: error codes and what each one means for a delivery.
* `limits`: every number an author has to know.
"""

from hydra_notify_sdk.wire.codes import Code, Verdict, verdict
from hydra_notify_sdk.wire.data import (
    BuildDocument,
    BuildEventData,
    Eval,
    EvalEventData,
    EvalInput,
    Jobset,
    Metric,
    Output,
    Owner,
    Part,
    PreviousBuild,
    Product,
    Project,
    Step,
)
from hydra_notify_sdk.wire.framing import Framer, Oversized, to_line
from hydra_notify_sdk.wire.messages import (
    PROTOCOL_VERSION,
    CancelParams,
    CloudEvent,
    DeliveryInfo,
    ErrorData,
    ErrorDetail,
    EventParams,
    EventResult,
    HostFrame,
    HostInfo,
    InitializeParams,
    InitializeResult,
    LimitsInfo,
    LogParams,
    PingResult,
    PluginFrame,
    ProgressParams,
    RpcError,
    ShutdownParams,
)
from hydra_notify_sdk.wire.words import (
    BUILD_STATUSES,
    CHANNELS,
    EVENTS,
    OWN_MEMBERS,
    Channel,
    Ordering,
    matches,
    names_event,
)

__all__ = [
    "BUILD_STATUSES",
    "CHANNELS",
    "EVENTS",
    "OWN_MEMBERS",
    "PROTOCOL_VERSION",
    "BuildDocument",
    "BuildEventData",
    "CancelParams",
    "Channel",
    "CloudEvent",
    "Code",
    "DeliveryInfo",
    "ErrorData",
    "ErrorDetail",
    "Eval",
    "EvalEventData",
    "EvalInput",
    "EventParams",
    "EventResult",
    "Framer",
    "HostFrame",
    "HostInfo",
    "InitializeParams",
    "InitializeResult",
    "Jobset",
    "LimitsInfo",
    "LogParams",
    "Metric",
    "Ordering",
    "Output",
    "Oversized",
    "Owner",
    "Part",
    "PingResult",
    "PluginFrame",
    "PreviousBuild",
    "Product",
    "ProgressParams",
    "Project",
    "RpcError",
    "ShutdownParams",
    "Step",
    "Verdict",
    "matches",
    "names_event",
    "to_line",
    "verdict",
]
