"""How the database is asked: how often, at one moment, by which plans and schemas."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, Final

import msgspec
import psycopg
import pytest
from psycopg.rows import TupleRow
from tests.hydra_rows import insert_eval, insert_finished, loaded

from hydra_notify import builds
from hydra_notify.builds import build_rows, eval_rows, flags, jobset_rows, step_rows
from hydra_notify.database import Connection, Database, connect
from hydra_notify.demo.simulation.build_steps import finish_step, start_step
from hydra_notify.demo.simulation.evaluator import evaluate, fail_evaluation
from hydra_notify.demo.simulation.hydra import Hydra
from hydra_notify.demo.simulation.queue_runner import fail_builds, finish_build
from hydra_notify.demo.simulation.schema import BASE_VERSION, UPGRADES
from hydra_notify.errors import DatabaseLost
from hydra_notify.events import (
    BuildEvent,
    BuildFinished,
    CachedBuildEvent,
    EvalEvent,
    Event,
    Notification,
    StepFinished,
    parse,
)
from hydra_notify.facts import Absent, Loaded
from hydra_notify_sdk.wire import BuildEventData, CloudEvent, Part

ALL_PARTS: Final = frozenset[Part]({"dependents", "evals", "previousBuild", "errorMsg"})

NO_PARTS: Final = frozenset[Part]()


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        yield connection


def watch(connection: Connection, before_each: Callable[[str], None]) -> None:
    """Call `before_each` with every statement that is about to be executed."""

    class Watched(psycopg.Cursor[TupleRow]):
        def execute(self, query: Any, *args: Any, **options: Any) -> Any:
            before_each(str(query))
            return super().execute(query, *args, **options)

    connection.cursor_factory = Watched


def statements(
    connection: Connection, events: Sequence[Event], parts: frozenset[Part]
) -> list[str]:
    """What is executed to load these events; the end of the transaction apart."""
    seen: list[str] = []
    watch(connection, seen.append)
    builds.load(connection, events, parts)
    connection.cursor_factory = psycopg.Cursor
    return seen


# How often


DOCUMENT: Final = (
    build_rows.DETAILS,
    build_rows.RESULTS,
    jobset_rows.JOBSETS,
)
"""What every event about a build needs."""

STEP: Final = (step_rows.STEPS, step_rows.STEP_OUTPUTS)

EVERYTHING: Final = (
    *DOCUMENT,
    eval_rows.PREVIOUS,
    eval_rows.MEMBERSHIPS,
    eval_rows.EVALS,
    eval_rows.INPUTS,
)


@pytest.mark.parametrize(
    ("event", "parts", "needed"),
    [
        (BuildEvent("build_queued", 1), NO_PARTS, DOCUMENT),
        (BuildFinished(1), NO_PARTS, DOCUMENT),
        (BuildFinished(1, (2,)), NO_PARTS, (*DOCUMENT, build_rows.OUTCOMES)),
        (BuildFinished(1, (2,)), {"dependents"}, DOCUMENT),
        (BuildFinished(1), {"errorMsg"}, DOCUMENT),
        (BuildFinished(1), {"previousBuild"}, (*DOCUMENT, eval_rows.PREVIOUS)),
        (BuildFinished(1, (2,)), ALL_PARTS, EVERYTHING),
        (StepFinished(1, 1, None), NO_PARTS, (*DOCUMENT, *STEP)),
        (
            CachedBuildEvent("cached_build_queued", 1, 1),
            NO_PARTS,
            (*DOCUMENT, eval_rows.EVALS),
        ),
        (
            CachedBuildEvent("cached_build_queued", 1, 1),
            {"evals"},
            (*DOCUMENT, eval_rows.EVALS, eval_rows.INPUTS),
        ),
        (EvalEvent("eval_started", "1.2", 1), ALL_PARTS, (jobset_rows.JOBSETS,)),
        (
            EvalEvent("eval_cached", "1.2", 1, 1),
            NO_PARTS,
            (jobset_rows.JOBSETS, eval_rows.EVALS),
        ),
    ],
)
def test_only_what_events_and_parts_need_is_asked_for(
    connection: Connection, event: Event, parts: set[Part], needed: tuple[str, ...]
) -> None:
    insert_finished(connection, 1)
    insert_finished(connection, 2)
    insert_eval(connection, 1, 1, 2)
    begin, *asked = statements(connection, [event], frozenset(parts))
    assert begin == "begin isolation level repeatable read, read only"
    assert sorted(asked) == sorted(needed)


def test_the_number_of_statements_does_not_grow_with_the_number_of_events(
    hydra: Hydra,
) -> None:
    jobset = hydra.jobset("nixpkgs:trunk")
    evaluation = evaluate(hydra, jobset, range(120))
    heads, dependents = evaluation.builds[:60], evaluation.builds[60:]
    fail_builds(hydra, heads[0], evaluation.builds[1:])

    def kinds(build: int) -> list[Event]:
        return [
            BuildEvent("build_queued", build),
            BuildFinished(build),
            BuildFinished(build, dependents),
            CachedBuildEvent("cached_build_finished", evaluation.id, build),
            StepFinished(build, 1, None),
            EvalEvent("eval_added", f"1.{build}", jobset.id, evaluation.id),
        ]

    few = kinds(heads[1])
    many = [event for build in heads for event in kinds(build)]
    for parts in (NO_PARTS, ALL_PARTS):
        one = statements(hydra.connection, few, parts)
        all_of_them = statements(hydra.connection, many, parts)
        assert all_of_them == one
        assert len(one) <= 11


def test_statements_are_prepared_once_however_many_ids_they_get(hydra: Hydra) -> None:
    every = evaluate(hydra, hydra.jobset("nixpkgs:trunk"), range(40)).builds
    prepared = "select count(*) from pg_prepared_statements"

    def load_twelve_times(count: int) -> tuple[int, ...] | None:
        events = [BuildEvent("build_queued", build) for build in every[:count]]
        for _ in range(12):
            builds.load(hydra.connection, events, ALL_PARTS)
        return hydra.connection.execute(prepared).fetchone()

    with_one = load_twelve_times(1)
    assert with_one
    assert with_one[0] >= 7
    assert load_twelve_times(40) == with_one


# At one moment


def test_all_rows_are_of_one_moment(connection: Connection, database_url: str) -> None:
    insert_finished(connection, 7, description="before")
    insert_finished(connection, 8, status=2)
    with connect(database_url) as other:

        def change(query: str) -> None:
            if "buildoutputs" in query:
                other.execute(
                    "update builds set description = 'after', buildstatus = 9"
                )
                other.execute(
                    "insert into buildoutputs values (7, 'out', '/nix/later')"
                )
                other.execute("update jobsets set description = 'after'")

        watch(connection, change)
        result = loaded(connection, BuildFinished(7, (8,)))
    assert isinstance(result.data, BuildEventData)
    assert result.data.description == "before"
    assert result.data.outputs == []
    assert result.data.jobset_info.description == "Main development"
    assert [flag.status for flag in result.flags] == [0, 2]
    connection.cursor_factory = psycopg.Cursor
    # So the flags are not cleared: the outcome is another one now.
    assert builds.clear(connection, result.flags) == set()


def test_loading_leaves_no_transaction_open(connection: Connection) -> None:
    insert_finished(connection, 7)
    builds.load(connection, [BuildFinished(7)], NO_PARTS)
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


async def test_loading_goes_on_after_the_schema_was_migrated_under_it(
    database_url: str, connection: Connection
) -> None:
    insert_finished(connection, 7)
    database = Database(database_url)

    def load(connection: Connection) -> list[Loaded | Absent]:
        return builds.load(connection, [BuildFinished(7)], NO_PARTS)

    before = [await database.run(load) for _ in range(10)][-1]
    connection.execute(UPGRADES[88])
    with pytest.raises(DatabaseLost):
        await database.run(load)
    assert await database.run(load) == before
    await database.close()


# By which plans


def plan(
    connection: Connection, mode: str, query: str, values: Sequence[object]
) -> str:
    """How Postgres answers a prepared statement when it is given these values."""
    numbers = count(1)
    numbered = re.sub("%s", lambda _: f"${next(numbers)}", query)
    connection.execute(f"set plan_cache_mode = {mode}".encode())
    connection.execute(f"prepare guard as {numbered}".encode())
    with psycopg.ClientCursor(connection) as cursor:
        places = ", ".join(["%s"] * len(values))
        cursor.execute(f"explain execute guard ({places})".encode(), values)
        rows = cursor.fetchall()
    connection.execute("deallocate guard")
    return "\n".join(line for (line,) in rows)


def test_no_statement_reads_a_whole_table(connection: Connection) -> None:
    connection.execute(
        "insert into builds (id, finished, timestamp, jobset_id, job, drvpath, system,"
        " starttime, stoptime, buildstatus)"
        " select id, 1, 1, 1 + id % 2, 'job' || id % 500, '/nix/store/x.drv', 's',"
        " 1, 1, 0"
        " from generate_series(1, 30000) id"
    )
    connection.execute("insert into buildoutputs select id, 'out', 'p' from builds")
    connection.execute(
        "insert into jobsetevals (id, jobset_id, timestamp, checkouttime, evaltime,"
        " hasnewbuilds, hash)"
        " select id, 1, 1, 1, 1, 1, '' from generate_series(1, 3000) id"
    )
    connection.execute(
        "insert into jobsetevalmembers select id / 10 + 1, id, 1 from builds"
        " where id < 29990"
    )
    connection.execute("analyze")
    # A few flags since the last time somebody counted.
    connection.execute(
        "update builds set notificationpendingsince = 1 where id % 3000 = 7"
    )
    numbers = list(range(20_000, 20_100))
    ids = build_rows.id_array(numbers)
    # The plan for these values, and the one for any.
    for mode in ("force_custom_plan", "force_generic_plan"):
        sweep = plan(connection, mode, flags.PENDING, (0, 1_000))
        assert "indexbuildsonnotificationpendingsince" in sweep
        for query, values in (
            (build_rows.DETAILS, (ids,)),
            (build_rows.OUTCOMES, (ids,)),
            (build_rows.RESULTS, (ids, ids, ids)),
            (eval_rows.MEMBERSHIPS, (ids, 100)),
            (eval_rows.PREVIOUS, (ids, ids)),
            (flags.FLAGS, (numbers,)),
            (flags.CLEAR, (numbers,) * 5),
        ):
            found = plan(connection, mode, query, values)
            assert "Index" in found
            assert "Seq Scan on builds" not in found, found
            assert "Seq Scan on buildoutputs" not in found, found
            assert "Seq Scan on jobsetevalmembers" not in found, found
        previous = plan(connection, mode, eval_rows.PREVIOUS, ("{}", ids))
        assert "builds_jobset_id_job_finished_id_idx" in previous


# Which schemas


@pytest.mark.parametrize(
    "database_url", range(BASE_VERSION, max(UPGRADES) + 1), indirect=True
)
def test_every_event_is_loaded_and_encoded_with_every_supported_schema(
    hydra: Hydra,
) -> None:
    jobset = hydra.jobset("nixpkgs:trunk")
    evaluation = evaluate(hydra, jobset, range(6))
    first, second, third, *_ = evaluation.builds
    finish_step(hydra, first, start_step(hydra, first), 1, "it broke")
    fail_builds(hydra, first, [second])
    finish_build(hydra, third)
    evaluate(hydra, jobset, [5])
    fail_evaluation(hydra, jobset, "undefined variable 'hello'")
    events = [
        parse(Notification(fact.channel, fact.payload))
        for channel in hydra.log.channels()
        for fact in hydra.log.notified(channel)
    ]
    assert {event.channel for event in events} >= {
        "build_finished",
        "build_started",
        "cached_build_finished",
        "step_finished",
        "eval_added",
        "eval_failed",
    }
    for result in builds.load(hydra.connection, events, ALL_PARTS):
        assert isinstance(result, Loaded), result
        encoded = builds.encode(result, ALL_PARTS, "https://hydra.example.org")
        event = msgspec.json.decode(encoded, type=CloudEvent)
        assert event.type == f"hydra.{result.event.channel}"
        msgspec.json.decode(event.data, type=type(result.data))
        builds.clear(hydra.connection, result.flags)
    assert builds.pending_page(hydra.connection, 0, 10) == []
