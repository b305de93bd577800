"""The protocol as one OpenRPC document.

OpenRPC knows one direction, from client to server: `x-direction` says which one each
method has, and `x-notification` that it gets no reply.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from tests.transcripts import Transcript, fill, load

from generate import docstrings
from generate.components import Schema, components
from generate.schemas import (
    REQUESTS,
    RESULTS,
    TOLD_BY_HOST,
    TOLD_BY_PLUGIN,
)
from hydra_notify_sdk.wire import (
    PROTOCOL_VERSION,
    BuildEventData,
    ErrorData,
    EvalEventData,
    RpcError,
)

VERSION: Final = "1.3.2"
"""Of OpenRPC: the newest that its published meta-schema knows."""

SUMMARIES: Final = {
    "initialize": "Start: what the host tells a plugin, and the plugin's manifest.",
    "event": "An event; the reply is its acknowledgement.",
    "ping": "Sent when nothing has happened for a while; any reply is a sign of life.",
    "shutdown": "The last request.",
    "cancel": "The host no longer waits for an event, which is still to be answered.",
    "progress": "The work on a request goes on: its deadline starts again.",
    "log": "A line of log that belongs to an event, or has fields.",
}

ERRORS: Final[dict[str, tuple[int, ...]]] = {
    "initialize": (422, 424, 426),
    "event": tuple(docstrings.of_codes()),
    "ping": (-32601,),
    "shutdown": (),
}
"""The codes that have a meaning as replies to each request."""

AT_START: Final = {
    422: "The configuration is wrong: the plugin is not started until it has changed.",
    424: "Something is missing that may come back: it is started again later.",
    426: "No protocol version in common: it is not started until it has changed.",
}
"""What codes mean in the reply to `initialize`."""

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "initialize": ("delivered", "window_out_of_order"),
    "event": ("every_event", "skipped"),
    "ping": ("ping_degraded",),
    "shutdown": ("delivered",),
    "cancel": ("cancel",),
    "progress": ("progress",),
    "log": ("log",),
}
"""The golden conversations from which the examples of each method are taken."""


def document() -> Schema:
    """The OpenRPC document."""
    kinds: dict[str, type[Struct]] = {**REQUESTS, **TOLD_BY_HOST, **TOLD_BY_PLUGIN}
    parts = components(
        *kinds.values(),
        *RESULTS.values(),
        *(RpcError, ErrorData, BuildEventData, EvalEventData),
        ref_template="#/components/schemas/{name}",
    )
    return {
        "openrpc": VERSION,
        "info": {
            "title": "The plugin protocol as OpenRPC",
            "version": f"{PROTOCOL_VERSION}.0",
            "description": (
                "How hydra-notify speaks with its plugins: one JSON object per line, "
                "over a plugin's standard input and output. Members that are not known "
                "are ignored, in every object."
            ),
            "license": {"name": "MIT"},
        },
        "methods": [_method(name, kinds.get(name), parts) for name in SUMMARIES],
        "components": {"schemas": parts},
    }


def _method(name: str, kind: type[Struct] | None, parts: dict[str, Schema]) -> Schema:
    notification = name in TOLD_BY_HOST or name in TOLD_BY_PLUGIN
    method: Schema = {
        "name": name,
        "summary": SUMMARIES[name],
        "paramStructure": "by-name",
        "params": list(_params(parts[kind.__name__])) if kind else [],
        "x-direction": ("plugin->host" if name in TOLD_BY_PLUGIN else "host->plugin"),
        "x-notification": notification,
    }
    if not notification:
        method["result"] = {"name": "result", "schema": _result(name)}
        method["errors"] = [_error(name, code) for code in ERRORS[name]]
    method["examples"] = [
        example
        for transcript in _transcripts(EXAMPLES[name])
        for example in _examples(transcript, name)
    ]
    return method


def _params(schema: Schema) -> Iterator[Schema]:
    """Each parameter, its description beside its schema."""
    for name, member in schema["properties"].items():
        described = (
            {"description": member["description"]} if "description" in member else {}
        )
        yield {
            "name": name,
            **described,
            "required": name in schema.get("required", ()),
            "schema": {k: v for k, v in member.items() if k != "description"},
        }


def _result(name: str) -> Schema:
    if name not in RESULTS:
        return {"type": "object", "description": "Empty; nothing in it is read."}
    return {"$ref": f"#/components/schemas/{RESULTS[name].__name__}"}


def _error(method: str, code: int) -> Schema:
    words, meaning = docstrings.of_codes()[code]
    if method == "initialize":
        meaning = AT_START[code]
    elif method == "ping":
        meaning = "A sign of life like any other: `ping` is optional."
    return {"code": code, "message": f"{words.capitalize()}. {meaning}"}


def _transcripts(names: tuple[str, ...]) -> Iterator[Transcript]:
    every = {t.name: t for side in ("host", "plugin") for t in load(side)}
    yield from (every[name] for name in names)


def _examples(transcript: Transcript, method: str) -> Iterator[Schema]:
    """What is said by way of `method` in a conversation, with the results."""
    frames = [fill(line.frame) for line in transcript.lines if line.frame]
    results = {
        frame["id"]: frame["result"]
        for frame in frames
        if isinstance(frame, dict) and "result" in frame
    }
    said = [
        frame
        for frame in frames
        if isinstance(frame, dict) and frame.get("method") == method
    ]
    for number, frame in enumerate(said, 1):
        params = frame.get("params", {})
        name = transcript.name
        if len(said) > 1:
            name = params["name"] if method == "event" else f"{name} {number}"
        example: Schema = {
            "name": name,
            "description": transcript.about,
            "params": [{"name": k, "value": v} for k, v in params.items()],
        }
        if "id" in frame:
            example["result"] = {"name": "result", "value": results[frame["id"]]}
        yield example
