"""What a service manager is told of a real host, and when its watchdog is not fed."""

import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator

import pytest
import trio
from tests.end_to_end.stage import PROGRAM, Stage
from tests.faults.wired import wired_stage
from tests.service_manager import Manager, service_manager

from hydra_notify.demo.server.postgres import Server
from hydra_notify.systemd import Systemd

WATCHDOG = 0.1
"""Seconds; the host tells of itself twice as often."""


@pytest.fixture
async def manager(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Manager]:
    async with service_manager(stage.directory) as manager:
        watched_by(manager, monkeypatch)
        yield manager


def watched_by(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have hosts started from now on be those of a service manager."""
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    monkeypatch.setenv("WATCHDOG_USEC", str(int(WATCHDOG * 1_000_000)))
    monkeypatch.delenv("WATCHDOG_PID", raising=False)


async def work_elsewhere(stage: Stage) -> None:
    """What takes several intervals of the watchdog, on a machine of any speed."""
    config = str(stage.directory / "hydra-notify.toml")
    await trio.run_process(
        [*PROGRAM, "pending", "--config", config], capture_stdout=True, check=False
    )


async def test_a_host_says_when_it_is_ready_and_that_it_lives(
    stage: Stage, manager: Manager
) -> None:
    stage.puppet("one")
    host = await stage.start_host()
    await manager.hears("STATUS=active; 1 of 1 plugins ready")
    for _ in range(3):
        await manager.hears("WATCHDOG=1", len(manager.told))
    said = manager.without_repeats()
    assert said[0] == "STATUS=waiting for Hydra's database"
    assert said.count("READY=1") == 1
    host.process.terminate()
    await manager.hears("STATUS=stopping")
    assert manager.without_repeats()[-2:] == ["STOPPING=1", "STATUS=stopping"]


async def test_a_start_that_gets_on_is_given_more_time(
    stage: Stage, manager: Manager
) -> None:
    stage.url += "_not_yet"
    host = await stage.start_host()
    await manager.hears("EXTEND_TIMEOUT_USEC=30000000")
    await host.logged("waiting for Hydra's database")
    await manager.hears("WATCHDOG=1", len(manager.told))
    assert "READY=1" not in manager.told
    assert await host.terminate() == 0


async def test_a_standby_is_ready_too(stage: Stage, manager: Manager) -> None:
    await stage.listening()
    at = await manager.hears("STATUS=active")
    standby = await stage.start_host()
    at = await manager.hears("STATUS=standby: another host is active", at)
    await manager.hears("READY=1", at)
    assert await standby.terminate() == 0


async def test_a_reload_is_told_from_its_beginning_to_its_end(
    stage: Stage, manager: Manager
) -> None:
    stage.puppet("one")
    host = await stage.listening()
    at = await manager.hears("STATUS=active; 1 of 1")
    stage.puppet("two")
    await stage.reload(host)
    await manager.hears("STATUS=active; 2 of 2", at)
    await manager.hears("READY=1", at)
    said = manager.without_repeats()
    start = said.index("RELOADING=1")
    stamp = said[start + 1].removeprefix("MONOTONIC_USEC=")
    assert stamp.isdigit()
    assert said[start + 2] == "STATUS=reloading"
    assert "READY=1" in said[start:]
    at = len(manager.told)
    (stage.directory / "hydra-notify.toml").write_text("nonsense")
    host.process.send_signal(signal.SIGHUP)
    await host.logged("the old configuration stays")
    await manager.hears("READY=1", await manager.hears("RELOADING=1", at))


async def test_what_could_not_be_told_is_told_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        manager = Manager(str(stage.directory / "notify"))
        notify.bind(manager.address)
        watched_by(manager, monkeypatch)
        # Nobody reads, and there is no room for more.
        while Systemd({"NOTIFY_SOCKET": manager.address}).tell("X_ROOM=0"):
            pass
        host = await stage.start_host()
        await host.logged("listening")
        notify.setblocking(False)
        reader = trio.socket.from_stdlib_socket(notify)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(manager.listen, reader)
            await manager.hears("READY=1", await manager.hears("STATUS=active; "))
            nursery.cancel_scope.cancel()


@pytest.mark.skipif(sys.platform != "linux", reason="seen in /proc")
async def test_a_plugin_cannot_speak_for_the_host(
    stage: Stage, manager: Manager
) -> None:
    stage.puppet("one")
    await stage.listening()
    frame = await stage.frame("one")
    environ = trio.Path(f"/proc/{frame.pid}/environ")
    variables = (await environ.read_bytes()).split(b"\0")
    names = {line.partition(b"=")[0] for line in variables}
    assert b"HYDRA_NOTIFY_PLUGIN" in names
    assert not {b"NOTIFY_SOCKET", b"WATCHDOG_USEC"} & names


async def test_a_database_that_is_away_is_no_reason_to_be_ended(
    tcp_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        wired_stage(tcp_server) as (stage, proxy),
        service_manager(stage.directory) as manager,
    ):
        watched_by(manager, monkeypatch)
        stage.limit(SELF_PING_INTERVAL=0.2, SELF_PING_DEADLINE=0.5, STEP_STALL=15.0)
        host = await stage.listening()
        proxy.blackhole()
        at = await manager.hears("STATUS=active, no connection to Postgres")
        proxy.refuse()
        await host.logged("not listening, trying again", 3)
        await manager.hears("WATCHDOG=1", len(manager.told))
        proxy.normal()
        await manager.hears("STATUS=active; ", at)
        assert not any("stuck" in said for said in manager.told)


# From outside: as a call would block that never comes back.
BLOCK = """
import os, signal, sys
def block(*_):
    os.write(2, b"blocked\\n")
    with open(sys.argv[1]) as fifo:
        fifo.read()
signal.signal(signal.SIGUSR1, block)
from hydra_notify.cli import main
main(sys.argv[2:])
"""


async def test_a_host_whose_loop_is_blocked_feeds_no_watchdog(
    stage: Stage, manager: Manager
) -> None:
    fifo = stage.directory / "fifo"
    os.mkfifo(fifo)
    host = await stage.start_host(program=(sys.executable, "-c", BLOCK, str(fifo)))
    await manager.hears("READY=1")
    host.process.send_signal(signal.SIGUSR1)
    await host.logged("blocked")
    # What it has told before is read by now.
    await trio.testing.wait_all_tasks_blocked()
    at = len(manager.told)
    await work_elsewhere(stage)
    assert manager.told[at:] == []
    with fifo.open("w"):
        pass
    await manager.hears("WATCHDOG=1", at)


STAND_STILL = """
import sys
import trio
from hydra_notify import limits
limits.{limit} = 0.5
import hydra_notify.{module}
async def stand_still(self, *_):
    await trio.sleep_forever()
hydra_notify.{module}.{name} = stand_still
from hydra_notify.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("limit", "module", "name", "part"),
    [
        ("STEP_STALL", "listener.link", "Link.ping", "the connection that listens"),
        *(
            ("WORK_STALL", "dispatcher.store", f"PostgresStore.{name}", part)
            for name, part in {
                "manifests": "the ledger",
                "load": "reading builds",
                "clear": "clearing flags",
                "write": "the ledger",
            }.items()
        ),
    ],
)
async def test_a_host_that_stands_still_says_where_and_feeds_no_watchdog(
    stage: Stage, manager: Manager, limit: str, module: str, name: str, part: str
) -> None:
    text = STAND_STILL.format(limit=limit, module=module, name=name)
    stage.create_ledger()
    stage.puppet("one")
    host = await stage.start_host(program=(sys.executable, "-c", text))
    at = await manager.hears("READY=1")
    await stage.one_build()
    if name == "PostgresStore.clear":
        await (await stage.event("one")).succeed()
    if name == "PostgresStore.write":
        await (await stage.event("one")).fail()
    at = await manager.hears(f"STATUS=stuck: {part}", at)
    await host.logged(f"CRITICAL {part}: no progress")
    await work_elsewhere(stage)
    assert manager.told[at:] == []


async def test_a_host_that_is_ended_by_the_watchdog_says_where_it_stood(
    stage: Stage,
) -> None:
    host = await stage.listening()
    host.process.send_signal(signal.SIGABRT)
    assert await host.ended() == -signal.SIGABRT
    await host.logged("Fatal Python error: Aborted")
    await host.logged("most recent call first")
