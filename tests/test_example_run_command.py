"""The example that runs commands, by the cases of Hydra's own tests of RunCommand."""

import json
import os
import select
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.toy_host import LIMIT, ToyHost, event_params
from tests.transcripts import Frame, sample

RUN_COMMAND = (
    Path(__file__).parent.parent / "example_plugins" / "run_command" / "run_command.py"
)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[ToyHost]:
    with ToyHost([str(RUN_COMMAND)], tmp_path / "state") as host:
        yield host


def start(host: ToyHost, *commands: Frame | str) -> Frame:
    entries = [{"command": c} if isinstance(c, str) else c for c in commands]
    return host.initialize({"commands": entries})


def runs(host: ToyHost) -> list[Frame]:
    """What it has recorded."""
    path = host.state_dir / "commands.log"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def finish(host: ToyHost, **changes: object) -> Frame:
    """Its answer to a finished build that differs from the sample."""
    params = event_params("build_finished")
    event = params["event"]
    assert isinstance(event, dict)
    event["data"] |= changes
    return host.ask("event", params)


def log_of(host: ToyHost, run: Frame) -> Path:
    name = str(run["uuid"])
    return host.state_dir / "logs" / name[:2] / name


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        ("project:jobset:job", True),
        ("*:jobset:job", True),
        ("project:*:job", True),
        ("project:jobset:*", True),
        ("*:*:job", True),
        ("*:jobset:*", True),
        ("project:*:*", True),
        ("*:*:*", True),
        ("", True),
        ("project", True),
        ("project:jobset", True),
        ("project::", True),
        ("*", True),
        ("project:jobset:nonmatch", False),
        ("project:nonmatch:job", False),
        ("nonmatch:jobset:job", False),
        ("nonmatch", False),
        ("*:nonmatch:*", False),
        (":jobset:job", False),
        ("*:*:j.*", False),
        ("*:*:jo*", False),
        (".*:.*:.*", False),
    ],
)
def test_a_matcher_is_names_or_stars(
    host: ToyHost, matcher: str, expected: bool
) -> None:
    start(host, {"job": matcher, "command": "true"})
    answer = finish(host, project="project", jobset="jobset", job="job")
    assert answer["result"] == {}
    assert len(runs(host)) == expected


def test_a_matcher_of_four_sections_is_refused(host: ToyHost) -> None:
    error = start(host, "true", {"job": "a:b:c:d", "command": "true"})["error"]
    assert error == {
        "code": 422,
        "message": ("settings.commands[1].job: 'a:b:c:d' has more than three sections"),
        "data": {"help": "write project:jobset:job"},
    }


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "settings.commands: is required"),
        ({"commands": [{}]}, "settings.commands[0].command: is required"),
        (
            {"commands": [{"command": "true", "jbo": "*"}]},
            "settings.commands[0].jbo: there is no such setting",
        ),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(
    host: ToyHost, config: Frame, message: str
) -> None:
    error = host.initialize(config)["error"]
    assert isinstance(error, dict)
    assert (error["code"], error["message"]) == (422, message)


def test_a_command_finds_the_build_in_hydra_json(host: ToyHost) -> None:
    start(host, 'cp "$HYDRA_JSON" copy.json; echo "$HYDRA_JSON" >path; umask >umask')
    assert host.event("build_finished")["result"] == {}
    copy = json.loads((host.state_dir / "copy.json").read_text())
    assert copy == sample("build_finished")
    path = Path((host.state_dir / "path").read_text().strip())
    assert not path.exists(), "it is removed in the end"


def test_a_run_is_recorded_with_its_output(host: ToyHost) -> None:
    start(host, {"job": "*:*:*", "command": "echo out; echo err >&2"})
    host.event("build_finished")
    (run,) = runs(host)
    assert run["jobMatcher"] == "*:*:*"
    assert run["command"] == "echo out; echo err >&2"
    assert run["event"] == "build_finished:4711:1767607200"
    assert run["build"] == 4711
    assert (run["exitCode"], run["signal"], run["errorNumber"]) == (0, None, None)
    begin, end = run["startTime"], run["stopTime"]
    assert isinstance(begin, int)
    assert isinstance(end, int)
    assert begin <= end
    log = log_of(host, run)
    assert log.read_text() == "out\nerr\n"
    assert stat.S_IMODE(log.stat().st_mode) == 0o640


def test_a_quiet_command_has_an_empty_log(host: ToyHost) -> None:
    start(host, "true")
    host.event("build_finished")
    assert log_of(host, runs(host)[0]).read_bytes() == b""


@pytest.mark.parametrize(
    ("command", "recorded"),
    [
        ("false", {"exitCode": 1, "signal": None, "errorNumber": None}),
        ("exit 85", {"exitCode": 85, "signal": None, "errorNumber": None}),
        ("kill -15 $$", {"exitCode": None, "signal": 15, "errorNumber": None}),
        ("kill -9 $$", {"exitCode": None, "signal": 9, "errorNumber": None}),
        ("/does/not/exist", {"exitCode": None, "signal": None, "errorNumber": 2}),
        ("no-such-command -x", {"exitCode": None, "signal": None, "errorNumber": 2}),
        ("./no-program", {"exitCode": None, "signal": None, "errorNumber": 13}),
        ("(exit 127)", {"exitCode": 127, "signal": None, "errorNumber": None}),
    ],
)
def test_how_a_command_ends_is_recorded_and_no_failure(
    host: ToyHost, command: str, recorded: Frame
) -> None:
    (host.state_dir / "no-program").touch(mode=0o644)
    start(host, command)
    assert host.event("build_finished")["result"] == {}
    (run,) = runs(host)
    assert {key: run[key] for key in recorded} == recorded


@pytest.mark.parametrize("status", [0, 1, 4, None])
def test_it_runs_whatever_the_builds_status_is(host: ToyHost, status: object) -> None:
    start(host, "true")
    finish(host, buildStatus=status)
    assert len(runs(host)) == 1


def test_matching_commands_run_in_order_and_for_the_head_only(host: ToyHost) -> None:
    start(
        host,
        {"job": "", "command": "echo foo >>order"},
        {"job": "*:*:*", "command": "echo bar >>order"},
        {"job": "*:*:greeter.x86_64-linux", "command": "echo dependent >>order"},
        {"command": "echo baz >>order"},
    )
    host.event("build_finished")
    assert (host.state_dir / "order").read_text() == "foo\nbar\nbaz\n"


def test_commands_read_nothing_and_know_the_event_and_hydra(host: ToyHost) -> None:
    host.ask(
        "initialize",
        {
            "protocol_versions": [1],
            "host": {"name": "t", "version": "1", "hydra_data": "/var/lib/hydra"},
            "instance": "t",
            "config": {"commands": [{"command": 'cat; echo "$HYDRA_DATA"; pwd'}]},
            "state_dir": str(host.state_dir),
        },
    )
    host.event("build_finished")
    output = log_of(host, runs(host)[0]).read_text()
    assert output == f"/var/lib/hydra\n{host.state_dir}\n"


def test_the_event_id_tells_a_repetition(host: ToyHost) -> None:
    start(host, 'echo "$HYDRA_EVENT_ID" >>ids')
    for attempt in (1, 2):
        host.event("build_finished", attempt=attempt)
    ids = (host.state_dir / "ids").read_text().splitlines()
    assert ids == ["build_finished:4711:1767607200"] * 2


def test_what_has_run_to_its_end_does_not_run_again_when_the_event_is_redelivered(
    host: ToyHost,
) -> None:
    start(host, "echo run >>runs")
    for attempt in (1, 2):
        answer = host.event("build_finished", attempt=attempt, redelivered=attempt > 1)
        assert answer["result"] == {}
    assert (host.state_dir / "runs").read_text() == "run\n"


LONG = "sleep 600 & echo $! $$ >pids; touch started; wait"
"""Starts a child, as a shell script would, and goes on for very long."""


def wait_for_pids(host: ToyHost) -> list[int]:
    """The processes of `LONG`; the plugin's log is read until they are there."""
    while not (host.state_dir / "started").exists():
        host.ask("ping")
    return [int(pid) for pid in (host.state_dir / "pids").read_text().split()]


def assert_ended(pids: list[int]) -> None:
    """Waits for the end of processes that are not ours: SIGKILL takes its time."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            assert select.select([descriptor], [], [], LIMIT)[0], f"{pid} runs on"
        finally:
            os.close(descriptor)


def test_a_cancelled_command_is_ended_with_its_children(host: ToyHost) -> None:
    start(host, LONG, "touch next")
    name = host.request("event", event_params("build_finished"))
    pids = wait_for_pids(host)
    host.send({"method": "cancel", "params": {"id": name, "reason": "deadline"}})
    error = host.answer(name)["error"]
    assert error == {"code": 499, "message": "cancelled"}
    assert_ended(pids)
    assert not (host.state_dir / "next").exists()
    assert host.event("eval_added")["result"]


def test_a_command_that_ignores_sigterm_is_killed(host: ToyHost) -> None:
    start(host, f"trap '' TERM; {LONG}")
    name = host.request("event", event_params("build_finished"))
    pids = wait_for_pids(host)
    host.send({"method": "cancel", "params": {"id": name, "reason": "deadline"}})
    assert "error" in host.answer(name)
    assert_ended(pids)


@pytest.mark.parametrize("how", ["SIGTERM", "the end of stdin"])
def test_a_command_ends_with_the_plugin(host: ToyHost, how: str) -> None:
    start(host, LONG)
    host.request("event", event_params("build_finished"))
    pids = wait_for_pids(host)
    if how == "SIGTERM":
        os.kill(host.pid, signal.SIGTERM)
        assert host.exit_status() == 0
    else:
        assert host.end() == 0
    assert_ended(pids)


def test_a_log_that_cannot_be_written_is_a_failure(host: ToyHost) -> None:
    start(host, "touch ran")
    (host.state_dir / "logs").write_text("in the way")
    error = host.event("build_finished")["error"]
    assert isinstance(error, dict)
    assert error["code"] == 500
    assert not (host.state_dir / "ran").exists()


def test_a_document_left_over_by_a_crash_is_removed_at_the_next_start(
    host: ToyHost,
) -> None:
    left_over = host.state_dir / "hydra-left-over.json"
    left_over.write_text("{}")
    start(host, "true")
    assert not left_over.exists()
