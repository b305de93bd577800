from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from random import Random
from threading import Event, Thread

import pytest

from hydra_notify.database import Connection, connect
from hydra_notify.demo.server.postgres import Server, private_postgres
from hydra_notify.demo.simulation.build_steps import finish_step, start_step
from hydra_notify.demo.simulation.contents import NIX_BASE32, job_name, new_build
from hydra_notify.demo.simulation.evaluator import (
    evaluate,
    evaluate_unchanged,
    fail_evaluation,
    queue_builds,
)
from hydra_notify.demo.simulation.hydra import Generation, Hydra, open_hydra
from hydra_notify.demo.simulation.outcome_log import (
    BuildOutcome,
    Finished,
    Notified,
    Restarted,
    Withheld,
    build_outcomes,
)
from hydra_notify.demo.simulation.queue_runner import (
    cancel_build,
    fail_builds,
    finish_build,
    finish_cached_build,
    restart_build,
)
from hydra_notify.demo.simulation.schema import create_database, new_database
from hydra_notify.demo.simulation.traffic import Mix, Traffic, run_traffic

CHANNELS = (
    "build_queued",
    "build_started",
    "build_finished",
    "cached_build_queued",
    "cached_build_finished",
    "step_finished",
    "eval_started",
    "eval_cached",
    "eval_added",
    "eval_failed",
)

PATIENCE = 30.0
"""Seconds for a notification that must come."""

Messages = list[tuple[str, str]]


@pytest.fixture
def hear(database_url: str) -> Iterator[Callable[[], Messages]]:
    """What has been sent since the test began, or since the last call."""
    with listening(database_url) as hear:
        yield hear


@contextmanager
def listening(url: str) -> Generator[Callable[[], Messages]]:
    with connect(url) as connection:
        for channel in (*CHANNELS, "no_more"):
            connection.execute(f"listen {channel}".encode())
        yield lambda: drain(connection)


def drain(connection: Connection) -> Messages:
    # Postgres delivers in the order of commits: what was sent before comes before.
    connection.execute("notify no_more")
    heard: Messages = []
    for notify in connection.notifies(timeout=PATIENCE):
        if notify.channel == "no_more":
            return heard
        heard.append((notify.channel, notify.payload))
    raise AssertionError("the notifications do not end")


def said(hydra: Hydra) -> Messages:
    facts = [fact for fact in hydra.log.facts if isinstance(fact, Notified)]
    return [(fact.channel, fact.payload) for fact in facts]


def look(hydra: Hydra, query: str) -> list[tuple[object, ...]]:
    with connect(hydra.url) as connection:
        return list(connection.execute(query.encode()).fetchall())


def flags(hydra: Hydra) -> dict[int, int]:
    with connect(hydra.url) as connection:
        rows = connection.execute(
            "select id, notificationpendingsince from builds"
            " where notificationpendingsince is not null"
        )
        return dict(rows.fetchall())


# Evaluations


def test_an_evaluation_queues_builds_and_says_so_in_one_burst(
    hydra: Hydra, hear: Callable[[], Messages]
) -> None:
    jobset = hydra.jobset("nixpkgs:trunk")
    evaluation = evaluate(hydra, jobset, [0, 1, 2])
    (channel, trace), *queued, (added, payload) = hear()
    assert channel == "eval_started"
    assert trace.split("\t")[1] == str(jobset.id)
    assert queued == [("build_queued", str(build)) for build in evaluation.builds]
    assert added == "eval_added"
    assert payload == f"{trace}\t{evaluation.id}"


def test_jobs_that_did_not_change_are_cached(
    hydra: Hydra, hear: Callable[[], Messages]
) -> None:
    jobset = hydra.jobset("nixpkgs:trunk")
    _, done, waiting = evaluate(hydra, jobset, [0, 1, 2]).builds
    finish_build(hydra, done)
    hear()
    evaluation = evaluate(hydra, jobset, [0])
    assert hear()[1:-1] == [
        ("build_queued", str(evaluation.builds[0])),
        ("cached_build_finished", f"{evaluation.id}\t{done}"),
        ("cached_build_queued", f"{evaluation.id}\t{waiting}"),
    ]
    members = look(
        hydra, "select build, isnew from jobsetevalmembers order by eval desc, build"
    )
    assert members[:3] == [(done, 0), (waiting, 0), (evaluation.builds[0], 1)]


def test_an_evaluation_without_changes_has_no_members_and_no_inputs(
    hydra: Hydra, hear: Callable[[], Messages]
) -> None:
    jobset = hydra.jobset("nixpkgs:trunk")
    first = evaluate(hydra, jobset, [0])
    hear()
    second = evaluate(hydra, jobset, [])
    assert [channel for channel, _ in hear()] == [
        "eval_started",
        "cached_build_queued",
        "eval_added",
    ]
    evals = look(hydra, "select id, hasnewbuilds from jobsetevals order by id")
    assert evals == [(first.id, 1), (second.id, 0)]
    assert look(hydra, "select distinct eval from jobsetevalinputs") == [(first.id,)]
    assert look(hydra, "select distinct eval from jobsetevalmembers") == [(first.id,)]


def test_a_classic_jobset_has_inputs_and_a_flake_has_a_reference(hydra: Hydra) -> None:
    evaluate(hydra, hydra.jobset("nixpkgs:trunk"), [0])
    evaluate(hydra, hydra.jobset("nixos:unstable-small"), [0])
    classic, flake = look(hydra, "select flake, nixexprinput from jobsetevals")
    assert classic == (None, "nixpkgs")
    assert str(flake[0]).startswith("github:NixOS/nixpkgs/nixos-unstable-small/")
    inputs = look(hydra, "select name, revision, value from jobsetevalinputs")
    assert [name for name, _, _ in inputs] == [
        "nixpkgs",
        "officialRelease",
        "supportedSystems",
    ]
    assert len(str(inputs[0][1])) == 40
    assert inputs[1] == ("officialRelease", None, "false")


@pytest.mark.parametrize(
    ("generation", "added", "failed"),
    [
        (Generation.CPP_RUNNER, 3, 2),
        (Generation.RUST_RUNNER, 3, 2),
        (Generation.RUST_EVALUATOR, 4, 3),
    ],
)
def test_each_generation_has_its_payloads_of_evaluations(
    hydra: Hydra,
    hear: Callable[[], Messages],
    generation: Generation,
    added: int,
    failed: int,
) -> None:
    hydra.generation = generation
    jobset = hydra.jobset("nixpkgs:trunk")
    evaluation = evaluate(hydra, jobset, [0])
    evaluate_unchanged(hydra, jobset, evaluation.id)
    fail_evaluation(hydra, jobset, "error: undefined variable")
    heard = dict(hear())
    assert len(heard["eval_added"].split("\t")) == added
    assert heard["eval_cached"].split("\t")[1:] == [str(jobset.id), str(evaluation.id)]
    assert len(heard["eval_failed"].split("\t")) == failed
    errors = look(hydra, "select errormsg from jobsets where errormsg is not null")
    assert errors == [("error: undefined variable",)]


# Steps


def test_every_step_is_announced_and_its_log_is_named(
    hydra: Hydra, hear: Callable[[], Messages]
) -> None:
    (build,) = queue_builds(hydra)
    hear()
    finish_step(hydra, build, start_step(hydra, build, dependency=True))
    finish_step(hydra, build, start_step(hydra, build), 1, "exit code 2")
    [(drv,)] = look(hydra, "select drvpath from builds")
    name = str(drv).removeprefix("/nix/store/")
    heard = hear()
    assert [channel for channel, _ in heard] == ["build_started", "step_finished"] * 2
    assert heard[3][1] == (
        f"{build}\t2\t/var/lib/hydra/build-logs/{name[:2]}/{name[2:]}"
    )
    steps = look(hydra, "select stepnr, busy, status, errormsg from buildsteps")
    assert sorted(steps) == [(1, 0, 0, None), (2, 0, 1, "exit code 2")]


def test_an_old_runner_announces_a_build_once(
    hydra: Hydra, hear: Callable[[], Messages]
) -> None:
    hydra.generation = Generation.CPP_RUNNER
    (build,) = queue_builds(hydra)
    finish_step(hydra, build, start_step(hydra, build, dependency=True))
    finish_step(hydra, build, start_step(hydra, build))
    assert Counter(channel for channel, _ in hear())["build_started"] == 1


# Finished builds


def test_a_finished_build_is_flagged_with_its_stop_time_and_announced(
    hydra: Hydra, hear: Callable[[], Messages]
) -> None:
    (build,) = queue_builds(hydra)
    hear()
    finished = finish_build(hydra, build, start=100, stop=160)
    assert finished == Finished(build, 0, 100, 160, pending=160)
    assert hear() == [("build_finished", str(build))]
    assert flags(hydra) == {build: 160}
    row = look(hydra, "select finished, buildstatus, starttime, stoptime from builds")
    assert row == [(1, 0, 100, 160)]


def test_a_notification_can_be_forgotten_while_the_flag_is_set(
    hydra: Hydra, hear: Callable[[], Messages]
) -> None:
    (build,) = queue_builds(hydra)
    hear()
    finish_build(hydra, build, notify=False)
    assert hear() == []
    assert list(flags(hydra)) == [build]
    assert hydra.log.outcomes()[0].announced == "never"
    assert hydra.log.outcomes()[0].owed


def test_the_flag_is_committed_before_the_notification_is(hydra: Hydra) -> None:
    (build,) = queue_builds(hydra)
    with connect(hydra.url) as connection:
        connection.execute("create table seen (pending int)")
        connection.execute(
            "create function note() returns trigger language plpgsql as $$ begin"
            " insert into seen values (txid_current() % 1000000000); return new; end $$"
        )
        connection.execute(
            "create trigger note after update on builds for each row"
            " when (new.finished = 1) execute function note()"
        )
    finish_build(hydra, build)
    [(flagged,)] = look(hydra, "select distinct pending from seen")
    with connect(hydra.url) as connection:
        row = connection.execute("select txid_current() % 1000000000").fetchone()
    # One transaction for the notification lies between that of the flag and this one.
    assert row is not None
    assert row[0] >= int(str(flagged)) + 2


def test_a_build_whose_result_was_known_is_flagged_and_announced(
    hydra: Hydra, hear: Callable[[], Messages]
) -> None:
    good, bad = queue_builds(hydra, 2)
    hear()
    finish_cached_build(hydra, good)
    finish_cached_build(hydra, bad, 1)
    assert hear() == [("build_finished", str(good)), ("build_finished", str(bad))]
    assert set(flags(hydra)) == {good, bad}
    cached = look(hydra, "select buildstatus, iscachedbuild from builds order by id")
    assert cached == [(0, 1), (1, 1)]


def test_a_failure_takes_its_dependents_with_it_and_repeats_the_head(
    hydra: Hydra, hear: Callable[[], Messages]
) -> None:
    low, head, high = queue_builds(hydra, 3)
    hear()
    fail_builds(hydra, head, [low, high])
    assert hear() == [("build_finished", f"{head}\t{low}\t{head}\t{high}")]
    assert set(flags(hydra)) == {low, head, high}
    statuses = look(hydra, "select buildstatus from builds order by id")
    assert statuses == [(2,), (1,), (2,)]
    origins = look(hydra, "select build, propagatedfrom from buildsteps order by build")
    assert origins == [(low, head), (high, head)]
    announced = {o.build: o.announced for o in hydra.log.outcomes()}
    assert announced == {head: "head", low: "dependent", high: "dependent"}


def test_dependents_of_a_build_that_timed_out_have_timed_out(hydra: Hydra) -> None:
    head, dependent = queue_builds(hydra, 2)
    fail_builds(hydra, head, [dependent], 7)
    assert look(hydra, "select buildstatus from builds") == [(7,), (7,)]


def test_a_long_list_of_dependents_comes_in_pieces_with_the_same_head(
    hydra: Hydra, hear: Callable[[], Messages]
) -> None:
    head, *dependents = queue_builds(hydra, 901)
    hear()
    fail_builds(hydra, head, dependents)
    heard = [payload for _, payload in hear()]
    assert len(heard) == 2
    assert all(len(payload) <= 7000 for payload in heard)
    # The first is as long as it may be: one more id of nine digits would not fit.
    assert len(heard[0]) > 7000 - 10
    pieces = [list(map(int, payload.split("\t"))) for payload in heard]
    assert [piece[0] for piece in pieces] == [head, head]
    assert [*pieces[0][1:], *pieces[1][1:]] == sorted([head, *dependents])


def test_an_old_runner_loses_a_notification_that_is_too_long(
    hydra: Hydra, hear: Callable[[], Messages]
) -> None:
    hydra.generation = Generation.CPP_RUNNER
    head, *dependents = queue_builds(hydra, 901)
    hear()
    fail_builds(hydra, head, dependents)
    assert hear() == []
    assert len(flags(hydra)) == 901
    assert isinstance(hydra.log.facts[-1], Withheld)


def test_a_restarted_build_keeps_flag_and_times_until_it_finishes_again(
    hydra: Hydra, hear: Callable[[], Messages]
) -> None:
    (build,) = queue_builds(hydra)
    finish_build(hydra, build, 0, start=100, stop=160)
    hear()
    restart_build(hydra, build)
    assert hear() == []
    state = (
        "select finished, buildstatus, stoptime, notificationpendingsince from builds"
    )
    assert look(hydra, state) == [(0, 0, 160, 160)]
    finish_build(hydra, build, 1, start=200, stop=260)
    assert hear() == [("build_finished", str(build))]
    assert look(hydra, state) == [(1, 1, 260, 260)]
    first, second = hydra.log.outcomes()
    assert (first.status, first.superseded, first.owed) == (0, True, False)
    assert (second.status, second.superseded, second.owed) == (1, False, True)


def test_nobody_is_told_of_a_cancelled_build(
    hydra: Hydra, hear: Callable[[], Messages]
) -> None:
    (build,) = queue_builds(hydra)
    hear()
    assert cancel_build(hydra, build).pending is None
    assert hear() == []
    assert flags(hydra) == {}
    assert not hydra.log.outcomes()[0].owed


def test_a_build_cancelled_after_a_restart_is_owed_by_its_old_flag(
    hydra: Hydra,
) -> None:
    (build,) = queue_builds(hydra)
    finish_build(hydra, build, stop=160)
    restart_build(hydra, build)
    assert cancel_build(hydra, build).pending == 160
    outcome = hydra.log.outcomes()[-1]
    assert (outcome.status, outcome.announced, outcome.owed) == (4, "never", True)


def test_a_successful_build_has_something_to_show(hydra: Hydra) -> None:
    builds = queue_builds(hydra, 40)
    for build in builds:
        finish_build(hydra, build)
    paths = look(hydra, "select path from buildoutputs")
    assert all(str(path).startswith("/nix/store/") for (path,) in paths)
    assert len(look(hydra, "select distinct type from buildproducts")) > 2
    assert look(hydra, "select 1 from buildproducts where path is null limit 1")
    assert look(hydra, "select 1 from buildmetrics where unit is null limit 1")
    assert look(hydra, "select 1 from builds where description is null limit 1")
    restart_build(hydra, builds[0])
    finish_build(hydra, builds[0])


# Contents


def test_made_up_builds_are_shaped_like_nixpkgs() -> None:
    dice = Random(0)
    builds = [new_build(dice, number) for number in range(100)]
    assert len({job_name(number) for number in range(2000)}) == 2000
    for build in builds:
        digits = build.drv_path.removeprefix("/nix/store/")[:32]
        assert set(digits) <= set(NIX_BASE32)
        assert build.drv_path.isascii()
        assert build.drv_path.endswith(".drv")
    assert any(path is None for build in builds for _, path in build.outputs)
    assert any("日本語" in (build.description or "") for build in builds)


# The log


def test_an_outcome_is_announced_by_the_first_notification_after_it() -> None:
    outcomes = build_outcomes(
        [
            Notified("build_finished", "1", (1,)),
            Finished(1, 0, 10, 20, 20),
            Notified("cached_build_finished", "9\t1", (1,)),
            Finished(2, 2, 10, 20, 20),
            Notified("build_finished", "3\t3\t2", (3, 3, 2)),
            Notified("build_finished", "2", (2,)),
        ]
    )
    assert outcomes == (
        BuildOutcome(1, 0, 10, 20, 20, "never"),
        BuildOutcome(2, 2, 10, 20, 20, "dependent"),
    )


def test_a_notification_between_restart_and_finish_announces_nothing() -> None:
    outcomes = build_outcomes(
        [
            Finished(1, 0, 10, 20, 20),
            Restarted(1),
            Notified("build_finished", "1", (1,)),
            Finished(1, 1, 30, 40, 40),
        ]
    )
    assert [(o.announced, o.superseded) for o in outcomes] == [
        ("never", True),
        ("never", False),
    ]


# Traffic


@pytest.mark.parametrize("seed", [1, 2])
def test_a_listener_hears_exactly_what_the_log_says(
    database_url: str, hear: Callable[[], Messages], seed: int
) -> None:
    with open_hydra(database_url, seed=seed) as hydra:
        work(hydra, turns=120)
        assert hear() == said(hydra)


@pytest.mark.parametrize("seed", [3, 4])
def test_the_flags_that_are_set_are_those_that_the_log_says_are_owed(
    database_url: str, seed: int
) -> None:
    with open_hydra(database_url, seed=seed) as hydra:
        work(hydra, turns=120)
        owed = [o for o in hydra.log.outcomes() if o.owed]
        flagged = look(
            hydra,
            "select id, buildstatus, starttime, stoptime, notificationpendingsince"
            " from builds where notificationpendingsince is not null order by id",
        )
    assert sorted((o.build, o.status, o.start, o.stop, o.pending) for o in owed) == (
        flagged
    )


def test_a_story_has_everything_in_it(database_url: str) -> None:
    with open_hydra(database_url, seed=5) as hydra:
        work(hydra, turns=300)
        outcomes = hydra.log.outcomes()
        assert set(hydra.log.channels()) == set(CHANNELS)
        assert {o.announced for o in outcomes} == {"head", "dependent", "never"}
        assert any(o.superseded for o in outcomes)
        assert any(isinstance(fact, Withheld) for fact in hydra.log.facts)
        assert {0, 1, 2, 3, 4, 6, 7} <= {o.status for o in outcomes}
        assert max(len(n.payload) for n in hydra.log.notified("build_finished")) > 6900
        unfinished = look(hydra, "select 1 from builds where finished = 0")
        flagged = flags(hydra)
    assert len(unfinished) < 100
    assert len(flagged) == sum(o.owed for o in outcomes)


@pytest.mark.parametrize("database_url", [85, 86, 87, 88], indirect=True)
@pytest.mark.parametrize("generation", [Generation.CPP_RUNNER, Generation.RUST_RUNNER])
def test_every_schema_version_holds_the_same_story(
    database_url: str, generation: Generation
) -> None:
    with open_hydra(database_url, generation=generation) as hydra:
        work(hydra, turns=40)
        version, kind, resolved = look(
            hydra,
            "select s.version, t.data_type,"
            " exists (select from information_schema.columns"
            "         where column_name = 'resolveddrvpath')"
            " from schemaversion s, information_schema.columns t"
            " where t.table_name = 'builds' and t.column_name = 'stoptime'",
        )[0]
    assert kind == ("bigint" if version == 88 else "integer")
    assert resolved == (int(str(version)) >= 87)


def test_one_seed_always_tells_the_same_story(
    server: Server, template: Callable[[int], str]
) -> None:
    stories = []
    for name in ("story_a", "story_b"):
        with connect(server.url()) as connection:
            create_database(connection, name, template=template(87))
        with open_hydra(server.url(name), seed=6, clock=lambda: 1_000_000) as hydra:
            work(hydra, turns=60)
            stories.append(hydra.log.facts)
    assert stories[0] == stories[1]


def test_traffic_runs_until_it_is_told_to_stop(hydra: Hydra) -> None:
    stop = Event()
    thread = Thread(target=run_traffic, args=(hydra, 200.0, stop, Mix(restarted=0.5)))
    with connect(hydra.url) as connection:
        connection.execute("listen build_finished")
        thread.start()
        heard = list(connection.notifies(timeout=PATIENCE, stop_after=10))
        stop.set()
        thread.join(PATIENCE)
    assert len(heard) >= 10
    assert not thread.is_alive()
    unfinished = "select 1 from builds where finished = 0 and {} is not null"
    assert look(hydra, unfinished.format("notificationpendingsince")) == []


def test_it_goes_on_when_its_connection_is_lost(
    hydra: Hydra, hear: Callable[[], Messages]
) -> None:
    (build,) = queue_builds(hydra)
    hear()
    pid = hydra.connection.info.backend_pid
    look(hydra, f"select pg_terminate_backend({pid}, 10000)")
    finish_build(hydra, build)
    assert hear() == [("build_finished", str(build))]
    assert list(flags(hydra)) == [build]


def test_it_goes_on_and_keeps_its_log_when_its_server_is_restarted() -> None:
    stop = Event()
    with private_postgres() as own, open_hydra(new_database(own), seed=8) as hydra:
        thread = Thread(target=run_traffic, args=(hydra, 300.0, stop))
        thread.start()
        for mode in ("fast", "immediate", "immediate", "fast"):
            with connect(hydra.url) as connection:
                connection.execute("listen step_finished")
                assert list(connection.notifies(timeout=PATIENCE, stop_after=5))
            own.restart(mode)
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        owed = {o.build: o.pending for o in hydra.log.outcomes() if o.owed}
        assert owed
        assert owed == flags(hydra)


def work(hydra: Hydra, *, turns: int) -> None:
    traffic = Traffic(hydra, Mix())
    for _ in range(turns):
        traffic.turn()
    traffic.wind_down()
