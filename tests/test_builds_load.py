"""From a build's announcement to what the database says about it."""

from collections.abc import Iterator
from hashlib import sha256

import msgspec
import pytest
from tests.hydra_rows import (
    FLAKE,
    START,
    STOP,
    build_data,
    insert,
    insert_build,
    insert_eval,
    insert_finished,
    load,
    loaded,
)

from hydra_notify import builds
from hydra_notify.database import Connection, connect
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.hydra import Hydra
from hydra_notify.demo.simulation.queue_runner import (
    cancel_build,
    fail_builds,
    finish_build,
    restart_build,
)
from hydra_notify.events import (
    BuildEvent,
    BuildFinished,
    CachedBuildEvent,
    EvalEvent,
    Event,
    StepFinished,
)
from hydra_notify.facts import Absent, BuildFact, Loaded, PendingFlag
from hydra_notify_sdk.wire import (
    Output,
    Part,
)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        yield connection


def plain(result: Loaded) -> dict[str, object]:
    made = msgspec.to_builtins(result.data)
    assert isinstance(made, dict)
    return made


# build_finished


def test_a_finished_build_has_its_key_its_time_its_flag_and_its_job(
    connection: Connection,
) -> None:
    insert_finished(connection, 7, status=6)
    result = loaded(connection, BuildFinished(7))
    assert result.event == BuildFinished(7)
    assert result.id == f"build_finished:7:{START}-{STOP}:6"
    assert result.subject == "build/7"
    assert result.time == "2001-09-09T01:48:20Z"
    assert result.flags == (PendingFlag(7, STOP, 6, START, STOP),)
    assert result.builds == (BuildFact("nixpkgs:trunk:hello.x86_64-linux", 6),)


def test_a_build_without_a_flag_has_nothing_to_clear(connection: Connection) -> None:
    insert_finished(connection, 7, notificationpendingsince=None)
    assert loaded(connection, BuildFinished(7)).flags == ()


def test_another_outcome_is_another_event(connection: Connection) -> None:
    insert_finished(connection, 7)
    first = loaded(connection, BuildFinished(7)).id
    connection.execute("update builds set stoptime = stoptime + 1 where id = 7")
    second = loaded(connection, BuildFinished(7)).id
    connection.execute("update builds set buildstatus = 1 where id = 7")
    assert len({first, second, loaded(connection, BuildFinished(7)).id}) == 3


def test_dependents_bring_their_flags_in_the_order_of_ids(
    connection: Connection,
) -> None:
    insert_finished(connection, 20, status=1)
    insert_finished(
        connection, 10, status=2, job="a", notificationpendingsince=STOP + 1
    )
    insert_finished(connection, 30, status=2, job="b", notificationpendingsince=None)
    insert_finished(connection, 15, status=2, job="c", jobset_id=FLAKE)
    result = loaded(connection, BuildFinished(20, (30, 10, 15)))
    assert [flag.build for flag in result.flags] == [10, 15, 20]
    assert result.flags[0] == PendingFlag(10, STOP + 1, 2, START, STOP)
    assert [fact.job for fact in result.builds] == [
        "nixpkgs:trunk:hello.x86_64-linux",
        "nixpkgs:trunk:b",
        "nixpkgs:trunk:a",
        "nixos:unstable-small:c",
    ]
    assert build_data(result).dependent_ids == [30, 10, 15]


def test_dependents_in_full_come_only_when_asked_for(connection: Connection) -> None:
    insert_finished(connection, 20, status=1)
    insert_finished(connection, 10, status=2, job="a", description="A thing")
    insert(connection, "buildoutputs", {"build": 10, "name": "out", "path": "/nix/a"})
    event = BuildFinished(20, (10,))
    assert build_data(loaded(connection, event)).dependents is msgspec.UNSET
    dependents = build_data(loaded(connection, event, "dependents")).dependents
    assert dependents
    (dependent,) = dependents
    assert (dependent.build, dependent.job, dependent.build_status) == (10, "a", 2)
    assert dependent.description == "A thing"
    assert dependent.outputs == [Output("out", "/nix/a")]
    assert dependent.previous_build is msgspec.UNSET


def test_jobsets_of_dependents_come_with_them_where_they_are_others(
    connection: Connection,
) -> None:
    insert_finished(connection, 20, status=1)
    insert_finished(connection, 10, status=2, job="a")
    insert_finished(connection, 15, status=2, job="b", jobset_id=FLAKE)
    event = BuildFinished(20, (10, 15))
    jobsets = build_data(loaded(connection, event, "dependents")).dependent_jobsets
    assert jobsets
    (jobset,) = jobsets
    assert (jobset.project, jobset.name) == ("nixos", "unstable-small")
    assert jobset.error_msg is msgspec.UNSET
    assert build_data(loaded(connection, event)).dependent_jobsets is msgspec.UNSET
    event = BuildFinished(20, (10,))
    alone = build_data(loaded(connection, event, "dependents"))
    assert alone.dependent_jobsets is msgspec.UNSET


@pytest.mark.parametrize("parts", [(), ("dependents",)])
def test_dependents_that_are_gone_or_unfinished_are_left_out(
    connection: Connection, parts: tuple[Part, ...]
) -> None:
    insert_finished(connection, 20)
    insert_finished(connection, 10)
    # Restarted: its flag belongs to what comes next.
    insert_build(connection, 11, notificationpendingsince=STOP, buildstatus=1)
    event = BuildFinished(20, (9, 10, 11))
    result = loaded(connection, event, *parts)
    assert result.event == event
    assert [flag.build for flag in result.flags] == [10, 20]
    assert len(result.builds) == 2
    data = build_data(result)
    assert data.dependent_ids == [10]
    if parts:
        assert data.dependents
        assert [each.build for each in data.dependents] == [10]


def test_the_key_of_a_chunk_is_that_of_what_was_announced(
    connection: Connection,
) -> None:
    insert_finished(connection, 20)
    insert_finished(connection, 10)
    event = BuildFinished(20, (10, 9))
    before = loaded(connection, event)
    assert before.id == (
        f"build_finished:20:{START}-{STOP}:0:{sha256(b'10,9').hexdigest()[:8]}"
    )
    connection.execute("delete from builds where id = 10")
    assert loaded(connection, before.event).id == before.id
    assert loaded(connection, BuildFinished(20, (10,))).id != before.id


def test_a_build_that_is_not_there_is_absent(connection: Connection) -> None:
    insert_finished(connection, 10)
    event = BuildFinished(7, (10,))
    assert load(connection, event) == Absent(event, "build 7 is not there")


def test_a_build_that_is_not_finished_is_absent(connection: Connection) -> None:
    insert_build(connection, 7, buildstatus=1, notificationpendingsince=STOP)
    event = BuildFinished(7)
    assert load(connection, event) == Absent(event, "build 7 is not finished")


def test_a_cancelled_build_that_kept_a_flag_is_told_as_cancelled(hydra: Hydra) -> None:
    (build,) = queue_builds(hydra)
    finish_build(hydra, build, 1)
    restart_build(hydra, build)
    cancel_build(hydra, build)
    result = loaded(hydra.connection, BuildFinished(build))
    assert [flag.status for flag in result.flags] == [4]
    assert build_data(result).build_status == 4


# Other events about builds


def test_a_queued_build_has_no_outcome(connection: Connection) -> None:
    insert_build(connection, 7)
    result = loaded(connection, BuildEvent("build_queued", 7))
    assert result.id == "build_queued:7"
    assert result.subject == "build/7"
    assert result.time == "2001-09-09T01:45:50Z"
    assert result.flags == ()
    assert result.builds == (BuildFact("nixpkgs:trunk:hello.x86_64-linux", None),)
    shown = plain(result)
    assert shown["event"] == "buildQueued"
    assert shown["finished"] is False
    assert (shown["startTime"], shown["stopTime"], shown["buildStatus"]) == (None,) * 3
    assert "dependentIds" not in shown


def test_a_started_build_has_its_start_as_the_time_once_that_is_known(
    connection: Connection,
) -> None:
    insert_build(connection, 7)
    event = BuildEvent("build_started", 7)
    result = loaded(connection, event)
    assert (result.id, result.time) == ("build_started:7", "")
    assert plain(result)["event"] == "buildStarted"
    connection.execute("update builds set starttime = %s", (START,))
    assert loaded(connection, event).time == "2001-09-09T01:46:40Z"


def test_a_restarted_build_does_not_show_the_status_it_had(hydra: Hydra) -> None:
    (build,) = queue_builds(hydra)
    finish_build(hydra, build, 1)
    restart_build(hydra, build)
    result = loaded(hydra.connection, BuildEvent("build_started", build))
    assert result.builds[0].status is None
    assert build_data(result).build_status is None
    assert result.flags == ()


@pytest.mark.parametrize("channel", ["cached_build_queued", "cached_build_finished"])
def test_a_cached_build_is_told_with_the_evaluation_that_met_it(
    connection: Connection, channel: str
) -> None:
    insert_finished(connection, 7)
    insert_eval(connection, 3, flake="github:o/r/abc", timestamp=START + 500)
    event = CachedBuildEvent(channel, 3, 7)  # type: ignore[arg-type]
    result = loaded(connection, event)
    assert result.id == f"{channel}:3:7"
    assert result.subject == "build/7"
    assert result.time == "2001-09-09T01:55:00Z"
    # The flag is the business of `build_finished`.
    assert result.flags == ()
    assert result.builds[0].status == 0
    data = build_data(result)
    assert data.event in ("cachedBuildQueued", "cachedBuildFinished")
    assert data.eval
    assert (data.eval.id, data.eval.flake) == (3, "github:o/r/abc")
    assert data.evals is msgspec.UNSET


def test_a_cached_build_outlives_its_evaluation(connection: Connection) -> None:
    insert_finished(connection, 7)
    result = loaded(connection, CachedBuildEvent("cached_build_finished", 3, 7))
    assert result.time == ""
    assert plain(result)["eval"] is None


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (BuildEvent("build_queued", 6), "build 6 is not there"),
        (CachedBuildEvent("cached_build_queued", 1, 6), "build 6 is not there"),
        (StepFinished(6, 1, None), "build 6 is not there"),
        (StepFinished(7, 5, None), "step 5 of build 7 is not there"),
        (EvalEvent("eval_started", "1.2.3", 99), "jobset 99 is not there"),
    ],
)
def test_what_an_event_is_about_may_be_gone(
    connection: Connection, event: Event, reason: str
) -> None:
    insert_build(connection, 7)
    assert load(connection, event) == Absent(event, reason)


# Many events


def test_results_come_in_the_order_of_the_events(hydra: Hydra) -> None:
    first, second, third = queue_builds(hydra, 3)
    finish_build(hydra, third)
    fail_builds(hydra, first, [second])
    events: list[Event] = [
        BuildFinished(third),
        BuildEvent("build_queued", first),
        BuildFinished(4711),
        BuildFinished(first, (second,)),
        EvalEvent("eval_started", "1.2.3", 1),
        BuildFinished(first),
        BuildFinished(third),
    ]
    results = builds.load(hydra.connection, events, frozenset({"dependents"}))
    assert [result.event for result in results] == events
    assert [isinstance(result, Absent) for result in results] == [
        index == 2 for index in range(7)
    ]


def test_a_build_may_be_head_and_dependent_at_once(hydra: Hydra) -> None:
    first, second = queue_builds(hydra, 2)
    fail_builds(hydra, first, [second])
    events = [BuildFinished(first, (second,)), BuildFinished(second, (first,))]
    for parts in (frozenset[Part](), frozenset[Part]({"dependents"})):
        one, two = builds.load(hydra.connection, events, parts)
        assert isinstance(one, Loaded)
        assert isinstance(two, Loaded)
        assert one.flags == two.flags
        assert one.id != two.id


def test_no_events_are_no_results(connection: Connection) -> None:
    assert builds.load(connection, [], frozenset()) == []
