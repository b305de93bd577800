"""What is made from the protocol's definition says what the definition says."""

import json
import re
from functools import cache

import msgspec
import pytest
from generate import files, tables

from hydra_notify_sdk.wire import (
    CHANNELS,
    EVENTS,
    OWN_MEMBERS,
    CancelParams,
    CloudEvent,
    ErrorData,
    EventParams,
    EventResult,
    HostFrame,
    InitializeParams,
    InitializeResult,
    LogParams,
    PluginFrame,
    ProgressParams,
    ShutdownParams,
    limits,
    messages,
)

PAGE = files.PAGE.read_text()


made = cache(files.files)


def test_what_is_generated_is_what_the_code_says() -> None:
    behind = [
        path.relative_to(files.ROOT).as_posix()
        for path, text in made().items()
        if not path.exists() or path.read_text() != text
    ]
    assert not behind, "run `make generate`: these files are behind the code"


def test_no_schema_is_left_that_nothing_makes() -> None:
    assert set(files.SCHEMAS.iterdir()) <= set(made())


def test_every_message_and_every_limit_is_on_the_page() -> None:
    for struct in tables.structs(messages):
        if struct not in (HostFrame, PluginFrame):
            assert f"**{struct.__name__}**" in PAGE, struct
    for name in vars(limits):
        if name.isupper():
            assert f"`{name}`" in PAGE, name


def test_every_event_says_when_it_happens_and_what_it_is_about() -> None:
    assert tuple(EVENTS) == tuple(OWN_MEMBERS) == CHANNELS


def frames() -> list[str]:
    blocks = re.findall(r"```frames\n(.*?)```", PAGE, re.S)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize(
    "line", [pytest.param(f, id=str(n)) for n, f in enumerate(frames())]
)
def test_every_frame_on_the_page_is_one(line: str) -> None:
    text = line[2:].encode()
    match line[0]:
        case "→":
            frame = msgspec.json.decode(text, type=HostFrame)
            kinds: dict[str, type[msgspec.Struct]] = {
                "initialize": InitializeParams,
                "event": EventParams,
                "shutdown": ShutdownParams,
                "cancel": CancelParams,
            }
            params = msgspec.json.decode(frame.params, type=kinds[frame.method])
            if isinstance(params, EventParams):
                assert isinstance(params.event, CloudEvent)
            assert only_known_members(
                kinds[frame.method], json.loads(bytes(frame.params))
            )
        case "←":
            check_plugin_frame(msgspec.json.decode(text, type=PluginFrame))
        case other:
            raise AssertionError(f"{other!r} is no direction")


def check_plugin_frame(frame: PluginFrame) -> None:
    kind: type[msgspec.Struct]
    if frame.method:
        kind = ProgressParams if frame.method == "progress" else LogParams
        raw = frame.params
    elif frame.error is not None:
        kind, raw = ErrorData, frame.error.data or msgspec.Raw(b"{}")
    else:
        manifest = b"protocol_version" in bytes(frame.result)
        kind, raw = (InitializeResult if manifest else EventResult), frame.result
    msgspec.json.decode(raw, type=kind)
    assert only_known_members(kind, json.loads(bytes(raw)))


def only_known_members(kind: type[msgspec.Struct], plain: dict[str, object]) -> bool:
    return set(plain) <= set(kind.__struct_encode_fields__)
