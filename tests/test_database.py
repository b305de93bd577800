"""The door to Postgres: what errors become, and that nothing is stuck or leaked."""

import gc
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from hydra_notify.database import (
    Connection,
    Database,
    connect,
    in_thread,
    shut,
    snapshot_transaction,
    translated,
)
from hydra_notify.demo.server.postgres import Server
from hydra_notify.errors import DatabaseError, DatabaseLost, PermissionDenied

PATIENCE = 20.0
"""Seconds; for what takes milliseconds."""


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        yield connection


def backend(connection: Connection) -> int:
    return connection.info.backend_pid


def terminate(connection: Connection, pid: int) -> None:
    connection.execute("select pg_terminate_backend(%s, 10000)", (pid,))


def one(connection: Connection) -> int:
    row = connection.execute("select 1").fetchone()
    assert row is not None
    return int(row[0])


def setting(connection: Connection, name: str) -> str:
    row = connection.execute("select current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return str(row[0])


def sleep_for_ever(connection: Connection) -> None:
    connection.execute("set statement_timeout = 0")
    connection.execute("select pg_sleep(3600)")


def wait_for_sleeper(watcher: Connection) -> int:
    """The process id of the backend that sleeps, as soon as there is one."""
    pause = threading.Event()
    for _ in range(int(PATIENCE * 100)):
        row = watcher.execute(
            "select pid from pg_stat_activity where wait_event = 'PgSleep'"
            " and datname = current_database()"
        ).fetchone()
        if row is not None:
            return int(row[0])
        pause.wait(0.01)
    raise AssertionError("nobody sleeps")


def wait_until_gone(watcher: Connection, pid: int) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE * 100)):
        query = "select from pg_stat_activity where pid = %s"
        if watcher.execute(query, (pid,)).fetchone() is None:
            return
        pause.wait(0.01)
    raise AssertionError(f"backend {pid} is still there")


# Connections


def test_every_connection_has_its_time_limits(connection: Connection) -> None:
    assert setting(connection, "statement_timeout") == "10s"
    assert setting(connection, "lock_timeout") == "2s"
    assert setting(connection, "application_name") == "hydra-notify"
    assert connection.autocommit


def test_the_isolation_that_clearing_needs_does_not_depend_on_the_server(
    connection: Connection, database_url: str
) -> None:
    name = connection.info.dbname
    serializable = "default_transaction_isolation = 'serializable'"
    connection.execute(f"alter database {name} set {serializable}".encode())
    with connect(database_url) as other:
        assert setting(other, "transaction_isolation") == "read committed"


def test_options_of_the_operator_win_over_ours(database_url: str) -> None:
    options = quote("-c statement_timeout=5s -c search_path=elsewhere")
    with connect(f"{database_url}?options={options}&application_name=mine") as ours:
        assert setting(ours, "statement_timeout") == "5s"
        assert setting(ours, "search_path") == "elsewhere"
        assert setting(ours, "lock_timeout") == "2s"
        assert setting(ours, "application_name") == "mine"


def test_a_server_that_cannot_be_written_to_is_none_unless_the_operator_says_so(
    connection: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_only = "default_transaction_read_only = on"
    name = connection.info.dbname
    connection.execute(f"alter database {name} set {read_only}".encode())
    with pytest.raises(DatabaseLost, match="read-only"):
        connect(database_url)
    with connect(f"{database_url}?target_session_attrs=any") as other:
        assert one(other) == 1
    monkeypatch.setenv("PGTARGETSESSIONATTRS", "any")
    with connect(database_url) as other:
        assert one(other) == 1


def test_options_of_the_environment_are_kept(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c search_path=elsewhere")
    with connect(database_url) as connection:
        assert setting(connection, "search_path") == "elsewhere"
        assert setting(connection, "lock_timeout") == "2s"


def test_a_database_without_an_encoding_still_gives_text(server: Server) -> None:
    with connect(server.url()) as admin:
        admin.execute(
            "create database ascii template template0 encoding 'SQL_ASCII'"
            " lc_collate 'C' lc_ctype 'C'"
        )
        try:
            with connect(server.url("ascii")) as connection:
                row = connection.execute("select 'naïve ❄'::text").fetchone()
                assert row == ("naïve ❄",)
        finally:
            admin.execute("drop database ascii with (force)")


def test_nobody_at_the_other_end_is_a_lost_database(server: Server) -> None:
    with pytest.raises(DatabaseLost):
        connect(f"postgresql:///x?host={quote(str(server.directory / 'nowhere'))}")


def test_a_database_that_does_not_exist_yet_is_a_lost_one(server: Server) -> None:
    with pytest.raises(DatabaseLost, match="does not exist"):
        connect(server.url("not_yet"))


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(DatabaseError, match="invalid connection option"):
        connect("dbname=hydra colour=green")


# Errors


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("select * from no_such_table", DatabaseLost),
        ("select no_such_column from builds", DatabaseError),
        ("selekt", DatabaseError),
        ("select 1 / 0", DatabaseError),
        ("select pg_terminate_backend(pg_backend_pid())", DatabaseLost),
        ("set statement_timeout = 1; select pg_sleep(60)", DatabaseLost),
        ("begin read only; delete from builds", DatabaseLost),
        ("set role no_such_role", DatabaseError),
        ("execute of_another_backend", DatabaseLost),
        ("prepare twice as select 1; prepare twice as select 1", DatabaseLost),
    ],
)
def test_an_error_tells_whether_another_try_can_help(
    connection: Connection, statement: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught, translated():
        connection.execute(statement.encode())
    assert isinstance(caught.value.__cause__, psycopg.Error)
    assert "\n" not in str(caught.value)


def test_a_refused_statement_is_told_with_its_state(connection: Connection) -> None:
    with (
        pytest.raises(DatabaseError, match=r"column .* does not exist.*42703"),
        translated(),
    ):
        connection.execute("select no_such_column from builds")


def test_a_missing_privilege_is_a_loss_that_names_what_was_denied(
    connection: Connection,
) -> None:
    connection.execute("create role nobody_in_particular")
    try:
        connection.execute("set role nobody_in_particular")
        with pytest.raises(PermissionDenied, match="builds"), translated():
            connection.execute("select from builds")
    finally:
        connection.execute("reset role; drop role nobody_in_particular")


def test_a_table_that_is_locked_is_waited_for_no_longer_than_the_limit(
    connection: Connection, database_url: str
) -> None:
    with connect(database_url) as other, other.transaction():
        other.execute("lock table builds in access exclusive mode")
        with pytest.raises(DatabaseLost, match="lock timeout"), translated():
            connection.execute("select from builds")


def test_a_plan_that_a_migration_made_stale_is_cured_by_another_try(
    connection: Connection, database_url: str
) -> None:
    for _ in range(10):
        connection.execute("select id, timestamp from builds")
    with connect(database_url) as other:
        other.execute("alter table builds alter column timestamp type bigint")
    with pytest.raises(DatabaseLost, match="cached plan"), translated():
        connection.execute("select id, timestamp from builds")


def test_errors_that_are_not_of_postgres_pass_unchanged() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError("ours")


# Snapshots


def test_what_is_read_in_a_snapshot_is_of_one_moment(
    connection: Connection, database_url: str
) -> None:
    count = "select count(*) from projects"
    with connect(database_url) as other, snapshot_transaction(connection):
        before = connection.execute(count).fetchone()
        other.execute("delete from projects")
        assert connection.execute(count).fetchone() == before
    assert connection.execute(count).fetchone() == (0,)


def test_nothing_can_be_written_in_a_snapshot(connection: Connection) -> None:
    with (
        pytest.raises(DatabaseLost, match="read-only"),
        translated(),
        snapshot_transaction(connection),
    ):
        connection.execute("delete from projects")


def test_an_error_in_a_snapshot_leaves_the_connection_usable(
    connection: Connection,
) -> None:
    with pytest.raises(DatabaseError), translated(), snapshot_transaction(connection):
        connection.execute("select 1 / 0")
    assert one(connection) == 1


def test_the_loss_of_the_connection_in_a_snapshot_is_told_as_such(
    connection: Connection, server: Server
) -> None:
    pid = backend(connection)
    with (
        connect(server.url()) as admin,
        pytest.raises(DatabaseLost),
        translated(),
        snapshot_transaction(connection),
    ):
        terminate(admin, pid)


# Shutting


async def test_shutting_a_connection_frees_the_thread_that_waits_on_it(
    connection: Connection, database_url: str
) -> None:
    def wait() -> None:
        with pytest.raises(DatabaseLost), translated():
            sleep_for_ever(connection)

    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, wait)
            with connect(database_url) as watcher:
                await trio.to_thread.run_sync(wait_for_sleeper, watcher)
            shut(connection)


def test_a_closed_connection_can_be_shut(connection: Connection) -> None:
    connection.close()
    shut(connection)


# Database


@contextmanager
def nothing_leaks() -> Generator[None]:
    """Connections that are collected unclosed warn, and a warning fails the test."""
    yield
    gc.collect()


async def test_work_runs_in_a_thread_with_one_connection_for_all(
    database_url: str,
) -> None:
    database = Database(database_url)
    main = threading.get_ident()
    assert await database.run(lambda _: threading.get_ident()) != main
    assert await database.run(backend) == await database.run(backend)
    await database.close()


async def test_the_next_use_after_a_loss_connects_anew(
    database_url: str, connection: Connection
) -> None:
    with nothing_leaks():
        database = Database(database_url)
        lost = await database.run(backend)
        await trio.to_thread.run_sync(terminate, connection, lost)
        with pytest.raises(DatabaseLost):
            await database.run(one)
        assert await database.run(backend) != lost
        await database.close()


async def test_a_refused_statement_does_not_stand_in_the_way_of_the_next(
    database_url: str,
) -> None:
    with nothing_leaks():
        database = Database(database_url)
        with pytest.raises(DatabaseError):
            await database.run(lambda connection: connection.execute("selekt"))
        assert await database.run(one) == 1
        await database.close()


async def test_an_error_of_the_work_itself_leaks_no_connection(
    database_url: str,
) -> None:
    def work(connection: Connection) -> None:
        connection.execute("begin")
        raise KeyError("ours")

    with nothing_leaks():
        database = Database(database_url)
        with pytest.raises(KeyError):
            await database.run(work)
        assert await database.run(one) == 1
        await database.close()


async def test_work_waits_for_its_turn(database_url: str) -> None:
    database = Database(database_url)
    order: list[str] = []
    entered, go_on = threading.Event(), threading.Event()

    def slow(_: Connection) -> None:
        order.append("slow begins")
        entered.set()
        assert go_on.wait(PATIENCE)
        order.append("slow ends")

    def quick(_: Connection) -> None:
        order.append("quick")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(database.run, slow)
        await trio.to_thread.run_sync(entered.wait, PATIENCE)
        nursery.start_soon(database.run, quick)
        await wait_all_tasks_blocked()
        go_on.set()
    assert order == ["slow begins", "slow ends", "quick"]
    await database.close()


async def test_cancelling_frees_the_thread_and_the_server(
    database_url: str, connection: Connection
) -> None:
    with nothing_leaks():
        database = Database(database_url)
        freed = threading.Event()

        def work(connection: Connection) -> None:
            try:
                sleep_for_ever(connection)
            finally:
                freed.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(database.run, work)
            pid = await trio.to_thread.run_sync(wait_for_sleeper, connection)
            nursery.cancel_scope.cancel()
        assert await trio.to_thread.run_sync(freed.wait, PATIENCE)
        await trio.to_thread.run_sync(terminate, connection, pid)
        assert await database.run(one) == 1
        await database.close()


async def test_cancelling_before_the_work_begins_leaks_no_connection(
    database_url: str,
) -> None:
    with nothing_leaks():
        connection = connect(database_url)
        with trio.CancelScope() as scope:
            scope.cancel()
            await in_thread(database_url, connection, one)
        assert connection.closed


async def test_cancelling_as_the_work_ends_leaks_no_connection(
    database_url: str, connection: Connection
) -> None:
    with nothing_leaks():
        database = Database(database_url)
        pids: list[int] = []
        entered, go_on, ended = (threading.Event() for _ in range(3))

        def work(connection: Connection) -> None:
            pids.append(backend(connection))
            entered.set()
            assert go_on.wait(PATIENCE)
            ended.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(database.run, work)
            await trio.to_thread.run_sync(entered.wait, PATIENCE)
            nursery.cancel_scope.cancel()
        # Nobody waits for the work any more when it ends well.
        go_on.set()
        assert await trio.to_thread.run_sync(ended.wait, PATIENCE)
        await trio.to_thread.run_sync(wait_until_gone, connection, pids[0])


@contextmanager
def silent_server() -> Generator[tuple[str, Callable[[], socket.socket]]]:
    """A URL where connections are accepted and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        port = listener.getsockname()[1]
        yield f"postgresql://127.0.0.1:{port}/x", lambda: listener.accept()[0]


async def test_cancelling_while_it_connects_does_not_wait_for_the_server() -> None:
    with nothing_leaks(), silent_server() as (url, accept):
        database = Database(url)
        called = threading.Event()
        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(database.run, lambda _: called.set())
                peer = await trio.to_thread.run_sync(accept)
                nursery.cancel_scope.cancel()
        peer.close()
        assert not called.is_set()


async def test_a_connection_that_is_made_too_late_is_closed_and_not_used(
    server: Server, connection: Connection, database_url: str
) -> None:
    def relay(one: socket.socket, other: socket.socket) -> None:
        while data := one.recv(65536):
            other.sendall(data)

    path = str(server.directory / f".s.PGSQL.{server.port}")
    name = connection.info.dbname
    with nothing_leaks(), silent_server() as (url, accept):
        url = url.replace("//", "//hydra@").replace("/x", f"/{name}?sslmode=disable")
        database = Database(f"{url}&application_name=late")
        used = threading.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(database.run, lambda _: used.set())
            peer = await trio.to_thread.run_sync(accept)
            nursery.cancel_scope.cancel()
        # Only now may it reach the server.
        with peer, socket.socket(socket.AF_UNIX) as real:
            real.connect(path)
            threads = [
                threading.Thread(target=relay, args=ends, daemon=True)
                for ends in ((peer, real), (real, peer))
            ]
            for thread in threads:
                thread.start()
            # The client says goodbye, then the server.
            for thread in threads:
                await trio.to_thread.run_sync(thread.join, PATIENCE)
                assert not thread.is_alive()
        assert not used.is_set()


async def test_no_answer_within_the_deadline_is_a_loss(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra_notify.database.threads.STATEMENT_DEADLINE", 0.5)
    monkeypatch.setattr("hydra_notify.database.threads.CONNECT_TIMEOUT", 0.5)
    with nothing_leaks():
        database = Database(database_url)
        with trio.fail_after(PATIENCE), pytest.raises(DatabaseLost, match="deadline"):
            await database.run(sleep_for_ever)


async def test_a_dropped_connection_is_replaced(database_url: str) -> None:
    with nothing_leaks():
        database = Database(database_url)
        first = await database.run(backend)
        database.drop()
        assert await database.run(backend) != first
        await database.close()


async def test_closing_says_goodbye_and_does_not_mind_a_second_time(
    database_url: str, connection: Connection
) -> None:
    database = Database(database_url)
    await database.close()
    pid = await database.run(backend)
    await database.close()
    await database.close()
    await trio.to_thread.run_sync(wait_until_gone, connection, pid)


async def test_work_that_is_cancelled_before_it_begins_leaks_no_connection(
    database_url: str,
) -> None:
    connection, _ = await in_thread(database_url, None, lambda _: None)
    with trio.CancelScope() as scope:
        scope.cancel()
        await in_thread(database_url, connection, lambda _: None)
    assert scope.cancelled_caught
    assert connection.closed


async def test_work_on_a_connection_that_may_lead_nowhere_is_given_up_when_told(
    database_url: str,
) -> None:
    database = Database(database_url)
    began = threading.Event()

    def sleep(connection: Connection) -> None:
        began.set()
        connection.execute("select pg_sleep(60)")

    async def give_up() -> None:
        await trio.to_thread.run_sync(began.wait)
        database.renew()

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(give_up)
            with pytest.raises(DatabaseLost):
                await database.run(sleep)
    assert await database.run(lambda c: c.execute("select 1").fetchone()) == (1,)
    await database.close()
