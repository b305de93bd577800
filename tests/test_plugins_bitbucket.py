"""Statuses on Bitbucket, against a server that answers as told."""

import json
from pathlib import Path

import pytest
from tests.forges import (
    OLD,
    REV,
    Started,
    bodies,
    build_event,
    evaluation,
    git_input,
    states,
)

from hydra_notify.kit.sink import Reply, Sink
from hydra_notify_plugins.bitbucket import plugin
from hydra_notify_sdk.testing import StartFailed, drive
from hydra_notify_sdk.wire import Verdict

SRC = git_input("src", "git@bitbucket.org:team/app.git", responsible=True)
LIB = git_input("lib", "https://bitbucket.org/team/lib", OLD)
LEGACY = evaluation(12, SRC, LIB)


@pytest.fixture
def started(sink: Sink, tmp_path: Path) -> Started:
    settings = {"api_url": f"{sink.url}/2.0", "hosts": ["bitbucket.org"]}
    return Started(plugin, settings, {"token": "t0ken"}, tmp_path)


def test_a_success_is_said_at_its_commit_as_by_bitbucketstatus(
    started: Started, sink: Sink
) -> None:
    host = started({"password": "app password"}, username="alice")
    host.send(build_event("build_finished", [LEGACY])).raise_for_failure()
    (call,) = sink.calls
    path = f"/2.0/repositories/team/app/commit/{REV}/statuses/build"
    assert call.line == f"POST {path}"
    assert call.headers["authorization"] == "Basic YWxpY2U6YXBwIHBhc3N3b3Jk"
    body = json.loads(call.body)
    key = body.pop("key")
    assert len(key) == 40
    assert body == {
        "state": "SUCCESSFUL",
        "name": "nixpkgs:trunk:hello.x86_64-linux",
        "url": "https://hydra.example.org/build/4711",
        "description": "Hydra build #4711 of nixpkgs:trunk:hello.x86_64-linux: "
        "succeeded",
    }


@pytest.mark.parametrize(
    ("status", "state"),
    [(0, "SUCCESSFUL"), (1, "FAILED"), (3, "FAILED"), (4, "STOPPED")],
)
def test_every_status_has_a_state(
    started: Started, sink: Sink, status: int, state: str
) -> None:
    started().send(build_event("build_finished", [LEGACY], status=status))
    assert states(sink) == [state]


def test_a_build_is_in_progress_until_it_ends_under_one_key(
    started: Started, sink: Sink
) -> None:
    host = started()
    for name in ("build_queued", "build_started", "build_finished", "build_started"):
        host.send(build_event(name, [LEGACY])).raise_for_failure()
    assert states(sink) == ["INPROGRESS", "SUCCESSFUL"]
    assert len({body["key"] for body in bodies(sink)}) == 1


def test_the_named_inputs_are_meant_or_those_that_mails_are_about(
    started: Started, sink: Sink
) -> None:
    started(inputs=["lib"]).send(build_event("build_finished", [LEGACY]))
    gone = git_input("src", "git@bitbucket.org:team/app.git", responsible=None)
    other = git_input("x", "https://github.com/team/app", responsible=True)
    nothing = started().send(
        build_event("build_finished", [evaluation(1, gone, other)])
    )
    assert nothing.skipped
    assert [call.line.split("/")[4] for call in sink.calls] == ["lib"]


def test_a_flake_needs_no_inputs(started: Started, sink: Sink) -> None:
    reference = f"git+ssh://git@bitbucket.org/team/app?rev={REV}"
    host = started({"team": "t-team"})
    host.send(build_event("build_finished", [evaluation(1, flake=reference)]))
    (call,) = sink.calls
    assert call.headers["authorization"] == "Bearer t-team"
    assert "/repositories/team/app/" in call.line


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(401), Verdict.BLOCK),
        (Reply(403), Verdict.RETRY),
        (Reply(404), Verdict.DEAD),
        (Reply(429, headers={"Retry-After": "7"}), Verdict.PAUSE),
        (Reply(500), Verdict.RETRY),
    ],
)
def test_what_it_does_not_take_is_not_counted_as_said(
    started: Started, sink: Sink, reply: Reply, verdict: Verdict
) -> None:
    event = build_event("build_finished", [LEGACY])
    host = started()
    sink.first.append(reply)
    assert host.send(event).verdict is verdict
    assert host.send(event, attempt=2).delivered


def test_jobs_names_and_descriptions_are_as_configured(
    started: Started, sink: Sink
) -> None:
    host = started(jobs=".*:hello.*", context="ci/{jobset}", description="{status}")
    event = build_event("build_finished", [LEGACY], status=1, dependents=True)
    host.send(event).raise_for_failure()
    (body,) = bodies(sink)
    assert (body["name"], body["description"]) == ("ci/trunk", "failed")


@pytest.mark.parametrize(
    ("config", "secrets", "problem"),
    [
        ({}, {}, r"secrets\.token: is required"),
        ({}, {"password": "p"}, r"settings\.username: is required"),
        ({"username": "alice"}, {"token": "t"}, r"secrets\.password: is required"),
    ],
)
def test_a_way_to_sign_in_is_required(
    tmp_path: Path, config: dict[str, object], secrets: dict[str, str], problem: str
) -> None:
    with pytest.raises(StartFailed, match=problem):
        drive(plugin, config=config, secrets=secrets, state_dir=tmp_path)
