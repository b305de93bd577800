"""The SDK plays the plugin's part in every golden conversation, in memory and alive."""

import json
import logging
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.programs.scripted import plugin_of
from tests.toy_host import ToyHost
from tests.transcripts import Frame, Line, Transcript, differences, fill, load
from tests.transcripts.newer import Newer, newer_versions

import hydra_notify_sdk
from hydra_notify_sdk.logs import EventHandler
from hydra_notify_sdk.machine import Machine, Request

HERE = Path(__file__).parent
SCRIPTED = HERE / "programs" / "scripted.py"


@pytest.fixture(autouse=True, scope="module")
def sent_logs() -> Iterator[None]:
    """What handlers log goes over the wire, as in a plugin that runs."""
    handler = EventHandler("golden", logging.NullHandler())
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)


class InMemory:
    """A plugin without a process; events wait until their answer is due."""

    def __init__(self, transcript: Transcript) -> None:
        plugin = plugin_of(transcript.name)
        self.sent: deque[bytes] = deque()
        self.waiting: dict[str, Request] = {}
        self.machine = Machine(plugin.start, plugin.handle, self.sent.append)

    def receive(self, line: bytes) -> None:
        for request in self.machine.receive(line):
            self.waiting[request.id] = request

    def next_frame(self, line: Line) -> Frame:
        """The next frame the plugin sends, if need be by handling an event for it."""
        assert line.frame is not None
        if not self.sent:
            params = line.frame.get("params")
            about = params["id"] if isinstance(params, dict) else line.frame["id"]
            self.machine.run(self.waiting.pop(str(about)))
        while not is_said(frame := json.loads(self.sent.popleft()), [line]):
            pass
        assert isinstance(frame, dict)
        return frame


def play(line: Line, plugin: InMemory) -> None:
    match line:
        case Line(sender="host", frame=dict(frame)):
            plugin.receive(json.dumps(fill(frame)).encode() + b"\n")
        case Line(sender="host", raw=str(raw)):
            plugin.receive(raw.encode() + b"\n")
        case Line(sender="host", end=True):
            plugin.machine.end()
        case Line(sender="plugin", frame=dict(frame)):
            actual = plugin.next_frame(line)
            assert not list(differences(frame, actual)), f"line {line.number}: {actual}"
        case Line(sender="plugin", exit=0):
            assert not plugin.waiting
        case _:
            raise AssertionError(f"line {line.number} cannot be played")


@pytest.mark.parametrize("transcript", load("plugin"), ids=lambda t: t.name)
def test_the_sdk_plays_its_part(transcript: Transcript) -> None:
    plugin = InMemory(transcript)
    for line in transcript.lines:
        play(line, plugin)
    assert not plugin.sent, "it says more than the transcript"


@pytest.mark.parametrize("transcript", load("plugin"), ids=lambda t: t.name)
@settings(max_examples=5, deadline=None)
@given(newer=newer_versions)
def test_what_a_newer_host_adds_changes_nothing(
    transcript: Transcript, newer: Newer
) -> None:
    plugin = InMemory(transcript)
    for line in transcript.lines:
        if line.sender == "host" and line.frame is not None:
            for told in newer.told():
                plugin.receive(json.dumps(told).encode() + b"\n")
            play(replace(line, frame=newer.grown(of_newer_host(line.frame))), plugin)
        else:
            play(line, plugin)
    assert not plugin.sent


def of_newer_host(frame: Frame) -> Frame:
    """`frame` as it is sent, by a host that speaks a newer version of the protocol."""
    filled = fill(frame)
    assert isinstance(filled, dict)
    params = filled.get("params")
    if filled["method"] == "initialize" and isinstance(params, dict):
        params["protocol_versions"] = [1000, *params["protocol_versions"]]
    return filled


def is_said(frame: Frame, due: Iterable[Line]) -> bool:
    """Whether a conversation tells of `frame`: of a log only where it is about one.

    The traceback of a handler that crashes is in no transcript.
    """
    methods = {line.frame.get("method") for line in due if line.frame}
    return frame.get("method") != "log" or "log" in methods


def host_for(transcript: str, tmp_path: Path) -> ToyHost:
    # The SDK that is tested, wherever it was imported from.
    sdk = Path(hydra_notify_sdk.__file__).parents[1]
    command = ["env", f"PYTHONPATH={HERE.parent}:{sdk}", sys.executable]
    return ToyHost([*command, str(SCRIPTED), transcript], tmp_path / "state")


@pytest.mark.parametrize("transcript", load("plugin"), ids=lambda t: t.name)
def test_a_real_process_plays_its_part(transcript: Transcript, tmp_path: Path) -> None:
    due: list[Line] = []
    with host_for(transcript.name, tmp_path) as host:
        for line in transcript.lines:
            if line.sender == "plugin" and line.frame is not None:
                due.append(line)
                continue
            # Between two of the host's lines threads may answer in any order.
            expect_in_any_order(host, due)
            due.clear()
            match line:
                case Line(frame=dict(frame)):
                    host.send(fill(frame))
                case Line(raw=str(raw)):
                    host.send_raw(raw.encode() + b"\n")
                case Line(end=True):
                    host.hang_up()
                case Line(exit=int(status)):
                    assert host.exit_status() == status, host.stderr
                case _:
                    raise AssertionError(f"line {line.number} cannot be played")
        assert not host.stray
        assert not host.frames


def expect_in_any_order(host: ToyHost, due: list[Line]) -> None:
    actual: list[Frame] = []
    while len(actual) < len(due):
        frame = host.next_frame()
        if is_said(frame, due):
            actual.append(frame)
    for line in due:
        fitting = [f for f in actual if not list(differences(line.frame, f))]
        assert fitting, f"line {line.number}: none of {actual}"
        actual.remove(fitting[0])
