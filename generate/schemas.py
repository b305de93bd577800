"""A JSON Schema for every message and every event, made from the wire's structs.

Each one is whole: what it refers to is in its `$defs`. It says what is meant, where
receivers are more patient: the form of an id, a version, a percentage. It never forbids
a member or a word that it does not know, since that is how the protocol grows.
"""

from typing import Final

from msgspec import Struct

from generate.components import Schema, components
from hydra_notify.builds.document import HOOKS
from hydra_notify_sdk.wire import (
    CHANNELS,
    EVENTS,
    OWN_MEMBERS,
    BuildEventData,
    CancelParams,
    Channel,
    CloudEvent,
    ErrorData,
    EvalEventData,
    EventParams,
    EventResult,
    HostFrame,
    InitializeParams,
    InitializeResult,
    LogParams,
    PingResult,
    PluginFrame,
    ProgressParams,
    RpcError,
    ShutdownParams,
)

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

REQUESTS: Final[dict[str, type[Struct]]] = {
    "initialize": InitializeParams,
    "event": EventParams,
    "shutdown": ShutdownParams,
}
"""What the host asks, with the parameters; `ping` has none."""

TOLD_BY_HOST: Final[dict[str, type[Struct]]] = {"cancel": CancelParams}
TOLD_BY_PLUGIN: Final[dict[str, type[Struct]]] = {
    "progress": ProgressParams,
    "log": LogParams,
}
"""Notifications, with their parameters."""

RESULTS: Final[dict[str, type[Struct]]] = {
    "initialize": InitializeResult,
    "event": EventResult,
    "ping": PingResult,
}
"""What the plugin answers; nothing is read of the answer to `shutdown`."""


def schemas() -> dict[str, Schema]:
    """Every schema by its name."""
    params = {**REQUESTS, **TOLD_BY_HOST, **TOLD_BY_PLUGIN}
    made = {
        **{f"{m}.params": whole(k, f"Parameters of {m}") for m, k in params.items()},
        **{f"{m}.result": whole(k, f"Result of {m}") for m, k in RESULTS.items()},
        "shutdown.result": {
            "title": "Result of shutdown",
            "description": "An empty object; nothing in it is read.",
            "type": "object",
        },
        "error": whole(RpcError, "An error"),
        "error.data": whole(ErrorData, "Details of an error"),
        "cloudevent": whole(CloudEvent, "An event as a CloudEvent, whatever its data"),
        "data.build": whole(BuildEventData, "Data of a build or step event"),
        "data.eval": whole(EvalEventData, "Data of an evaluation event"),
        "frame.host": _host_frame(),
        "frame.plugin": _plugin_frame(),
        **{f"event.{channel}": _event(channel) for channel in CHANNELS},
    }
    made["event.params"] |= _data_by_name(made["event.params"])
    return {
        name: {"$schema": DIALECT, "$id": f"urn:hydra-notify:v1:{name}", **schema}
        for name, schema in made.items()
    }


def whole(kind: type[Struct], title: str, *others: type[Struct]) -> Schema:
    """The schema of `kind`, with all it refers to, and `others`, in its `$defs`."""
    parts = components(kind, *others)
    schema = {**parts.pop(kind.__name__), "title": title}
    return {**schema, "$defs": parts} if parts else schema


def _data_of(channel: Channel) -> type[Struct]:
    return EvalEventData if channel.startswith("eval_") else BuildEventData


def _event(channel: Channel) -> Schema:
    """The parameters of `event` for one channel."""
    kind = _data_of(channel)
    when = EVENTS[channel]
    title = f"Event: {when[0].lower()}{when[1:-1]}"
    schema = whole(EventParams, title, kind)
    schema["description"] = f"The parameters of event, for {channel}. {when}"
    own: Schema = {
        "$ref": f"#/$defs/{kind.__name__}",
        "properties": {"event": {"const": HOOKS[channel]}},
    }
    if OWN_MEMBERS[channel]:
        own["required"] = list(OWN_MEMBERS[channel])
    schema["properties"]["name"] = {"const": channel}
    schema["properties"]["event"]["properties"] = {
        "type": {"const": f"hydra.{channel}"},
        "data": own,
    }
    return schema


def _data_by_name(schema: Schema) -> Schema:
    """What the parameters of any event are, besides: the data follows from the name."""
    kinds = {kind.__name__: kind for kind in map(_data_of, CHANNELS)}
    cases = [
        {
            "if": {
                "properties": {
                    "name": {"enum": [c for c in CHANNELS if _data_of(c) is kind]}
                }
            },
            "then": {
                "properties": {
                    "event": {"properties": {"data": {"$ref": f"#/$defs/{name}"}}}
                }
            },
        }
        for name, kind in kinds.items()
    ]
    parts = {**schema["$defs"], **components(*kinds.values())}
    return {"allOf": cases, "$defs": parts}


def _host_frame() -> Schema:
    told = set(TOLD_BY_HOST)
    kinds = {**REQUESTS, **TOLD_BY_HOST}
    schema = whole(HostFrame, "A frame of the host", *kinds.values())
    event = schema["$defs"]["EventParams"]
    event |= _data_by_name({"$defs": {}})
    schema["$defs"] |= event.pop("$defs")
    schema["properties"]["jsonrpc"] = {"const": "2.0"}
    schema["required"] = ["jsonrpc", "method"]
    schema["allOf"] = [
        {
            "if": {"properties": {"method": {"const": method}}},
            "then": {
                "properties": {"params": {"$ref": f"#/$defs/{kind.__name__}"}},
                **(
                    {"required": ["params"], "not": {"required": ["id"]}}
                    if method in told
                    else {"required": ["id", "params"]}
                ),
            },
        }
        for method, kind in kinds.items()
    ]
    ping = {"properties": {"method": {"const": "ping"}}}
    schema["allOf"].append({"if": ping, "then": {"required": ["id"]}})
    return schema


def _plugin_frame() -> Schema:
    """A reply of one of two kinds, or a notification.

    What a result holds depends on the request, which a frame does not name.
    """
    schema = whole(PluginFrame, "A frame of a plugin", *TOLD_BY_PLUGIN.values())
    schema["properties"]["jsonrpc"] = {"const": "2.0"}
    schema["oneOf"] = [
        {
            "title": "A reply: it worked",
            "required": ["id", "result"],
            "properties": {"id": {"type": "string"}, "method": False, "error": False},
        },
        {
            "title": "A reply: it did not work",
            "required": ["id", "error"],
            "properties": {"method": False, "result": False},
        },
        {
            "title": "A notification",
            "required": ["method"],
            "properties": {"id": False, "result": False, "error": False},
        },
    ]
    schema["allOf"] = [
        {
            "if": {"properties": {"method": {"const": method}}, "required": ["method"]},
            "then": {
                "properties": {"params": {"$ref": f"#/$defs/{kind.__name__}"}},
                "required": ["params"],
            },
        }
        for method, kind in TOLD_BY_PLUGIN.items()
    ]
    return schema
