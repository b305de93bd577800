"""A server that is there and refuses: the wrong one, no right, no room, no schema."""

import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import tomli_w
import trio
from tests.ear import until
from tests.end_to_end.stage import Stage, stage_at, start_host

from hydra_notify.database import Connection, connect
from hydra_notify.demo.server.postgres import Server, private_postgres
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build
from hydra_notify.demo.simulation.schema import new_database

NO_SWEEP = 600.0

LEAST = (
    "grant select on all tables in schema public to {role}",
    "grant update (notificationpendingsince) on builds to {role}",
)


@pytest.fixture
def role(tcp_stage: Stage) -> Iterator[str]:
    """A role with the privileges that the README names, and the host's from now on."""
    role = f"notify_{uuid4().hex}"
    watcher = tcp_stage.watcher
    for statement in (f"create role {role} login", *LEAST):
        watcher.execute(statement.format(role=role).encode())
    tcp_stage.url = tcp_stage.url.replace("//hydra@", f"//{role}@")
    yield role
    end_backends(watcher, role)
    watcher.execute(f"drop owned by {role}; drop role {role}".encode())


def end_backends(watcher: Connection, role: str) -> None:
    watcher.execute(
        "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
        " where usename = %s",
        (role,),
    )


def configure(connection: Connection, setting: str) -> None:
    """Change a setting of the whole server, for sessions there are as well."""
    connection.execute(f"alter system {setting}".encode())
    connection.execute("select pg_reload_conf()")


# The wrong server


@asynccontextmanager
async def read_only(server: Server) -> AsyncGenerator[None]:
    """Let the server be as one that was demoted."""
    with connect(server.url()) as admin, connect(server.url()) as other:

        def writable() -> bool:
            shown = other.execute("show default_transaction_read_only").fetchone()
            return shown == ("off",)

        admin.execute("set default_transaction_read_only = off")
        configure(admin, "set default_transaction_read_only = on")
        try:
            await until(lambda: not writable())
            yield
        finally:
            configure(admin, "reset default_transaction_read_only")
        await until(writable)


async def test_a_server_that_becomes_read_only_is_left_and_nothing_is_delivered_again(
    tcp_stage: Stage, tcp_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    stage = tcp_stage
    stage.puppet("one")
    counts = await stage.start_inside(sweep_interval=0.1)
    build, (event,) = await stage.one_build("one")
    async with read_only(tcp_server):
        await event.succeed()
        # First the statement is refused, then the server.
        await until(lambda: "cannot execute UPDATE in a read-only" in caplog.text)
        await until(lambda: "session is read-only" in caplog.text)
    await stage.cleared(build)
    assert counts.events["build_finished"] == 1


async def test_a_failover_is_followed_by_the_names_in_the_url(
    tcp_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with private_postgres(tcp=True) as old, tempfile.TemporaryDirectory() as directory:
        name = f"test_{uuid4().hex}"
        new_database(old, name)
        url = new_database(tcp_server, name)
        async with stage_at(url, Path(directory)) as stage:
            hosts = f"127.0.0.1:{old.port},127.0.0.1:{tcp_server.port}"
            stage.url = f"postgresql://hydra@{hosts}/{name}"
            stage.puppet("one")
            async with read_only(tcp_server):
                counts = await stage.start_inside(sweep_interval=NO_SWEEP)
                await until(lambda: counts.connects == 1)
                await trio.to_thread.run_sync(old.stop)
                await until(lambda: "session is read-only" in caplog.text)
            build, (event,) = await stage.one_build("one")
            await event.succeed()
            await stage.cleared(build)
            await until(lambda: counts.connects == 2)


# No right


async def test_without_the_right_to_clear_nothing_new_is_delivered_until_it_is_back(
    tcp_stage: Stage,
    role: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hydra_notify.dispatcher.clearer.CLEAR_DENIED", 0.3)
    stage = tcp_stage
    stage.puppet("one")
    counts = await stage.start_inside(sweep_interval=0.1)
    first, (event,) = await stage.one_build("one")
    privilege = "update (notificationpendingsince) on builds"
    stage.watcher.execute(f"revoke {privilege} from {role}".encode())
    await event.succeed()
    await until(lambda: "nothing new is delivered" in caplog.text)
    (second,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, second)
    # Another try has failed meanwhile, and the new event was heard of.
    failures = counts.database_errors
    await until(lambda: counts.notifications["build_finished"] == 2)
    await until(lambda: counts.database_errors > failures)
    assert counts.events["build_finished"] == 1
    stage.watcher.execute(f"grant {privilege} to {role}".encode())
    again = await stage.event("one")
    assert again.data["build"] == second
    await again.succeed()
    await stage.cleared(first, second)
    assert counts.events["build_finished"] == 2


async def test_a_table_that_may_not_be_read_any_more_delays_events_and_loses_none(
    tcp_stage: Stage, role: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = tcp_stage
    stage.puppet("one")
    counts = await stage.start_inside(sweep_interval=NO_SWEEP)
    await until(lambda: counts.connects == 1)
    privilege = "select on buildproducts"
    stage.watcher.execute(f"revoke {privilege} from {role}".encode())
    (build,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, build)
    await until(lambda: "permission denied for table buildproducts" in caplog.text)
    stage.watcher.execute(f"grant {privilege} to {role}".encode())
    await (await stage.event("one")).succeed()
    await stage.cleared(build)


# No room, no password


async def test_a_server_without_room_for_a_session_is_tried_again(
    tcp_stage: Stage, role: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = tcp_stage
    stage.puppet("one")
    counts = await stage.start_inside(sweep_interval=NO_SWEEP)
    first, (event,) = await stage.one_build("one")
    stage.watcher.execute(f"alter role {role} connection limit 0".encode())
    end_backends(stage.watcher, role)
    await event.succeed()
    await until(lambda: "too many connections" in caplog.text)
    (second,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, second)
    stage.watcher.execute(f"alter role {role} connection limit -1".encode())
    await (await stage.event("one")).succeed()
    await stage.cleared(first, second)
    assert counts.events["build_finished"] == 2


async def test_a_password_that_is_rotated_is_read_from_its_file_at_each_connect(
    tcp_stage: Stage, tcp_server: Server, role: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = tcp_stage
    rules = tcp_server.directory / "data" / "pg_hba.conf"
    before = rules.read_text()
    passfile = stage.directory / "passwords"

    def rotate(password: str) -> None:
        # The server first, as it must be somewhere.
        stage.watcher.execute(f"alter role {role} password '{password}'".encode())

    def write(password: str) -> None:
        passfile.write_text(f"*:*:*:*:{password}\n")
        passfile.chmod(0o600)

    rules.write_text(f"local all {role} scram-sha-256\n{before}")
    stage.watcher.execute("select pg_reload_conf()")
    try:
        stage.url += f"?passfile={passfile}"
        rotate("old")
        write("old")
        stage.puppet("one")
        counts = await stage.start_inside(sweep_interval=NO_SWEEP)
        first, (event,) = await stage.one_build("one")
        rotate("new")
        end_backends(stage.watcher, role)
        await event.succeed()
        await until(lambda: "password authentication failed" in caplog.text)
        assert counts.events["build_finished"] == 1
        write("new")
        await stage.cleared(first)
        second, (event,) = await stage.one_build("one")
        await event.succeed()
        await stage.cleared(second)
    finally:
        rules.write_text(before)
        stage.watcher.execute("select pg_reload_conf()")


# No schema


async def test_a_database_and_a_schema_that_are_made_late_are_waited_for(
    tcp_server: Server, tmp_path: Path
) -> None:
    late = f"late_{uuid4().hex}"
    config = tmp_path / "hydra-notify.toml"
    database, host_keys = {"url": tcp_server.url(late)}, {"state_dir": str(tmp_path)}
    config.write_text(tomli_w.dumps({"database": database, "host": host_keys}))
    async with trio.open_nursery() as nursery:
        host = await start_host(nursery, config)
        line = await host.logged("waiting for Hydra's database")
        assert "does not exist" in line
        await trio.to_thread.run_sync(new_database, tcp_server, late)
        await host.logged("listening")
        assert await host.terminate() == 0
