"""The plugins in other languages keep to the protocol where it is easy not to."""

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.languages import EXAMPLES, LANGUAGES, files, lines_of_code, program
from tests.toy_host import ToyHost, event_params
from tests.transcripts import Frame

from hydra_notify_sdk.wire.limits import MAX_FRAME_BYTES

Start = Callable[[], ToyHost]

SHORT = 60
"""Lines of code that a whole plugin without SDK can do with."""

MAX_COLUMNS = 100
"""Characters in a line, so that few lines are few words, too."""

with_settings = pytest.mark.parametrize(
    "language", [name for name in EXAMPLES if EXAMPLES[name].settings]
)

IDS = ("007", "1e3", "null", "true", "-", "_", ".", "-1", "0x10", "Az.9_-" + "7" * 58)
"""Ids that are something else to a program which does not take them for texts."""

GARBAGE = (b"garbage", b'{"id":"a","method":', b'{"id":"a"}}', b"\xff\xfe{}", b'"\x01"')
"""Lines that are no JSON."""

WORDS = 'ü \U0001f600 \u2028 "\\ \0 end'
"""Text that needs care: more than one byte, two surrogates, a line break to some
languages, quotes, and NUL, which cannot be within an argument of a program."""


@pytest.fixture(params=EXAMPLES)
def language(request: pytest.FixtureRequest) -> str:
    name = request.param
    assert isinstance(name, str)
    return name


@pytest.fixture
def start(language: str, tmp_path: Path, builds: Path) -> Start:
    """Starts the example, without having it initialized."""

    def start_example() -> ToyHost:
        return ToyHost([str(program(language, builds))], tmp_path / "state")

    return start_example


def error_of(answer: Frame) -> Frame:
    error = answer["error"]
    assert isinstance(error, dict)
    assert isinstance(error["message"], str)
    return error


def test_it_answers_what_is_hard_to_read_and_survives_what_cannot_be_read(
    start: Start,
) -> None:
    with start() as host:
        host.initialize()
        for line in GARBAGE:
            host.send_raw(line + b"\n")
            answer = host.next_frame()
            assert (answer["id"], error_of(answer)["code"]) == (None, -32700), line
            assert answer["jsonrpc"] == "2.0"
        for line in (b"[]", b"7", b"null"):
            host.send_raw(line + b"\n")
            answer = host.next_frame()
            assert (answer["id"], error_of(answer)["code"]) == (None, -32600), line
        host.send_raw(b"\n\r\n")
        for name in IDS:
            host.send({"id": name, "method": "no/such", "params": {"event": "x"}})
            assert error_of(host.answer(name))["code"] == -32601
            host.send_raw(json.dumps({"id": name, "method": "shutdown"}).encode())
            host.send_raw(b"\r\n")
            assert host.answer(name) == {"jsonrpc": "2.0", "id": name, "result": {}}
        assert not host.frames
        assert not host.stray
        assert host.end() == 0


def test_it_reads_long_frames_and_every_character(start: Start) -> None:
    with start() as host:
        host.initialize()
        params = event_params("build_finished")
        envelope = params["event"]
        assert isinstance(envelope, dict)
        data = envelope["data"]
        data |= {"url": f"https://hydra.test/{WORDS}", "description": ""}
        data["unknown"] = [None, True, -1.5e-3, 0, "", {}, {"": [[]]}]
        for ascii_only in (True, False):
            frame: Frame = {"id": "e", "method": "event", "params": params}
            data["description"] = ""
            room = MAX_FRAME_BYTES - len(encode(frame, ascii_only=ascii_only))
            data["description"] = "x" * room
            line = encode(frame, ascii_only=ascii_only)
            assert len(line) == MAX_FRAME_BYTES
            host.send_raw(line + b"\n")
            assert host.answer("e")["result"] == {}
        assert host.end() == 0
        assert host.log.count("https://hydra.test/ü \U0001f600") == 2


def encode(frame: Frame, *, ascii_only: bool) -> bytes:
    text = json.dumps(frame, ensure_ascii=ascii_only, separators=(",", ":"))
    return text.encode()


def test_it_refuses_a_protocol_it_does_not_know(start: Start) -> None:
    with start() as host:
        params: Frame = {"protocol_versions": [2, 999], "instance": "test"}
        params["host"] = {"name": "toy", "version": "9"}
        error = error_of(host.ask("initialize", params))
        assert error["code"] == 426
        data = error["data"]
        assert isinstance(data, dict)
        assert data["supported"] == [1]
        assert host.end() == 0


@with_settings
def test_it_refuses_settings_it_does_not_know(start: Start) -> None:
    with start() as host:
        error = error_of(host.initialize({"failures_only": "yes"}))
        assert error["code"] == 422
        assert str(error["message"]).startswith("settings.failures_only: ")
        assert host.end() == 0


@with_settings
def test_its_setting_narrows_what_it_does_and_its_secret_stays_secret(
    start: Start,
) -> None:
    with start() as host:
        host.initialize({"failures_only": True}, {"token": "open sesame"})
        params = event_params("build_finished")
        for status, answer in ((0, "skipped"), (1, "delivered")):
            params["event"]["data"]["buildStatus"] = status  # type: ignore[index]
            result = host.ask("event", params)["result"]
            assert isinstance(result, dict)
            assert result.get("status", "delivered") == answer
        assert host.end() == 0
        assert "status 1" in host.log
        assert "status 0" not in host.log
        assert "sesame" not in host.log


def test_what_is_sent_again_is_written_down_once(start: Start) -> None:
    with start() as host:
        host.initialize()
        for redelivered in (False, True, True):
            answer = host.event("build_finished", redelivered=redelivered)
            assert answer["result"] == {}
        assert host.end() == 0
        received = (host.state_dir / "received.log").read_text()
        assert received == "build_finished:4711:1767607200\t4711 4712 4713\n"


def test_sigterm_ends_it_and_all_it_has_started(start: Start) -> None:
    with start() as host:
        host.initialize()
        os.kill(host.pid, signal.SIGTERM)
        assert host.exit_status() in (-signal.SIGTERM, 128 + signal.SIGTERM, 0)
        # Nobody is left who has the other end.
        assert host.is_closed()


def test_what_an_author_edits_is_short(language: str) -> None:
    assert lines_of_code(LANGUAGES / language / EXAMPLES[language].file) < SHORT


def test_each_language_has_a_plugin_that_is_short_as_a_whole(language: str) -> None:
    base = language.removesuffix("_short")
    names = [name for name in (base, f"{base}_short") if name in EXAMPLES]
    assert min(lines_of_code(*files(name)) for name in names) < SHORT


def test_its_lines_are_not_long(language: str) -> None:
    for file in files(language):
        assert max(map(len, file.read_text().splitlines())) <= MAX_COLUMNS, file


def test_the_docs_show_it_where_it_is(language: str) -> None:
    docs = Path(__file__).parents[1] / "docs"
    targets = re.findall(r"\]\(([^)#]+)\)", (docs / "languages.md").read_text())
    for target in targets:
        assert (docs / target).is_file(), target
    shown = {(docs / target).resolve() for target in targets}
    assert LANGUAGES / language / EXAMPLES[language].file in shown
