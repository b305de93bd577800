"""Every example plugin, run as it stands, by the interpreter its first line names."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.languages import EXAMPLES as LANGUAGES
from tests.languages import is_plugin, need, program
from tests.toy_host import LIMIT, ToyHost, event_params
from tests.transcripts import Frame

from hydra_notify_sdk.wire import CHANNELS

EXAMPLES = Path(__file__).parent.parent / "example_plugins"

PROGRAMS = {
    "log_events": EXAMPLES / "log_events" / "log_events.py",
    "flaky": EXAMPLES / "flaky" / "flaky.py",
    "run_command": EXAMPLES / "run_command" / "run_command.py",
}
"""The webhook needs a server, and has a file of tests of its own."""

EVERY = [*PROGRAMS, *LANGUAGES]

COMMAND = """
builds=$(jq -r '[.build, .dependentIds[]?] | join(" ")' "$HYDRA_JSON")
printf '%s\\t%s\\n' "$HYDRA_EVENT_ID" "$builds" >>received.log
"""

CONFIGS: dict[str, Frame] = {
    "log_events": {"receipts": True},
    "run_command": {"commands": [{"command": COMMAND}]},
}

Start = Callable[[str], ToyHost]


@pytest.fixture
def start(tmp_path: Path, builds: Path) -> Start:
    """Starts an example by its name."""

    def start_example(name: str) -> ToyHost:
        path = PROGRAMS[name] if name in PROGRAMS else program(name, builds)
        return ToyHost([str(path)], tmp_path / "state")

    return start_example


def initialize(host: ToyHost, name: str) -> Frame:
    if name == "run_command":
        need("jq")
    result = host.initialize(CONFIGS.get(name))["result"]
    assert isinstance(result, dict)
    return result


def test_every_example_is_tested() -> None:
    programs = {path for path in EXAMPLES.rglob("*") if is_plugin(path)}
    # These have tests of their own.
    webhook = EXAMPLES / "webhook" / "webhook.py"
    bridge = EXAMPLES / "perl_bridge" / "perl_bridge.pl"
    languages = EXAMPLES / "languages"
    scripts = {
        languages / name / language.file
        for name, language in LANGUAGES.items()
        if not language.build
    }
    assert programs == {*PROGRAMS.values(), *scripts, webhook, bridge}
    assert {path.name for path in languages.iterdir()} == set(LANGUAGES)
    assert all(os.access(program, os.X_OK) for program in programs)


@pytest.mark.parametrize("name", EVERY)
def test_it_says_what_it_is(start: Start, name: str) -> None:
    with start(name) as host:
        manifest = initialize(host, name)
        assert manifest["protocol_version"] == 1
        assert manifest["version"] == "1.0"
        assert manifest["name"]


@pytest.mark.parametrize("name", EVERY)
def test_it_delivers_a_sample_of_every_event_it_wants(start: Start, name: str) -> None:
    with start(name) as host:
        events = initialize(host, name)["events"]
        wanted = CHANNELS if events == ["*"] else ("build_finished",)
        for channel in wanted:
            assert host.event(channel)["result"] == {}, channel
        received = received_by(host)
        assert list(received) == [f"{channel}:4711:1767607200" for channel in wanted]
        assert received["build_finished:4711:1767607200"] == "4711 4712 4713"
        assert received.get("step_finished:4711:1767607200", "4711") == "4711"
        assert received.get("eval_added:4711:1767607200", "") == ""
        assert host.shutdown() == 0
        assert not host.stray


def received_by(host: ToyHost) -> dict[str, str]:
    """What it has noted: builds by event."""
    lines = (host.state_dir / "received.log").read_text().splitlines()
    pairs = (line.partition("\t") for line in lines)
    return {event: builds for event, _, builds in pairs}


@pytest.mark.parametrize("name", EVERY)
def test_it_takes_an_event_a_second_time(start: Start, name: str) -> None:
    with start(name) as host:
        initialize(host, name)
        for attempt in (1, 2):
            answer = host.event(
                "build_finished", attempt=attempt, redelivered=attempt > 1
            )
            assert answer["result"] == {}


@pytest.mark.parametrize("name", EVERY)
def test_it_ends_when_its_stdin_does(start: Start, name: str) -> None:
    with start(name) as host:
        initialize(host, name)
        assert host.end() == 0


@pytest.mark.parametrize("name", EVERY)
def test_it_ends_with_stdin_before_it_was_asked_anything(
    start: Start, name: str
) -> None:
    with start(name) as host:
        assert host.end() == 0


@pytest.mark.parametrize("name", sorted(set(EVERY) - {"flaky"}))
def test_it_lives_with_what_it_does_not_know(start: Start, name: str) -> None:
    with start(name) as host:
        initialize(host, name)
        host.send({"jsonrpc": "2.0", "method": "$/grease", "params": {"a": [None]}})
        host.send({"method": "cancel", "params": {"id": "gone", "reason": "deadline"}})
        error = host.ask("describe")["error"]
        assert isinstance(error, dict)
        assert error["code"] == -32601
        assert host.event("build_finished")["result"] == {}
        assert [f for f in host.frames if f.get("method") != "log"] == []


@pytest.mark.parametrize("name", ["log_events", "bash", "lua", "perl"])
def test_it_works_with_a_newer_host(start: Start, name: str) -> None:
    newer: Frame = {"future": [{"deep": None}]}
    event = event_params("build_finished")
    for part in ("delivery", "event"):
        inner = event[part]
        assert isinstance(inner, dict)
        inner |= newer
    hello = {
        "protocol_versions": [2, 1],
        "host": {"name": "newer", "version": "9", **newer},
        "instance": "test",
        "log_level": "trace",
        **newer,
    }
    with start(name) as host:
        for request, method, params in (
            ("1e3", "initialize", hello),
            ("007", "event", {**event, **newer}),
            # Which those that want one event only are not sent.
            ("..", "event", newer_event() if name == "log_events" else event),
            ("e" * 64, "event", event),
            ("null", "shutdown", {"reason": "hibernation", "grace_ms": 1, **newer}),
        ):
            host.send({"jsonrpc": "2.0", "method": "$/future", "params": newer})
            frame = {"jsonrpc": "2.0", "id": request, "method": method}
            host.send({**frame, "params": params, **newer})
            result = host.answer(request)["result"]
            assert isinstance(result, dict)
            if method == "initialize":
                assert result["protocol_version"] == 1
        assert host.end() == 0
        assert [f for f in host.frames if f.get("method") != "log"] == []


def newer_event() -> Frame:
    """One of a channel that does not exist."""
    return {
        "name": "jobset_changed",
        "delivery": {"attempt": 1, "redelivered": False, "timeout_ms": 30_000},
        "event": {
            "specversion": "1.0",
            "id": "jobset_changed:7",
            "source": "https://hydra.test",
            "type": "hydra.jobset_changed",
            "data": {"event": "jobsetChanged", "jobset": 7},
        },
    }


@pytest.mark.parametrize("name", sorted(set(LANGUAGES) - {"python"}))
def test_what_cannot_be_written_down_is_not_acknowledged(
    start: Start, name: str
) -> None:
    with start(name) as host:
        initialize(host, name)
        (host.state_dir / "received.log").mkdir()
        error = host.event("build_finished")["error"]
        assert isinstance(error, dict)
        assert error["code"] == 500
        assert "received.log" in str(error["message"])


def test_a_list_is_kept_only_by_those_who_are_asked(tmp_path: Path) -> None:
    with ToyHost([str(PROGRAMS["log_events"])], tmp_path / "state") as host:
        host.initialize()
        assert host.event("build_finished")["result"] == {}
        assert not (host.state_dir / "received.log").exists()
        url = "build_finished: https://hydra.example.org/build/4711"
        assert url in json.dumps(list(host.frames))


def drive_flaky(state: Path, settings: Frame, events: int) -> tuple[int, list[bytes]]:
    """Has a flaky plugin handle events, as a host would: restarts, repetitions.

    Returns:
        How often it was started, and its stray lines.
    """
    starts = 0
    stray: list[bytes] = []
    left = [f"build_finished:{number}" for number in range(events)]
    while left:
        starts += 1
        assert starts < 500, "it makes no progress"
        process = subprocess.Popen(
            [sys.executable, str(PROGRAMS["flaky"])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=state,
        )
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            hello = {"id": "i", "method": "initialize", "params": {"config": settings}}
            frames = [hello]
            for name in left:
                event = {"id": name, "data": {"build": 1}}
                params = {"event": event}
                frames.append({"id": name, "method": "event", "params": params})
            text = "".join(json.dumps(frame) + "\n" for frame in frames)
            output, _ = process.communicate(text.encode(), LIMIT)
        for line in output.splitlines():
            # As the host does: what is glued before a frame is cut off.
            _, brace, rest = line.partition(b'{"jsonrpc"')
            try:
                frame = json.loads(brace + rest)
            except ValueError:
                stray.append(line)
                continue
            if "result" in frame and frame.get("id") in left:
                left.remove(frame["id"])
    return starts, stray


def test_a_flaky_plugin_misbehaves_and_still_handles_every_event(
    tmp_path: Path,
) -> None:
    settings: Frame = {
        "crash_rate": 0.2,
        "error_rate": 0.2,
        "rubbish_rate": 0.3,
        "seed": 7,
    }
    starts, stray = drive_flaky(tmp_path, settings, events=60)
    assert starts > 5
    assert stray
    lines = (tmp_path / "received.log").read_text().splitlines()
    assert {line.split("\t")[0] for line in lines} == {
        f"build_finished:{number}" for number in range(60)
    }
    assert len(lines) > 60, "it never crashed between the work and its answer"


def test_a_flaky_plugin_may_be_told_when_to_stop_crashing(tmp_path: Path) -> None:
    settings: Frame = {"crash_rate": 0.9, "fatal_starts": 3, "seed": 1}
    starts, _ = drive_flaky(tmp_path, settings, events=60)
    assert starts == 4


def test_a_flaky_plugin_hangs_when_told_to(tmp_path: Path) -> None:
    with ToyHost([str(PROGRAMS["flaky"])], tmp_path / "state") as host:
        manifest = host.initialize({"hang_rate": 1.0})["result"]
        assert isinstance(manifest, dict)
        assert manifest["timeout_ms"] == 1500
        assert host.ask("ping")["result"] == {}
        host.request("event", {"event": {"id": "e", "data": {}}})
        host.request("ping")
        assert host.is_silent(0.5)
        # Or it would stay for ever behind a host that was killed.
        assert host.end() == 0


def test_the_same_seed_misbehaves_the_same_way(tmp_path: Path) -> None:
    settings: Frame = {"crash_rate": 0.2, "rubbish_rate": 0.3, "seed": 3}
    runs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        runs.append(drive_flaky(tmp_path / name, settings, events=20))
    assert runs[0] == runs[1]
