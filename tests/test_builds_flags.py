"""The pending flag: found, cleared by comparison, looked at again."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Final, LiteralString
from uuid import uuid4

import pytest
from msgspec.structs import replace
from psycopg import sql
from tests.hydra_rows import (
    START,
    STOP,
    insert,
    insert_build,
    insert_finished,
    loaded,
)

from hydra_notify import builds
from hydra_notify.builds import NoFlag
from hydra_notify.database import Connection, connect, translated
from hydra_notify.demo.server.postgres import Server
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.hydra import Hydra
from hydra_notify.demo.simulation.queue_runner import (
    cancel_build,
    fail_builds,
    finish_build,
    restart_build,
)
from hydra_notify.demo.simulation.schema import BASE_VERSION, UPGRADES
from hydra_notify.errors import DatabaseError, DatabaseLost
from hydra_notify.events import BuildFinished
from hydra_notify.facts import PendingFlag
from hydra_notify_sdk.wire import Part


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        yield connection


def pending(connection: Connection) -> list[int]:
    rows = connection.execute(
        "select id from builds where notificationpendingsince is not null order by id"
    ).fetchall()
    return [build for (build,) in rows]


def flag_of(connection: Connection, build: int) -> PendingFlag:
    flag = builds.read_flags(connection, [build])[build]
    assert isinstance(flag, PendingFlag)
    return flag


# clear


def test_a_flag_is_cleared_while_it_stands_for_the_outcome_that_was_read(
    connection: Connection,
) -> None:
    insert_finished(connection, 7)
    insert_finished(connection, 8)
    flags = loaded(connection, BuildFinished(7)).flags
    assert builds.clear(connection, flags) == {7}
    assert pending(connection) == [8]
    assert builds.clear(connection, flags) == set()


@pytest.mark.parametrize(
    "column", ["notificationpendingsince", "buildstatus", "starttime", "stoptime"]
)
def test_a_flag_of_another_outcome_stays(connection: Connection, column: str) -> None:
    insert_finished(connection, 7)
    flags = loaded(connection, BuildFinished(7)).flags
    change = sql.SQL("update builds set {0} = {0} + 1").format(sql.Identifier(column))
    connection.execute(change)
    assert builds.clear(connection, flags) == set()
    assert pending(connection) == [7]


def test_a_build_that_finished_twice_in_one_second_keeps_its_second_flag(
    hydra: Hydra,
) -> None:
    (build,) = queue_builds(hydra)
    finish_build(hydra, build, 1, start=START, stop=STOP)
    seen = loaded(hydra.connection, BuildFinished(build)).flags
    restart_build(hydra, build)
    finish_build(hydra, build, 0, start=START, stop=STOP)
    assert builds.clear(hydra.connection, seen) == set()
    assert pending(hydra.connection) == [build]


def test_the_flag_of_a_restarted_build_is_cleared_for_the_outcome_it_had(
    hydra: Hydra,
) -> None:
    """That outcome was delivered; the next one sets the flag anew."""
    (build,) = queue_builds(hydra)
    finish_build(hydra, build)
    seen = loaded(hydra.connection, BuildFinished(build)).flags
    restart_build(hydra, build)
    assert builds.clear(hydra.connection, seen) == {build}


def test_a_cancelled_build_with_the_flag_of_before_keeps_it(hydra: Hydra) -> None:
    (build,) = queue_builds(hydra)
    finish_build(hydra, build)
    seen = loaded(hydra.connection, BuildFinished(build)).flags
    restart_build(hydra, build)
    cancel_build(hydra, build)
    assert builds.clear(hydra.connection, seen) == set()
    now = loaded(hydra.connection, BuildFinished(build)).flags
    assert builds.clear(hydra.connection, now) == {build}


def test_missing_values_are_values_to_compare(connection: Connection) -> None:
    insert_build(connection, 7, notificationpendingsince=STOP)
    unset = PendingFlag(7, STOP, None, None, None)
    assert builds.clear(connection, [replace(unset, status=0)]) == set()
    assert builds.clear(connection, [replace(unset, start=START)]) == set()
    assert builds.clear(connection, [unset]) == {7}


def test_only_the_flag_changes(connection: Connection) -> None:
    insert_finished(connection, 7, description="kept")
    row = "select to_jsonb(builds) - 'notificationpendingsince' from builds"
    before = connection.execute(row).fetchone()
    builds.clear(connection, loaded(connection, BuildFinished(7)).flags)
    assert connection.execute(row).fetchone() == before


def test_a_row_that_somebody_holds_is_skipped_and_not_waited_for(
    connection: Connection, database_url: str
) -> None:
    for build in (7, 8, 9):
        insert_finished(connection, build)
    flags = loaded(connection, BuildFinished(7, (8, 9))).flags
    # Waiting at all would be an error now.
    connection.execute("set lock_timeout = 1")
    with connect(database_url) as runner, runner.transaction():
        runner.execute("update builds set keep = 1 where id = 8")
        with translated():
            assert builds.clear(connection, flags) == {7, 9}
    # It has not changed, so it is the same flag still.
    assert flag_of(connection, 8) == flags[1]
    assert builds.clear(connection, flags) == {8}


def test_an_outcome_written_while_the_row_was_held_is_not_cleared(
    connection: Connection, database_url: str
) -> None:
    insert_finished(connection, 7)
    flags = loaded(connection, BuildFinished(7)).flags
    with connect(database_url) as runner, runner.transaction():
        runner.execute("update builds set buildstatus = 1, stoptime = stoptime + 9")
        assert builds.clear(connection, flags) == set()
    assert builds.clear(connection, flags) == set()
    assert pending(connection) == [7]


def test_somebody_who_only_refers_to_the_row_is_not_in_the_way(
    connection: Connection, database_url: str
) -> None:
    insert_finished(connection, 7)
    flags = loaded(connection, BuildFinished(7)).flags
    with connect(database_url) as runner, runner.transaction():
        insert(runner, "buildoutputs", {"build": 7, "name": "out"})
        assert builds.clear(connection, flags) == {7}


def test_flags_of_builds_that_are_gone_are_passed_over(connection: Connection) -> None:
    insert_finished(connection, 7)
    gone = PendingFlag(6, STOP, 0, START, STOP)
    flags = loaded(connection, BuildFinished(7)).flags
    assert builds.clear(connection, [*flags, gone]) == {7}


def test_one_flag_may_be_named_by_several_events(hydra: Hydra) -> None:
    """A long list of dependents comes in chunks, each with the same head."""
    first, second, third = queue_builds(hydra, 3)
    fail_builds(hydra, first, [second, third])
    flags = [
        *loaded(hydra.connection, BuildFinished(first, (third,))).flags,
        *loaded(hydra.connection, BuildFinished(first, (second,))).flags,
    ]
    assert builds.clear(hydra.connection, flags) == {first, second, third}
    assert pending(hydra.connection) == []


def test_of_two_readings_of_one_flag_the_one_that_holds_counts(
    connection: Connection,
) -> None:
    insert_finished(connection, 7)
    (flag,) = loaded(connection, BuildFinished(7)).flags
    older = replace(flag, stop=1)
    assert builds.clear(connection, [older, flag]) == {7}


def test_no_flags_are_nothing_to_clear(connection: Connection) -> None:
    assert builds.clear(connection, []) == set()


def test_clearing_is_one_statement_and_needs_no_transaction_of_its_own(
    connection: Connection, database_url: str
) -> None:
    insert_finished(connection, 7)
    builds.clear(connection, loaded(connection, BuildFinished(7)).flags)
    with connect(database_url) as other:
        assert pending(other) == []


@contextmanager
def role_with(connection: Connection, *grants: LiteralString) -> Generator[None]:
    """Statements run with these rights and no others."""
    role = sql.Identifier(f"reader_{uuid4().hex}")
    connection.execute(sql.SQL("create role {}").format(role))
    try:
        for grant in grants:
            connection.execute(sql.SQL("grant {} to {}").format(sql.SQL(grant), role))
        connection.execute(sql.SQL("set role {}").format(role))
        yield
    finally:
        connection.execute("reset role")
        connection.execute(sql.SQL("drop owned by {}").format(role))
        connection.execute(sql.SQL("drop role {}").format(role))


READER: Final = "select on all tables in schema public"
CLEARER: Final = "update (notificationpendingsince) on builds"

ADVISORY_WAITERS: Final = """
select from pg_locks where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())
"""


@pytest.mark.parametrize("again", [False, True])
def test_an_outcome_committed_between_comparing_and_locking_is_not_cleared(
    connection: Connection, database_url: str, again: bool
) -> None:
    """A row policy holds the statement up after its snapshot, before its locks."""
    insert_finished(connection, 7)
    flags = loaded(connection, BuildFinished(7)).flags
    connection.execute(
        "create function wait() returns boolean language plpgsql as $$"
        " begin perform pg_advisory_xact_lock_shared(1); return true; end $$"
    )
    connection.execute("alter table builds enable row level security")
    connection.execute("create policy waiting on builds using (wait())")
    cleared: list[set[int]] = []
    clearer = Thread(target=lambda: cleared.append(builds.clear(connection, flags)))
    with role_with(connection, READER, CLEARER), connect(database_url) as runner:
        runner.execute("select pg_advisory_lock(1)")
        clearer.start()
        while runner.execute(ADVISORY_WAITERS).fetchone() is None:
            assert clearer.is_alive()
        if again:
            runner.execute("update builds set buildstatus = 1")
        runner.execute("select pg_advisory_unlock(1)")
        clearer.join(timeout=20)
    assert cleared == [set() if again else {7}]
    assert pending(connection) == ([7] if again else [])


def test_reading_and_the_one_column_are_all_the_rights_that_are_needed(
    connection: Connection,
) -> None:
    insert_finished(connection, 7)
    insert_finished(connection, 8)
    with role_with(connection, READER, CLEARER):
        event = BuildFinished(7, (8,))
        parts: tuple[Part, ...] = ("dependents", "evals", "previousBuild", "errorMsg")
        flags = loaded(connection, event, *parts).flags
        assert builds.schema_version(connection) == 87
        assert len(builds.pending_page(connection, 0, 10)) == 2
        assert builds.clear(connection, flags) == {7, 8}
        with pytest.raises(DatabaseLost, match="permission denied"), translated():
            connection.execute("update builds set keep = 1")


@pytest.mark.parametrize("database_url", [BASE_VERSION, max(UPGRADES)], indirect=True)
def test_flags_are_cleared_whatever_the_width_of_times(connection: Connection) -> None:
    insert_finished(connection, 7)
    flags = loaded(connection, BuildFinished(7)).flags
    assert builds.clear(connection, flags) == {7}


@pytest.mark.parametrize("database_url", [max(UPGRADES)], indirect=True)
def test_times_after_2038_are_times(connection: Connection) -> None:
    late = 2**31 + 5
    times = {"starttime": late, "stoptime": late, "notificationpendingsince": late}
    insert_finished(connection, 7, timestamp=late, **times)
    result = loaded(connection, BuildFinished(7))
    assert result.time == "2038-01-19T03:14:13Z"
    assert builds.clear(connection, result.flags) == {7}


# read_flags


def test_looking_again_tells_what_became_of_each_flag(hydra: Hydra) -> None:
    same, again, restarted, cleared = queue_builds(hydra, 4)
    for build in (same, again, restarted, cleared):
        finish_build(hydra, build, start=START, stop=STOP)
    restart_build(hydra, again)
    finish_build(hydra, again, 1, start=START, stop=STOP + 60)
    restart_build(hydra, restarted)
    connection = hydra.connection
    builds.clear(connection, [PendingFlag(cleared, STOP, 0, START, STOP)])
    every = [same, again, restarted, cleared, 1]
    assert builds.read_flags(connection, every) == {
        same: PendingFlag(same, STOP, 0, START, STOP),
        again: PendingFlag(again, STOP + 60, 1, START, STOP + 60),
        restarted: NoFlag.UNFINISHED,
        cleared: NoFlag.GONE,
        1: NoFlag.GONE,
    }


def test_looking_at_no_builds_finds_nothing(connection: Connection) -> None:
    assert builds.read_flags(connection, []) == {}


# pending_page


def test_pages_cover_all_pending_flags_once_in_the_order_of_ids(
    connection: Connection,
) -> None:
    for build in (5, 3, 9, 7, 1):
        insert_finished(connection, build, notificationpendingsince=STOP - build)
    first = builds.pending_page(connection, 0, 2)
    assert first == [
        PendingFlag(1, STOP - 1, 0, START, STOP),
        PendingFlag(3, STOP - 3, 0, START, STOP),
    ]
    second = builds.pending_page(connection, first[-1].build, 2)
    assert [flag.build for flag in second] == [5, 7]
    third = builds.pending_page(connection, second[-1].build, 2)
    assert [flag.build for flag in third] == [9]
    assert builds.pending_page(connection, 9, 2) == []


def test_a_page_leaves_out_what_is_cleared_or_unfinished(hydra: Hydra) -> None:
    done, restarted, cleared, queued = queue_builds(hydra, 4)
    for build in (done, restarted, cleared):
        finish_build(hydra, build, start=START, stop=STOP)
    restart_build(hydra, restarted)
    builds.clear(hydra.connection, [PendingFlag(cleared, STOP, 0, START, STOP)])
    page = builds.pending_page(hydra.connection, 0, 10)
    assert [flag.build for flag in page] == [done]
    assert queued not in [flag.build for flag in page]


def test_a_flag_of_a_page_is_the_one_that_loading_finds(connection: Connection) -> None:
    insert_finished(connection, 7, status=6)
    page = builds.pending_page(connection, 0, 10)
    assert tuple(page) == loaded(connection, BuildFinished(7)).flags


# schema_version


def test_the_schema_tells_its_version(connection: Connection) -> None:
    assert builds.schema_version(connection) == 87


def test_a_database_without_a_schema_is_not_ready_yet(server: Server) -> None:
    with (
        connect(server.url()) as connection,
        pytest.raises(DatabaseLost, match="schemaversion"),
        translated(),
    ):
        builds.schema_version(connection)


def test_a_schema_that_is_being_made_is_not_ready_yet(connection: Connection) -> None:
    connection.execute("delete from schemaversion")
    with pytest.raises(DatabaseLost, match="schemaversion is empty"), translated():
        builds.schema_version(connection)


def test_a_schema_too_old_for_the_flag_is_refused(connection: Connection) -> None:
    connection.execute("alter table builds drop column notificationpendingsince")
    with pytest.raises(DatabaseError, match="notificationpendingsince"), translated():
        builds.pending_page(connection, 0, 1)
