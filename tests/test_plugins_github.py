"""Statuses on GitHub, against a server that answers as told."""

import json
import time
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
from hydra_notify_plugins.github import plugin
from hydra_notify_sdk.testing import StartFailed, drive
from hydra_notify_sdk.wire import Verdict

FLAKE = evaluation(12, flake=f"github:NixOS/nixpkgs/{REV}?narHash=sha256-x")
JOB = "nixpkgs:trunk:hello.x86_64-linux"


@pytest.fixture
def started(sink: Sink, tmp_path: Path) -> Started:
    settings = {"api_url": sink.url, "hosts": ["github.com"]}
    return Started(plugin, settings, {"token": "t0ken"}, tmp_path)


def test_a_success_is_said_at_its_commit_as_by_githubstatus(
    started: Started, sink: Sink
) -> None:
    outcome = started().send(build_event("build_finished", [FLAKE]))
    assert outcome.delivered
    (call,) = sink.calls
    assert call.line == f"POST /repos/NixOS/nixpkgs/statuses/{REV}"
    assert call.headers["authorization"] == "Bearer t0ken"
    assert call.headers["accept"] == "application/vnd.github+json"
    assert json.loads(call.body) == {
        "state": "success",
        "target_url": "https://hydra.example.org/build/4711",
        "description": f"Hydra build #4711 of {JOB}: succeeded",
        "context": f"continuous-integration/hydra:{JOB}:4711",
    }


@pytest.mark.parametrize(
    ("status", "state"),
    [(0, "success"), (1, "failure"), (3, "error"), (4, "error"), (77, "failure")],
)
def test_every_status_has_a_state(
    started: Started, sink: Sink, status: int, state: str
) -> None:
    started().send(build_event("build_finished", [FLAKE], status=status))
    assert states(sink) == [state]


def test_of_other_jobsets_the_named_inputs_are_meant(
    started: Started, sink: Sink
) -> None:
    legacy = evaluation(
        12,
        git_input("src", "git@github.com:o/app.git"),
        git_input("nixpkgs", "https://github.com/NixOS/nixpkgs", OLD),
        git_input("docs", "https://gitlab.com/o/docs", OLD),
    )
    event = build_event("build_finished", [legacy])
    nothing = started().send(event)
    note = "it is of no commit that this plugin is for; its inputs are "
    assert nothing.skipped == f"{note}docs, nixpkgs, src"
    started(inputs=["src", "docs"]).send(event).raise_for_failure()
    assert [call.line for call in sink.calls] == [f"POST /repos/o/app/statuses/{REV}"]


@pytest.mark.parametrize(
    ("config", "context"),
    [
        ({"context": "fixed"}, "fixed"),
        ({"context": "{project}/{job} on {system}"}, "nixpkgs/hello on x86_64-linux"),
        ({"use_short_context": True}, "ci/hydra:nixpkgs:app:hello:4711"),
        (
            {"exclude_build_from_context": True},
            "continuous-integration/hydra:nixpkgs:app-pr-17:hello",
        ),
        (
            {"use_short_context": True, "exclude_build_from_context": True},
            "ci/hydra:nixpkgs:app:hello",
        ),
    ],
)
def test_the_context_is_as_configured(
    started: Started, sink: Sink, config: dict[str, object], context: str
) -> None:
    event = build_event("build_finished", [FLAKE])
    event.data.jobset, event.data.job = "app-pr-17", "hello"
    started(**config).send(event)
    assert bodies(sink)[0]["context"] == context


def test_the_description_is_as_configured_and_no_longer_than_github_takes(
    started: Started, sink: Sink
) -> None:
    host = started(description="{status} {{" + "x" * 200)
    host.send(build_event("build_finished", [FLAKE], status=7))
    said = bodies(sink)[0]["description"]
    assert said.startswith("timed out {xxx")
    assert len(said) == 140


def test_an_owner_may_have_a_secret_of_its_own(started: Started, sink: Sink) -> None:
    other = evaluation(9, flake=f"github:other/app/{OLD}")
    host = started({"token": "t", "nixos": "token classic"})
    host.send(build_event("build_finished", [FLAKE, other]))
    said = {
        call.line.split("/")[2]: call.headers["authorization"] for call in sink.calls
    }
    assert said == {"NixOS": "token classic", "other": "Bearer t"}


def test_without_one_for_all_other_owners_are_not_meant(
    started: Started, sink: Sink
) -> None:
    host = started({"other": "t"})
    assert host.send(build_event("build_finished", [FLAKE])).skipped
    assert not sink.calls


def test_a_used_up_rate_limit_pauses_the_plugin(started: Started, sink: Sink) -> None:
    reset = str(int(time.time()) + 600)
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    sink.reply = Reply(403, headers=headers)
    failed = started().send(build_event("build_finished", [FLAKE]))
    assert (failed.verdict, failed.code) == (Verdict.PAUSE, 429)
    assert failed.retry_after is not None
    assert failed.retry_after > 500


def test_a_secondary_rate_limit_is_no_wrong_secret(
    started: Started, sink: Sink
) -> None:
    words = b'{"message":"You have exceeded a secondary rate limit."}'
    sink.reply = Reply(403, body=words)
    failed = started().send(build_event("build_finished", [FLAKE]))
    assert (failed.verdict, failed.retry_after) == (Verdict.PAUSE, 60)


def test_a_reserve_is_left_to_others(started: Started, sink: Sink) -> None:
    reset = str(int(time.time()) + 600)
    headers = {"X-RateLimit-Remaining": "499", "X-RateLimit-Reset": reset}
    sink.reply = Reply(201, headers=headers)
    host = started(reserve=500)
    assert host.send(build_event("build_queued", [FLAKE])).delivered
    paused = host.send(build_event("build_finished", [FLAKE]))
    assert (paused.verdict, paused.code) == (Verdict.PAUSE, 429)
    assert len(sink.calls) == 1


def test_a_refused_secret_blocks_all_only_if_it_is_the_only_one(
    started: Started, sink: Sink
) -> None:
    sink.reply = Reply(401)
    event = build_event("build_finished", [FLAKE])
    assert started().send(event).verdict is Verdict.BLOCK
    several = started({"token": "t", "NixOS": "expired"}).send(event)
    assert (several.verdict, several.code) == (Verdict.RETRY, 401)
    sink.reply = Reply(403)
    assert started().send(event).verdict is Verdict.RETRY


@pytest.mark.parametrize(
    ("config", "secrets", "problem"),
    [
        ({}, {}, r"secrets\.token: is required"),
        ({}, {"token": " "}, r"secrets\.token: is empty"),
        ({}, {"o": "a\nb"}, r"secrets\.o: is empty or has"),
        ({"jobs": "("}, {"token": "t"}, r"settings\.jobs: is no regular"),
        (
            {"context": "{jobs}"},
            {"token": "t"},
            r"context: has the unknown word {jobs}",
        ),
        ({"context": "{job.x}"}, {"token": "t"}, r"has the unknown word {job.x}"),
        ({"description": "{"}, {"token": "t"}, r"settings\.description: is no text"),
        ({"api_url": "github.com"}, {"token": "t"}, r"api_url: is no web address"),
        ({"api_url": "https://[x"}, {"token": "t"}, r"api_url: is no web address"),
        ({"reserve": -1}, {"token": "t"}, r"settings\.reserve: "),
    ],
)
def test_what_can_never_work_is_refused_with_its_place(
    tmp_path: Path, config: dict[str, object], secrets: dict[str, str], problem: str
) -> None:
    with pytest.raises(StartFailed, match=problem):
        drive(plugin, config=config, secrets=secrets, state_dir=tmp_path)


def test_by_default_it_is_github_com_and_an_enterprise_is_its_host(
    tmp_path: Path, sink: Sink
) -> None:
    host = drive(
        plugin,
        config={"api_url": sink.url},
        secrets={"token": "t"},
        state_dir=tmp_path,
    )
    own = evaluation(9, flake=f"git+ssh://git@127.0.0.1:2222/o/r?rev={REV}")
    host.send(build_event("build_finished", [own, FLAKE])).raise_for_failure()
    assert [call.line for call in sink.calls] == [f"POST /repos/o/r/statuses/{REV}"]


def test_what_is_no_repository_of_github_is_not_meant(
    started: Started, sink: Sink
) -> None:
    deep = evaluation(9, flake=f"git+https://github.com/a/b/c?rev={REV}")
    assert started().send(build_event("build_finished", [deep])).skipped
    assert not sink.calls
