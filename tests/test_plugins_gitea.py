"""Statuses on Gitea and Forgejo, against a server that answers as told."""

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
    text_input,
)

from hydra_notify.kit.sink import Reply, Sink
from hydra_notify_plugins.gitea import plugin
from hydra_notify_sdk.testing import StartFailed, drive
from hydra_notify_sdk.wire import Verdict

FLAKE = evaluation(12, flake=f"git+https://git.example.org/root/foo?rev={REV}")
LEGACY = evaluation(12, git_input("src", "https://git.example.org/root/foo.git"))


@pytest.fixture
def started(sink: Sink, tmp_path: Path) -> Started:
    settings = {"url": f"{sink.url}/gitea", "hosts": ["git.example.org"]}
    return Started(plugin, settings, {"root": "t0ken"}, tmp_path)


def test_upstream_gitea_t_a_success_is_one_post(started: Started, sink: Sink) -> None:
    local = evaluation(
        12,
        git_input("src", "/tmp/jobs/src"),
        text_input("gitea_repo_owner", "root"),
        text_input("gitea_repo_name", "foo"),
        text_input("gitea_status_repo", "src"),
        text_input("gitea_http_url", f"{sink.url}/gitea"),
    )
    started(hosts=[]).send(build_event("build_finished", [local])).raise_for_failure()
    (call,) = sink.calls
    assert call.line == f"POST /gitea/api/v1/repos/root/foo/statuses/{REV}"
    assert call.headers["authorization"] == "token t0ken"
    assert json.loads(call.body) == {
        "state": "success",
        "target_url": "https://hydra.example.org/build/4711",
        "description": "Hydra build #4711 of nixpkgs:trunk:hello.x86_64-linux: "
        "succeeded",
        "context": "Hydra hello.x86_64-linux",
    }


def test_a_jobset_that_names_the_forge_may_know_it_by_another_name(
    started: Started, sink: Sink
) -> None:
    alias = evaluation(
        12,
        git_input("src", "git@alias:root/foo"),
        text_input("gitea_status_repo", "src"),
        text_input("gitea_http_url", f"{sink.url}/gitea/"),
    )
    started().send(build_event("build_finished", [alias])).raise_for_failure()
    (call,) = sink.calls
    assert call.line == f"POST /gitea/api/v1/repos/root/foo/statuses/{REV}"


def test_upstream_gitea_nix_a_commit_gets_two_statuses(
    started: Started, sink: Sink
) -> None:
    host = started()
    for name in ("build_queued", "build_started", "build_finished"):
        host.send(build_event(name, [FLAKE])).raise_for_failure()
    assert states(sink) == ["pending", "success"]


def test_a_secret_is_not_sent_to_an_address_that_a_jobset_names(
    started: Started, sink: Sink
) -> None:
    own = git_input("src", "https://git.example.org/root/foo")
    wrong = text_input("gitea_http_url", f"{sink.url}/thief")
    host = started(inputs=["src"])
    assert host.send(build_event("build_finished", [evaluation(1, own, wrong)])).skipped
    assert not sink.calls


@pytest.mark.parametrize(
    "reference",
    [
        f"git+https://git.example.org/root/foo?ref=main&rev={REV}",
        f"git+ssh://git@git.example.org:2222/root/foo.git?rev={REV}",
        f"https://git.example.org/root/foo/archive/{REV}.tar.gz?rev={REV}",
    ],
)
def test_a_flake_needs_no_inputs(started: Started, sink: Sink, reference: str) -> None:
    evals = [evaluation(12, flake=reference)]
    started().send(build_event("build_finished", evals)).raise_for_failure()
    (call,) = sink.calls
    assert call.line == f"POST /gitea/api/v1/repos/root/foo/statuses/{REV}"


def test_a_flake_of_another_forge_is_not_meant(started: Started, sink: Sink) -> None:
    evals = [evaluation(12, flake=f"github:root/foo/{REV}")]
    host = started(owner="root", repository="foo")
    assert host.send(build_event("build_finished", evals)).skipped
    assert not sink.calls


@pytest.mark.parametrize(
    ("config", "repository"),
    [
        ({"inputs": ["src"]}, "root/foo"),
        ({"inputs": ["src"], "owner": "fork"}, "fork/foo"),
        ({"inputs": ["src"], "owner": "fork", "repository": "bar"}, "fork/bar"),
    ],
)
def test_settings_say_what_a_jobset_does_not(
    started: Started, sink: Sink, config: dict[str, object], repository: str
) -> None:
    host = started({"token": "t"}, **config)
    host.send(build_event("build_finished", [LEGACY])).raise_for_failure()
    (call,) = sink.calls
    assert call.line == f"POST /gitea/api/v1/repos/{repository}/statuses/{REV}"


def test_an_input_of_no_name_is_not_meant(started: Started, sink: Sink) -> None:
    assert started().send(build_event("build_finished", [LEGACY])).skipped
    assert not sink.calls


def test_without_a_secret_for_its_owner_a_repository_is_not_meant(
    started: Started, sink: Sink
) -> None:
    host = started({"else": "t"}, inputs=["src"])
    assert host.send(build_event("build_finished", [LEGACY])).skipped
    assert not sink.calls


def test_cached_builds_and_all_evaluations_are_told(
    started: Started, sink: Sink
) -> None:
    host = started()
    cached = evaluation(13, flake=f"git+https://git.example.org/root/foo?rev={OLD}")
    host.send(build_event("cached_build_finished", [cached])).raise_for_failure()
    host.send(build_event("build_finished", [FLAKE, cached])).raise_for_failure()
    assert [call.line.rpartition("/")[2] for call in sink.calls] == [OLD, REV]


@pytest.mark.parametrize(
    ("status", "state"),
    [(0, "success"), (2, "failure"), (3, "error"), (4, "error"), (9, "error")],
)
def test_every_status_has_a_state(
    started: Started, sink: Sink, status: int, state: str
) -> None:
    started().send(build_event("build_finished", [FLAKE], status=status))
    assert states(sink) == [state]


def test_jobs_contexts_and_descriptions_are_as_configured(
    started: Started, sink: Sink
) -> None:
    host = started(jobs=".*:hello.*", context="hydra/{name}", description="{status}")
    event = build_event("build_finished", [FLAKE], dependents=True)
    host.send(event).raise_for_failure()
    (body,) = bodies(sink)
    assert body["context"] == "hydra/nixpkgs:trunk:hello.x86_64-linux"
    assert body["description"] == "succeeded"


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(401), Verdict.BLOCK),
        (Reply(403), Verdict.RETRY),
        (Reply(404), Verdict.DEAD),
        (Reply(429, headers={"Retry-After": "7"}), Verdict.PAUSE),
        (Reply(500), Verdict.RETRY),
        (Reply(breaks=True), Verdict.RETRY),
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


def test_an_address_and_a_secret_are_required(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match=r"settings\.url: is required"):
        drive(plugin, secrets={"token": "t"}, state_dir=tmp_path)
    with pytest.raises(StartFailed, match=r"settings\.url: is required"):
        drive(plugin, config={"url": ""}, secrets={"token": "t"}, state_dir=tmp_path)
    with pytest.raises(StartFailed, match=r"secrets\.token: is required"):
        drive(plugin, config={"url": "https://h.org"}, state_dir=tmp_path)
