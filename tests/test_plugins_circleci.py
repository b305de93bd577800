"""The plugin `circleci`: what it starts, and when."""

import json
import logging
import re
from pathlib import Path

import pytest
from tests.plugin_check import untried

from hydra_notify.kit.sink import Reply, Sink
from hydra_notify_plugins.circleci import plugin
from hydra_notify_sdk import BuildEventData
from hydra_notify_sdk.testing import Host, Sample, StartFailed, drive, sample_event
from hydra_notify_sdk.wire import Verdict

TOKEN = "token-of-the-test"

SETTINGS = {
    "vcstype": "github",
    "username": "me",
    "project": "site",
    "branch": "main",
}


@pytest.fixture
def sink(sink: Sink) -> Sink:
    sink.reply = Reply(201)
    return sink


def host(sink: Sink, state_dir: Path, **settings: object) -> Host:
    config = {**SETTINGS, "url": sink.url, **settings}
    return drive(plugin, config=config, secrets={"token": TOKEN}, state_dir=state_dir)


def finished(status: int = 0) -> Sample[BuildEventData]:
    return sample_event("build_finished", status=status)


def test_a_success_starts_a_pipeline_of_the_branch(sink: Sink, tmp_path: Path) -> None:
    host(sink, tmp_path).send(finished()).raise_for_failure()
    (call,) = sink.calls
    assert call.line == "POST /api/v1.1/project/github/me/site/tree/main"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["circle-token"] == TOKEN
    assert json.loads(call.body) == {}


def test_version_2_is_told_the_branch_in_the_body(sink: Sink, tmp_path: Path) -> None:
    host(sink, tmp_path, api="v2").send(finished()).raise_for_failure()
    (call,) = sink.calls
    assert call.line == "POST /api/v2/project/github/me/site/pipeline"
    assert json.loads(call.body) == {"branch": "main"}


def test_the_name_of_a_branch_may_hold_anything(sink: Sink, tmp_path: Path) -> None:
    branch = "feature/50% off?#1"
    host(sink, tmp_path, branch=branch).send(finished()).raise_for_failure()
    assert sink.calls[0].line.endswith("/site/tree/feature%2F50%25%20off%3F%231")


def test_a_failure_starts_none_unless_it_is_forced(sink: Sink, tmp_path: Path) -> None:
    assert host(sink, tmp_path).send(finished(1)).skipped == "it did not succeed"
    assert host(sink, tmp_path).send(finished(99)).skipped
    assert not sink.calls
    host(sink, tmp_path, force=True).send(finished(1)).raise_for_failure()
    assert len(sink.calls) == 1


def test_only_the_jobs_of_the_plugin_are_a_reason(sink: Sink, tmp_path: Path) -> None:
    plugged = host(sink, tmp_path, jobs="nixpkgs:trunk:greeter.*", force=True)
    plugged.send(finished(1)).raise_for_failure()
    assert len(sink.calls) == 1, "a build that ended with it is one"
    other = host(sink, tmp_path, jobs="nixpkgs:trunk:greet")
    assert other.send(finished()).skipped == "none of its builds is for this plugin"


def test_upstream_an_address_is_called_once_however_many_builds_mean_it(
    sink: Sink, tmp_path: Path
) -> None:
    event = finished()
    assert len(event.data.dependents or ()) == 2
    host(sink, tmp_path).send(event).raise_for_failure()
    assert len(sink.calls) == 1


def test_sent_again_it_starts_no_second_pipeline(sink: Sink, tmp_path: Path) -> None:
    first, again = host(sink, tmp_path).send_twice(finished())
    assert (first.delivered, again.skipped) == (True, "its pipeline was started before")
    assert len(sink.calls) == 1
    rebuilt = sample_event("build_finished", status=0, build=4800)
    assert host(sink, tmp_path).send(rebuilt).delivered


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(401), Verdict.BLOCK),
        (Reply(404), Verdict.DEAD),
        (Reply(429), Verdict.PAUSE),
        (Reply(500), Verdict.RETRY),
        (Reply(breaks=True), Verdict.RETRY),
        (Reply(None), Verdict.RETRY),
    ],
)
def test_what_has_not_started_is_not_delivered_and_no_log_has_the_token(
    sink: Sink,
    tmp_path: Path,
    reply: Reply,
    verdict: Verdict,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    plugged = host(sink, tmp_path, timeout=0.2)
    sink.reply = reply
    failed = plugged.send(finished())
    assert failed.verdict is verdict
    assert TOKEN not in f"{failed} {failed.log} {caplog.text}"
    assert all(TOKEN not in call.line for call in sink.calls)
    sink.reply = Reply(201)
    assert plugged.send(finished(), attempt=2).delivered


@pytest.mark.parametrize(
    ("settings", "secrets", "problem"),
    [
        ({}, {}, "secrets.token: is required"),
        ({"branch": ""}, {"token": "t"}, "settings.branch: is empty"),
        ({"api": "v3"}, {"token": "t"}, "settings.api: invalid enum value"),
        ({"token": "t"}, {}, "settings.token: there is no such setting"),
        ({"jobs": "("}, {"token": "t"}, "settings.jobs: is no regular expression"),
        ({"url": "circleci.com"}, {"token": "t"}, "settings.url: is no web address"),
    ],
)
def test_what_can_never_work_is_refused(
    settings: dict[str, object], secrets: dict[str, str], problem: str
) -> None:
    with pytest.raises(StartFailed, match=re.escape(problem)) as found:
        drive(plugin, config={**SETTINGS, **settings}, secrets=secrets)
    assert found.value.fix


async def test_it_keeps_every_rule() -> None:
    settings = {**SETTINGS, "url": "{sink}", "force": True, "timeout": 1}
    found = await untried("circleci", settings, {"token": TOKEN})
    assert found == {"new-events", "window"}
