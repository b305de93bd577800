"""Hosts in pairs: one is active, and the other takes over when it dies or hangs."""

import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import trio
from tests.ear import PATIENCE, Ear, listening, until

from hydra_notify import election
from hydra_notify.database import Connection, connect
from hydra_notify.demo.server.postgres import Server
from hydra_notify.events import Notification
from hydra_notify.listener import Timing
from hydra_notify.listener.link import PING_CHANNEL
from hydra_notify.metrics import Role

LISTEN = Path(__file__).parent / "programs" / "listen.py"

HASTY = Timing(ping=0.1, deadline=5, retry=0.05, silence=0.5)

PATIENT = Timing(ping=0.1, deadline=5, retry=0.05, silence=60)
"""A standby that never takes over for silence."""


@pytest.fixture
def watcher(database_url: str) -> Iterator[Connection]:
    with connect(database_url, application_name="watcher") as connection:
        yield connection


@asynccontextmanager
async def standby(url: str, timing: Timing) -> AsyncGenerator[Ear]:
    ear = Ear(url)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ear.run, timing)
        await ear.until_role(Role.STANDBY)
        yield ear
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def another_process(url: str) -> AsyncGenerator[trio.Process]:
    """A host's listener in a process of its own, active."""
    process: trio.Process = await trio.lowlevel.open_process(
        [sys.executable, str(LISTEN), url], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with process.stdout:
            assert (await process.stdout.receive_some()).startswith(b"active")
            yield process
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


def end_holder(watcher: Connection) -> None:
    pid = election.holder(watcher)
    assert pid is not None
    election.terminate(watcher, pid)


def wait_for_lock(connection: Connection) -> None:
    connection.execute("set statement_timeout = 0; set lock_timeout = 0")
    connection.execute("select pg_advisory_lock(%s, 1)", (election.LOCK_CLASS,))


async def until_pinged(watcher: Connection, times: int) -> None:
    """Return when active hosts have pinged so many times from now on."""
    watcher.execute(f"listen {PING_CHANNEL}".encode())
    with trio.fail_after(PATIENCE):
        while times > 0:
            await trio.lowlevel.wait_readable(watcher.fileno())
            pings = [n.payload for n in watcher.notifies(timeout=0)]
            times -= sum(payload.startswith("active") for payload in pings)


def notify(connection: Connection, payload: str) -> None:
    connection.execute("select pg_notify('build_finished', %s)", (payload,))


async def test_of_two_hosts_one_is_active_and_only_that_one_hands_on(
    database_url: str, watcher: Connection
) -> None:
    async with (
        listening(database_url, PATIENT) as first,
        standby(database_url, PATIENT) as second,
    ):
        assert election.host_is_active(watcher)
        notify(watcher, "1")
        await first.until_heard(1)
        assert first.counts.role is Role.ACTIVE
        assert first.listener.elected.is_set()
        assert second.counts.role is Role.STANDBY
        assert not second.listener.elected.is_set()
        assert (second.heard, second.connects) == ([], 0)


async def test_a_standby_takes_over_when_the_active_host_is_gone(
    database_url: str, watcher: Connection
) -> None:
    async with (
        listening(database_url, PATIENT) as first,
        standby(database_url, PATIENT) as second,
    ):
        first.scope.cancel()
        await second.until_connected(1)
        assert second.listener.elected.is_set()
        notify(watcher, "2")
        await second.until_heard(1)
        assert second.heard == [Notification("build_finished", "2")]


async def test_a_standby_takes_over_from_a_process_that_is_killed(
    database_url: str,
) -> None:
    async with (
        another_process(database_url) as active,
        standby(database_url, PATIENT) as second,
    ):
        active.kill()
        await second.until_connected(1)


async def test_a_standby_takes_over_from_a_process_that_hangs_and_that_is_deposed(
    database_url: str,
) -> None:
    async with (
        another_process(database_url) as active,
        standby(database_url, HASTY) as second,
    ):
        active.send_signal(signal.SIGSTOP)
        await second.until_connected(1)
        active.send_signal(signal.SIGCONT)
        # Its `run` returns, and it ends.
        with trio.fail_after(PATIENCE):
            assert await active.wait() == 0
        assert second.counts.role is Role.ACTIVE


async def test_a_host_that_pings_is_left_alone(
    database_url: str, watcher: Connection
) -> None:
    slow = Timing(ping=0.1, deadline=5, retry=0.1, silence=1)
    async with listening(database_url, HASTY) as first, standby(database_url, slow):
        holder = election.holder(watcher)
        # Longer than the silence that the standby would not bear.
        await until_pinged(watcher, 15)
        assert election.holder(watcher) == holder
        assert first.connects == 1


async def test_of_two_standbys_one_takes_over_and_is_left_alone(
    database_url: str, watcher: Connection
) -> None:
    async with (
        another_process(database_url) as active,
        standby(database_url, HASTY) as second,
        standby(database_url, HASTY) as third,
    ):
        active.send_signal(signal.SIGSTOP)
        await until(lambda: second.connects + third.connects > 0)
        holder = election.holder(watcher)
        await until_pinged(watcher, 10)
        assert election.holder(watcher) == holder
        assert sorted([second.connects, third.connects]) == [0, 1]


async def test_a_host_whose_connection_was_ended_is_active_again_if_nobody_else_is(
    database_url: str, watcher: Connection
) -> None:
    async with listening(database_url, PATIENT) as first:
        end_holder(watcher)
        await first.until_connected(2)
        assert not first.deposed
        assert first.counts.role is Role.ACTIVE


async def test_a_host_that_finds_another_one_active_is_deposed(
    database_url: str, watcher: Connection
) -> None:
    async with listening(database_url, PATIENT) as first:
        # Another host is quicker: it takes the lock as soon as it is free.
        with connect(database_url) as quick:
            pid = election.holder(watcher)
            assert pid is not None
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.to_thread.run_sync, wait_for_lock, quick)
                waiting = "select from pg_locks where not granted"
                await until(lambda: watcher.execute(waiting).fetchone() is not None)
                election.terminate(watcher, pid)
            await until(lambda: first.deposed)
            assert first.counts.role is Role.STANDBY
            assert first.listener.elected.is_set()


async def test_a_holder_of_another_role_that_is_silent_is_told_to_the_operator(
    database_url: str, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    role = f"stranger_{uuid4().hex}"
    with connect(server.url()) as admin, connect(database_url) as silent:
        admin.execute(f"create role {role} login".encode())
        assert election.take_lock(silent)
        url = database_url.replace("//hydra@", f"//{role}@")
        async with standby(url, HASTY) as second:
            await until(lambda: f"GRANT pg_signal_backend TO {role}" in caplog.text)
            assert second.counts.role is Role.STANDBY
        admin.execute(f"drop role {role}".encode())
