"""The SDK meets frames of every kind, and never sends a bad one."""

import json
import logging
from pathlib import Path

import pytest
from tests.sdk_conversation import Conversation
from tests.toy_host import event_params

from hydra_notify_sdk import (
    Plugin,
    Retry,
    Skipped,
)
from hydra_notify_sdk.logs import LevelFormatter, set_level
from hydra_notify_sdk.replies import (
    MAX_TEXT,
    done_line,
    failure_line,
    line_of,
    log_line,
)
from hydra_notify_sdk.wire.limits import LOG_LINE_BYTES, MAX_FRAME_BYTES


@pytest.fixture
def plugin() -> Plugin[dict[str, object]]:
    return Plugin("test", "1")


@pytest.mark.parametrize(
    "line",
    [
        b'{"id":"e1","method":"event","params":{"name":"\xff"}}',
        b'{"id":"e1","method":"event","params":' + b"[" * 100_000 + b"]" * 100_000,
        b'{"id":"e1","method":"ping","params":' + b"[" * 100_000,
        b'{"id":"e1","method":"ping"',
        b'{"id":"e1\xff","method":"ping"}',
        b"x" * (MAX_FRAME_BYTES + 1),
    ],
    ids=["bad utf-8", "deep params", "deep", "half", "bad id", "oversize"],
)
def test_a_frame_that_cannot_be_read_is_answered_and_the_next_one_works(
    plugin: Plugin[dict[str, object]], line: bytes
) -> None:
    plugin.on("*")(lambda _event: None)
    talk = Conversation(plugin)
    error = talk.raw(line)["error"]
    assert isinstance(error, dict)
    assert error["code"] in (-32700, -32602)
    assert error["message"]
    assert talk.event("build_finished")["result"] == {}


def test_an_id_that_is_too_long_is_not_echoed(
    plugin: Plugin[dict[str, object]],
) -> None:
    answer = Conversation(plugin).raw({"id": "i" * 65, "method": "ping"})
    assert answer["id"] is None


def test_an_id_in_use_is_not_answered_twice(
    plugin: Plugin[dict[str, object]],
) -> None:
    plugin.on("*")(lambda _event: None)
    talk = Conversation(plugin)
    frame = {"id": "e1", "method": "event", "params": event_params("eval_added")}
    line = json.dumps(frame).encode() + b"\n"
    (request,) = talk.machine.receive(line + line)
    talk.machine.run(request)
    assert [json.loads(line)["id"] for line in talk.sent] == [None, "e1"]


@pytest.mark.parametrize("name", ["007", "1e3", "null", "a.b_c-d", "", "ü\u2028☃"])
def test_odd_ids_are_echoed_as_they_came(
    plugin: Plugin[dict[str, object]], name: str
) -> None:
    answer = Conversation(plugin).raw({"id": name, "method": "ping"})
    assert answer == {"jsonrpc": "2.0", "id": name, "result": {}}


@pytest.mark.parametrize(
    ("offered", "side"),
    [
        ([2], "upgrade the plugin's hydra-notify-sdk"),
        ([3, 2], "upgrade the plugin's hydra-notify-sdk"),
        ([0], "upgrade the host"),
        ([], "upgrade the host"),
    ],
)
def test_a_host_without_a_version_in_common_hears_which_side_to_upgrade(
    plugin: Plugin[dict[str, object]], offered: list[int], side: str
) -> None:
    error = Conversation(plugin, protocol_versions=offered).hello["error"]
    assert isinstance(error, dict)
    assert error["code"] == 426
    assert error["data"] == {"help": side, "supported": [1]}
    assert "this plugin speaks protocol version 1, the host " in error["message"]


def test_a_request_of_a_wrong_form_is_answered_to_its_id(
    plugin: Plugin[dict[str, object]],
) -> None:
    answer = Conversation(plugin).raw({"id": "e1", "method": 5})
    assert answer["id"] == "e1"


def test_one_read_may_bring_many_frames_and_parts_of_one(
    plugin: Plugin[dict[str, object]],
) -> None:
    plugin.on("*")(lambda _event: None)
    talk = Conversation(plugin)
    stream = b"".join(
        json.dumps(
            {"id": f"e{n}", "method": "event", "params": event_params("step_finished")}
        ).encode()
        + b"\n"
        for n in range(16)
    )
    for cut in range(0, len(stream), 7000):
        for request in talk.machine.receive(stream[cut : cut + 7000]):
            talk.machine.run(request)
    assert [json.loads(line)["id"] for line in talk.sent] == [
        f"e{n}" for n in range(16)
    ]
    assert not talk.machine._open


def test_the_end_cancels_what_is_open(plugin: Plugin[dict[str, object]]) -> None:
    plugin.on("*")(lambda _event: None)
    talk = Conversation(plugin)
    frame = {"id": "e1", "method": "event", "params": event_params("eval_added")}
    (request,) = talk.machine.receive(json.dumps(frame).encode() + b"\n")
    assert not request.event.cancelled
    talk.machine.end()
    assert request.event.cancelled


@pytest.mark.parametrize("text", ["\x01" * 10**6, "☃" * 10**6, "a\n" * 10**6])
def test_a_reply_is_never_longer_than_a_frame(text: str) -> None:
    lines = [
        done_line("e" * 64, Skipped(text)),
        failure_line("e" * 64, Retry(text, after=10**9, fix=text)),
    ]
    for line in lines:
        assert len(line) < MAX_FRAME_BYTES
        assert json.loads(line)["id"]
    assert len(line_of(text)) <= MAX_TEXT


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (7, 7),
        (None, None),
        (["a", {"b": 1.5}], ["a", {"b": 1.5}]),
        ("two\nlines \ud800", "two lines ?"),
        (Path("/x"), "/x"),
        (Unprintable(), "<Unprintable>"),
        (["\ud800"], "<list>"),
    ],
    ids=["int", "null", "nested", "text", "path", "unprintable", "surrogate"],
)
def test_a_field_of_a_log_line_is_sent_as_well_as_json_can(
    value: object, sent: object
) -> None:
    line = log_line("e1", "info", "m", {"field": value})
    assert json.loads(line)["params"]["fields"] == {"field": sent}


@pytest.mark.parametrize("text", ["\x01" * 10**5, "☃" * 10**5, "\ud800" * 10**5])
def test_a_log_line_is_bounded(text: str) -> None:
    line = log_line("e1", "info", text, {f"f{n}{text}": [text] for n in range(100)})
    # Each byte may be written as six.
    assert len(line) < 2 * 6 * LOG_LINE_BYTES + 1_000
    params = json.loads(line)["params"]
    assert len(params["message"].encode()) <= LOG_LINE_BYTES


def test_a_record_of_many_lines_has_its_level_on_each() -> None:
    record = logging.LogRecord("n", logging.ERROR, "", 0, "a\nb", None, None)
    assert LevelFormatter("n").format(record) == "<3>a\n<3>b"


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("debug", logging.DEBUG),
        ("info", logging.INFO),
        ("notice", logging.INFO),
        ("warning", logging.WARNING),
        ("error", logging.ERROR),
        ("critical", logging.CRITICAL),
        ("whatever comes next", logging.INFO),
    ],
)
def test_the_hosts_log_level_is_kept(name: str, level: int) -> None:
    root = logging.getLogger()
    before = root.level
    try:
        set_level(name)
        assert root.level == level
    finally:
        root.setLevel(before)


def test_events_can_be_told_apart_in_a_log(plugin: Plugin[dict[str, object]]) -> None:
    plugin.on("*")(lambda event: Skipped(repr(event)))
    assert Conversation(plugin).event("step_finished")["result"] == {
        "status": "skipped",
        "note": "<Event step_finished:4711:1767607200 attempt 1>",
    }
