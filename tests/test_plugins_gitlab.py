"""Statuses on GitLab, against a server that answers as told."""

import json
from pathlib import Path

import pytest
from tests.forges import (
    REV,
    Started,
    bodies,
    build_event,
    evaluation,
    git_input,
    states,
    text_input,
)

from hydra_notify.kit.sink import Reply, Sink
from hydra_notify_plugins.gitlab import plugin
from hydra_notify_sdk.testing import StartFailed, drive
from hydra_notify_sdk.wire import Verdict

FLAKE = evaluation(12, flake=f"gitlab:group%2Fsub/app/{REV}?narHash=sha256-x")
LEGACY = evaluation(12, git_input("src", "git@gitlab.com:group/app.git"))


@pytest.fixture
def started(sink: Sink, tmp_path: Path) -> Started:
    settings = {"url": sink.url, "hosts": ["gitlab.com"]}
    return Started(plugin, settings, {"token": "t0ken"}, tmp_path)


def refusal(step: str, before: str) -> Reply:
    """What GitLab answers to a status that is no news to it."""
    words = f"Cannot transition status via :{step} from :{before}"
    reason = f'(Reason(s): Status cannot transition via "{step}")'
    return Reply(400, body=json.dumps({"message": f"{words} {reason}"}).encode())


def test_a_success_is_said_at_its_commit_as_by_gitlabstatus(
    started: Started, sink: Sink
) -> None:
    legacy = evaluation(
        12,
        git_input("src", "https://gitlab.com/group/app.git"),
        text_input("gitlab_status_repo", "src"),
        text_input("gitlab_project_id", "17"),
    )
    host = started({"17": "by id"})
    host.send(build_event("build_finished", [legacy])).raise_for_failure()
    (call,) = sink.calls
    assert call.line == f"POST /api/v4/projects/17/statuses/{REV}"
    assert call.headers["private-token"] == "by id"
    assert json.loads(call.body) == {
        "state": "success",
        "target_url": "https://hydra.example.org/build/4711",
        "description": "Hydra build #4711 of nixpkgs:trunk:hello.x86_64-linux: "
        "succeeded",
        "name": "Hydra hello.x86_64-linux",
    }


def test_a_build_is_pending_then_running_then_over(
    started: Started, sink: Sink
) -> None:
    host = started()
    for name in ("build_queued", "build_started", "build_queued", "build_finished"):
        host.send(build_event(name, [FLAKE])).raise_for_failure()
    assert states(sink) == ["pending", "running", "success"]


@pytest.mark.parametrize(
    ("status", "state"),
    [(0, "success"), (1, "failed"), (3, "canceled"), (4, "canceled"), (9, "canceled")],
)
def test_every_status_has_a_state(
    started: Started, sink: Sink, status: int, state: str
) -> None:
    started().send(build_event("cached_build_finished", [FLAKE], status=status))
    assert states(sink) == [state]


def test_a_flake_is_named_by_its_path_of_groups(started: Started, sink: Sink) -> None:
    started().send(build_event("build_finished", [FLAKE])).raise_for_failure()
    (call,) = sink.calls
    assert call.line == f"POST /api/v4/projects/group%2Fsub%2Fapp/statuses/{REV}"


def test_a_gitlab_may_live_below_the_root_of_its_host(
    started: Started, sink: Sink
) -> None:
    reference = f"git+https://h.org/gitlab/group/app?rev={REV}"
    host = started(url=f"{sink.url}/gitlab", hosts=["h.org"])
    host.send(build_event("build_finished", [evaluation(1, flake=reference)]))
    (call,) = sink.calls
    assert call.line == f"POST /gitlab/api/v4/projects/group%2Fapp/statuses/{REV}"


@pytest.mark.parametrize(
    ("config", "project"),
    [
        ({"inputs": ["src"]}, "group%2Fapp"),
        ({"inputs": ["src"], "project": "group/fork"}, "group%2Ffork"),
    ],
)
def test_settings_say_what_a_jobset_does_not(
    started: Started, sink: Sink, config: dict[str, object], project: str
) -> None:
    host = started(**config)
    host.send(build_event("build_finished", [LEGACY])).raise_for_failure()
    (call,) = sink.calls
    assert call.line == f"POST /api/v4/projects/{project}/statuses/{REV}"


def test_commits_of_other_forges_and_unnamed_inputs_are_not_meant(
    started: Started, sink: Sink
) -> None:
    other = evaluation(12, flake=f"github:group/app/{REV}")
    host = started(project="17")
    assert host.send(build_event("build_finished", [other, LEGACY])).skipped
    assert not sink.calls


@pytest.mark.parametrize(
    ("secrets", "used"),
    [
        ({"group/app": "a", "group": "b", "token": "c"}, "a"),
        ({"group": "b", "token": "c"}, "b"),
        ({"token": "c"}, "c"),
    ],
)
def test_the_secret_of_a_project_goes_before_that_of_its_group(
    started: Started, sink: Sink, secrets: dict[str, str], used: str
) -> None:
    host = started(secrets, inputs=["src"])
    host.send(build_event("build_finished", [LEGACY])).raise_for_failure()
    assert sink.calls[0].headers["private-token"] == used


@pytest.mark.parametrize(
    ("name", "reply"),
    [
        ("build_queued", refusal("enqueue", "pending")),
        ("build_queued", refusal("enqueue", "running")),
        ("build_started", refusal("run", "running")),
        ("build_finished", refusal("success", "success")),
    ],
)
def test_what_gitlab_has_already_is_said(
    started: Started, sink: Sink, name: str, reply: Reply
) -> None:
    sink.reply = reply
    event = build_event(name, [FLAKE])  # type: ignore[arg-type]
    assert started().send(event).delivered


def test_an_end_that_gitlab_refuses_is_not_said(started: Started, sink: Sink) -> None:
    sink.reply = refusal("success", "canceled")
    failed = started().send(build_event("build_finished", [FLAKE]))
    assert failed.verdict is Verdict.DEAD


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
    event = build_event("build_finished", [FLAKE])
    host = started()
    sink.first.append(reply)
    assert host.send(event).verdict is verdict
    assert host.send(event, attempt=2).delivered


def test_jobs_names_and_descriptions_are_as_configured(
    started: Started, sink: Sink
) -> None:
    host = started(jobs=".*:hello.*", context="ci/{jobset}", description="{status}")
    event = build_event("build_finished", [FLAKE], status=1, dependents=True)
    host.send(event).raise_for_failure()
    (body,) = bodies(sink)
    assert (body["name"], body["description"]) == ("ci/trunk", "failed")


def test_a_secret_is_required(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match=r"secrets\.token: is required"):
        drive(plugin, state_dir=tmp_path)
