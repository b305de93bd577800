"""The protocol's one definition: framing, messages, codes."""

import inspect
import json
import operator
from typing import cast, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw, Struct
from tests.transcripts import Frame, load, sample

from hydra_notify_sdk.wire import (
    CHANNELS,
    BuildEventData,
    CancelParams,
    CloudEvent,
    Code,
    DeliveryInfo,
    ErrorData,
    ErrorDetail,
    EvalEventData,
    EventParams,
    EventResult,
    Framer,
    HostFrame,
    HostInfo,
    InitializeParams,
    InitializeResult,
    LogParams,
    Oversized,
    Part,
    PingResult,
    PluginFrame,
    ProgressParams,
    RpcError,
    ShutdownParams,
    Verdict,
    matches,
    messages,
    to_line,
    verdict,
)

LIMIT = 20
"""Bytes of a line in these tests."""

lines_of_bytes = st.lists(
    st.binary(max_size=2 * LIMIT).map(lambda line: line.replace(b"\n", b"_"))
)


def expected_lines(lines: list[bytes]) -> list[bytes | Oversized]:
    return [
        line if len(line) <= LIMIT else Oversized(len(line))
        for line in lines
        if line not in (b"", b"\r")
    ]


@given(lines_of_bytes, st.data())
def test_any_chunking_of_a_stream_gives_the_same_lines(
    lines: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)))))
    framer = Framer(LIMIT)
    seen: list[bytes | Oversized] = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        seen += framer.feed(stream[begin:end])
    assert seen == expected_lines(lines)
    assert framer.held == 0


@given(st.lists(st.binary(max_size=3 * LIMIT)))
def test_a_framer_never_holds_more_than_one_line_of_the_limit(
    chunks: list[bytes],
) -> None:
    framer = Framer(LIMIT)
    for chunk in chunks:
        framer.feed(chunk)
        assert sum(map(len, framer._parts)) <= LIMIT


def test_a_line_of_the_limit_passes_and_one_more_byte_does_not() -> None:
    framer = Framer(LIMIT)
    assert framer.feed(b"x" * LIMIT + b"\n") == [b"x" * LIMIT]
    assert framer.feed(b"x" * (LIMIT + 1) + b"\n") == [Oversized(LIMIT + 1)]
    assert framer.feed(b"x" * LIMIT) == []
    assert framer.feed(b"x\nnext\n") == [Oversized(LIMIT + 1), b"next"]


def test_half_a_line_at_the_end_is_given_back_and_is_no_line() -> None:
    framer = Framer(LIMIT)
    assert framer.feed(b"whole\nhalf") == [b"whole"]
    assert framer.close() == b"half"
    assert framer.close() == b""


def test_a_line_in_many_chunks_is_neither_searched_nor_copied_again() -> None:
    """Cost is proportional to length: what is held are the chunks themselves."""
    framer = Framer()
    chunks = [b"x" * 100 for _ in range(1000)]
    for chunk in chunks:
        assert framer.feed(chunk) == []
    assert len(framer._parts) == len(chunks)
    assert all(map(operator.is_, framer._parts, chunks))
    assert framer.feed(b"\nnext") == [b"x" * 100_000]
    assert framer.held == len(b"next")


MESSAGES: list[Struct] = [
    HostFrame(jsonrpc="2.0", id="e1", method="event", params=Raw(b'{"a":1}')),
    HostFrame(jsonrpc="2.0", method="cancel"),
    PluginFrame(jsonrpc="2.0", id="e1", result=Raw(b"{}")),
    PluginFrame(jsonrpc="2.0", id=None, error=RpcError(-32700, "parse error")),
    PluginFrame(jsonrpc="2.0", id="e1", error=RpcError(429, "x", Raw(b'{"help":"y"}'))),
    PluginFrame(jsonrpc="2.0", method="log", params=Raw(b'{"message":"m"}')),
    InitializeParams(
        protocol_versions=[1],
        host=HostInfo(name="h", version="1"),
        instance="chat",
        config={"url": "x", "nested": {"list": [1, 2.5, None, True]}},
        secrets={"token": "t"},
        state_dir="/s",
    ),
    InitializeResult(
        protocol_version=1,
        name="n",
        version="2",
        events=["build_*"],
        include=["evals"],
        max_in_flight=8,
        ordering="none",
        timeout_ms=1000,
    ),
    EventParams(
        name="build_finished",
        delivery=DeliveryInfo(attempt=2, redelivered=True, timeout_ms=5),
        event=CloudEvent(
            specversion="1.0",
            id="i",
            source="s",
            type="t",
            subject="build/1",
            time="2026-01-05T10:00:00Z",
            data=Raw(b'{"build":1}'),
        ),
    ),
    EventResult(status="skipped", note="n"),
    PingResult(status="degraded", message="m"),
    ShutdownParams(reason="host_stop", grace_ms=5),
    CancelParams(id="e1", reason="deadline"),
    ProgressParams(id="e1", message="m", percent=1.5),
    LogParams(level="error", message="m", id="e1", fields={"a": [1]}),
    ErrorData(
        retryable=False,
        retry_after_ms=7,
        scope="plugin",
        kind="k",
        help="h",
        url="u",
        errors=[ErrorDetail(path="p", message="m", help="h")],
        supported=[2],
    ),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_a_message_is_one_line_and_comes_back_as_it_was(message: Struct) -> None:
    line = to_line(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert msgspec.json.decode(line, type=type(message)) == message


def test_the_test_above_knows_every_message() -> None:
    tested = {type(message) for message in MESSAGES}
    tested |= {HostInfo, DeliveryInfo, CloudEvent, RpcError, messages.LimitsInfo}
    tested |= {ErrorDetail}
    defined = {
        value
        for value in vars(messages).values()
        if inspect.isclass(value) and issubclass(value, Struct) and value is not Struct
    }
    assert defined == tested


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_members_that_are_not_known_are_ignored(message: Struct) -> None:
    plain = json.loads(to_line(message))
    line = json.dumps({**plain, "future": {"deep": [1, None, "x"]}}).encode()
    understood = msgspec.json.decode(line, type=type(message))
    assert json.loads(to_line(understood)) == plain


def test_a_missing_id_and_a_null_id_are_different_things() -> None:
    def id_of(line: bytes) -> object:
        return msgspec.json.decode(line, type=PluginFrame).id

    assert id_of(b'{"method":"log"}') is UNSET
    assert id_of(b'{"id":null,"error":{"code":-32700}}') is None
    assert b'"id":null' in to_line(PluginFrame(id=None, error=RpcError(-32700)))
    assert b"id" not in to_line(PluginFrame(method="log"))


def test_members_without_a_value_are_not_sent() -> None:
    assert to_line(PluginFrame(jsonrpc="2.0", id="e", result=Raw(b"{}"))) == (
        b'{"jsonrpc":"2.0","id":"e","result":{}}\n'
    )
    assert to_line(EventResult()) == b"{}\n"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"\xff\xfe", id="no text at all"),
        pytest.param(b'{"id":"\xff"}', id="no UTF-8"),
        pytest.param(b'{"params":' + b"[" * 100_000, id="nested too deeply"),
        pytest.param(b"[" * 100_000, id="nested arrays"),
        pytest.param(b'{"id":"e1"', id="half an object"),
        pytest.param(b"[{}]", id="a batch"),
        pytest.param(b'{"id":5}', id="an id that is a number"),
        pytest.param(b'{"id":"\\ud800"}', id="half a surrogate pair"),
        pytest.param(b"\xef\xbb\xbf{}", id="a byte order mark"),
    ],
)
def test_what_is_no_frame_is_one_of_two_exceptions(line: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        msgspec.json.decode(line, type=HostFrame)


def test_text_that_is_no_utf8_surfaces_when_raw_params_are_decoded() -> None:
    """A raw member is not looked at with its frame."""
    frame = msgspec.json.decode(b'{"params":{"reason":"\xff"}}', type=HostFrame)
    with pytest.raises(ValueError, match="utf-8"):
        msgspec.json.decode(frame.params, type=ShutdownParams)


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_sample_of_every_event_is_exactly_what_the_types_say(channel: str) -> None:
    kind = EvalEventData if channel.startswith("eval_") else BuildEventData
    data = sample(channel)
    assert json.loads(msgspec.json.encode(msgspec.convert(data, kind))) == data


def test_the_build_document_has_the_members_of_hydras_runcommand() -> None:
    """The list of Hydra's manual, by which existing commands work unchanged."""
    data = sample("build_finished")
    assert set(data) > {
        *("build", "buildStatus", "description", "drvPath", "event", "finished"),
        *("homepage", "job", "jobset", "license", "metrics", "nixName", "outputs"),
        *("products", "project", "startTime", "stopTime", "system", "timestamp"),
    }
    assert set(list_of_objects(data, "outputs")[0]) == {"name", "path"}
    assert set(list_of_objects(data, "metrics")[0]) == {"name", "unit", "value"}
    assert set(list_of_objects(data, "products")[0]) == {
        *("defaultPath", "fileSize", "name", "path"),
        *("productNr", "sha256hash", "subtype", "type"),
    }


def test_heavy_parts_may_be_absent() -> None:
    data = sample("build_finished")
    for part in get_args(Part):
        data.pop(part, None)
    build = msgspec.convert(data, BuildEventData)
    assert build.dependents is UNSET
    assert build.evals is UNSET
    assert build.previous_build is UNSET
    assert build.dependent_ids == [4712, 4713]


def list_of_objects(data: Frame, key: str) -> list[Frame]:
    return cast("list[Frame]", data[key])


@pytest.mark.parametrize(
    ("pattern", "channel", "expected"),
    [
        ("*", "eval_added", True),
        ("build_*", "build_queued", True),
        ("build_*", "cached_build_queued", False),
        ("build_finished", "build_finished", True),
        ("build_finish", "build_finished", False),
        ("", "build_finished", False),
        ("*_finished", "build_finished", False),
        ("build_finished*", "build_finished", True),
    ],
)
def test_a_pattern_is_a_name_a_prefix_or_everything(
    pattern: str, channel: str, expected: bool
) -> None:
    assert matches([pattern], channel) is expected
    assert matches(("nothing", pattern), channel) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (Code.CONFLICT, Verdict.DELIVERED),
        (Code.NOT_FOUND, Verdict.DEAD),
        (Code.GONE, Verdict.DEAD),
        (Code.TOO_MANY_REQUESTS, Verdict.PAUSE),
        (Code.UNAUTHORIZED, Verdict.BLOCK),
        (Code.INTERNAL_SERVER_ERROR, Verdict.RETRY),
        (Code.CANCELLED, Verdict.RETRY),
        (502, Verdict.RETRY),
        (418, Verdict.RETRY),
        (0, Verdict.RETRY),
    ],
)
def test_a_code_says_what_becomes_of_the_delivery(code: int, expected: Verdict) -> None:
    assert verdict(code) is expected


def test_every_frame_of_the_golden_conversations_is_understood() -> None:
    for side in ("host", "plugin"):
        for transcript in load(side):
            for line in transcript.lines:
                if line.frame is not None:
                    kind = HostFrame if line.sender == "host" else PluginFrame
                    msgspec.convert(as_sent(line.frame), kind)


def as_sent(frame: Frame) -> Frame:
    """Without raw members, which a conversion cannot make."""
    return {k: v for k, v in frame.items() if k not in ("params", "result", "error")}
