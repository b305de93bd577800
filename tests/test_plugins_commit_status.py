"""What the plugins of all forges say and when, tried on the one of GitHub."""

from pathlib import Path

import pytest
from tests.forges import (
    OLD,
    REV,
    Started,
    bodies,
    build_event,
    evaluation,
    states,
)

from hydra_notify.kit.sink import Reply, Sink
from hydra_notify_plugins.github import plugin
from hydra_notify_sdk.wire import Verdict

FLAKE = evaluation(12, flake=f"github:NixOS/nixpkgs/{REV}?narHash=sha256-x")
JOB = "nixpkgs:trunk:hello.x86_64-linux"


@pytest.fixture
def started(sink: Sink, tmp_path: Path) -> Started:
    settings = {"api_url": sink.url, "hosts": ["github.com"]}
    return Started(plugin, settings, {"token": "t0ken"}, tmp_path)


def test_a_build_is_pending_until_it_ends(started: Started, sink: Sink) -> None:
    host = started()
    for name in ("build_queued", "build_started", "build_started", "build_finished"):
        host.send(build_event(name, [FLAKE])).raise_for_failure()
    assert states(sink) == ["pending", "success"]


def test_what_comes_late_does_not_hide_how_it_ended(
    started: Started, sink: Sink
) -> None:
    host = started()
    host.send(build_event("cached_build_finished", [FLAKE]))
    late = host.send(build_event("cached_build_queued", [FLAKE]))
    assert late.skipped == "all of it has been said"
    assert started().send(build_event("build_started", [FLAKE])).skipped
    assert states(sink) == ["success"]


def test_a_redelivery_posts_nothing(started: Started, sink: Sink) -> None:
    first, second = started().send_twice(build_event("build_finished", [FLAKE]))
    assert first.delivered
    assert second.verdict is Verdict.DELIVERED
    assert len(sink.calls) == 1


def test_a_restarted_build_ends_again(started: Started, sink: Sink) -> None:
    host = started()
    host.send(build_event("build_finished", [FLAKE], status=1, stop=100))
    host.send(build_event("build_finished", [FLAKE], status=0, stop=200))
    host.send(build_event("build_finished", [FLAKE], status=1, stop=100))
    assert states(sink) == ["failure", "success"]


def test_the_newer_build_of_a_job_counts(started: Started, sink: Sink) -> None:
    host = started(exclude_build_from_context=True)
    newer = evaluation(13, flake=FLAKE.flake)
    host.send(build_event("build_finished", [FLAKE], build=1, status=1))
    host.send(build_event("build_queued", [newer], build=2))
    host.send(build_event("build_finished", [FLAKE], build=1, stop=9_999_999_999))
    assert states(sink) == ["failure", "pending"]


def test_all_evaluations_are_told_and_each_commit_once(
    started: Started, sink: Sink
) -> None:
    other = evaluation(9, flake=f"git+ssh://git@github.com/NixOS/nixpkgs?rev={OLD}")
    evals = [other, FLAKE, evaluation(14, flake=FLAKE.flake)]
    started().send(build_event("build_finished", evals)).raise_for_failure()
    assert [call.line.rpartition("/")[2] for call in sink.calls] == [OLD, REV]


def test_builds_that_ended_with_it_are_told_too(started: Started, sink: Sink) -> None:
    event = build_event("build_finished", [FLAKE], status=1, dependents=True)
    started().send(event).raise_for_failure()
    assert [body["target_url"].rpartition("/")[2] for body in bodies(sink)] == [
        "4711",
        "4712",
        "4713",
    ]
    assert states(sink) == ["failure"] * 3


def test_a_dependent_of_another_jobset_is_told_where_it_was_announced(
    started: Started, sink: Sink
) -> None:
    host = started()
    elsewhere = evaluation(20, flake=f"github:other/app/{OLD}")
    queued = build_event("build_queued", [elsewhere], build=4712)
    queued.data.jobset = "other"
    host.send(queued)
    event = build_event("build_finished", [FLAKE], status=1, dependents=True)
    assert event.data.dependents
    event.data.dependents[0].jobset = "other"
    event.data.dependents[1].jobset = "unknown"
    host.send(event).raise_for_failure()
    assert [call.line.split("/", 2)[2] for call in sink.calls] == [
        f"other/app/statuses/{OLD}",
        f"NixOS/nixpkgs/statuses/{REV}",
        f"other/app/statuses/{OLD}",
    ]
    assert states(sink) == ["pending", "failure", "failure"]


def test_a_commit_whose_evaluation_is_forgotten_gets_its_end(
    started: Started, sink: Sink
) -> None:
    host = started()
    unchanged = evaluation(13, flake=f"github:NixOS/nixpkgs/{OLD}")
    host.send(build_event("cached_build_queued", [unchanged]))
    host.send(build_event("build_finished", [FLAKE]))
    assert [call.line.rpartition("/")[2] for call in sink.calls] == [OLD, OLD, REV]
    assert states(sink) == ["pending", "success", "success"]


def test_jobs_are_chosen_by_an_expression(started: Started, sink: Sink) -> None:
    host = started(jobs="nixpkgs:.*:hello")
    assert host.send(build_event("build_finished", [FLAKE])).skipped
    host = started(jobs="nixpkgs:.*:hello.*")
    assert host.send(build_event("build_finished", [FLAKE])).delivered


def test_what_was_sent_is_not_sent_again_with_the_rest(
    started: Started, sink: Sink
) -> None:
    other = evaluation(9, flake=f"github:other/app/{OLD}")
    event = build_event("build_finished", [other, FLAKE])
    sink.first.extend([Reply(201), Reply(502)])
    host = started()
    failed = host.send(event)
    assert (failed.verdict, failed.code) == (Verdict.RETRY, 502)
    assert host.send(event, attempt=2).delivered
    assert [call.line.split("/")[2] for call in sink.calls] == [
        "other",
        "NixOS",
        "NixOS",
    ]


def test_the_worst_failure_counts_and_the_others_are_logged(
    started: Started, sink: Sink
) -> None:
    other = evaluation(9, flake=f"github:gone/app/{OLD}")
    sink.first.extend([Reply(404), Reply(500)])
    failed = started().send(build_event("build_finished", [other, FLAKE]))
    assert (failed.verdict, failed.code) == (Verdict.RETRY, 500)
    assert len([line for line in failed.log if line.level == "warning"]) == 2


def test_a_commit_that_github_does_not_know_keeps_no_other_from_its_status(
    started: Started, sink: Sink
) -> None:
    other = evaluation(9, flake=f"github:gone/app/{OLD}")
    sink.first.append(Reply(422, body=b'{"message":"No commit found for SHA"}'))
    failed = started().send(build_event("build_finished", [other, FLAKE]))
    assert failed.verdict is Verdict.DEAD
    assert "No commit found" in failed.message
    assert len(sink.calls) == 2


def test_an_event_that_the_host_gave_up_is_stopped(
    started: Started, sink: Sink
) -> None:
    event = build_event("build_finished", [FLAKE], dependents=True)
    host = started()
    stopped = host.send(event, cancel_after=1)
    assert stopped.code == 499
    host.send(event, attempt=2).raise_for_failure()
    assert len(sink.calls) == 3


def test_inputs_that_are_too_many_to_be_sent_are_spoken_of(started: Started) -> None:
    event = build_event("build_finished", [])
    event.data.truncated = ["evals.inputs"]
    assert "too many" in (started().send(event).skipped or "")


def test_a_forge_that_hangs_is_given_up(started: Started, sink: Sink) -> None:
    sink.reply = Reply(None)
    failed = started(timeout=0.1).send(build_event("build_finished", [FLAKE]))
    assert (failed.verdict, failed.code) == (Verdict.RETRY, 504)


def test_an_outage_is_not_asked_for_every_status(started: Started, sink: Sink) -> None:
    sink.reply = Reply(503)
    event = build_event("build_finished", [FLAKE], dependents=True)
    assert started().send(event).verdict is Verdict.PAUSE
    assert len(sink.calls) == 1


def test_an_end_is_said_though_a_newer_evaluation_is_not_listed(
    started: Started, sink: Sink
) -> None:
    host = started()
    unchanged = evaluation(14, flake=FLAKE.flake)
    host.send(build_event("cached_build_queued", [unchanged]))
    host.send(build_event("build_finished", [FLAKE])).raise_for_failure()
    assert states(sink) == ["pending", "success"]


def test_a_build_that_a_newer_evaluation_has_found_again_is_the_newer_one(
    started: Started, sink: Sink
) -> None:
    host = started(exclude_build_from_context=True)
    between = evaluation(13, flake=FLAKE.flake)
    again = evaluation(14, flake=FLAKE.flake)
    host.send(build_event("build_finished", [FLAKE], build=1))
    assert host.send(build_event("cached_build_finished", [again], build=1)).skipped
    assert host.send(build_event("build_finished", [between], build=2)).skipped
    assert states(sink) == ["success"]
