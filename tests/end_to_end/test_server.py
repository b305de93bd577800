"""A Postgres server that comes late, goes away, and comes back."""

import tempfile
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Literal

import pytest
import tomli_w
import trio
from tests.end_to_end.stage import Host, Stage, stage_at, start_host

from hydra_notify.database import connect
from hydra_notify.demo.server.postgres import Server, private_postgres
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build
from hydra_notify.demo.simulation.schema import new_database


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that this test may stop."""
    with private_postgres() as server:
        yield server


@pytest.fixture
async def own_stage(own_server: Server) -> AsyncGenerator[Stage]:
    url = new_database(own_server)
    with tempfile.TemporaryDirectory(prefix="stage-") as directory:
        async with stage_at(url, Path(directory)) as stage:
            yield stage


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_server_restarted_in_mid_delivery_costs_nothing(
    own_server: Server, own_stage: Stage, mode: Literal["fast", "immediate"]
) -> None:
    stage = own_stage
    stage.puppet("one", manifest={"max_in_flight": 4})
    host = await stage.listening()
    first, second = queue_builds(stage.hydra, 2)
    finish_build(stage.hydra, first)
    event = await stage.event("one")
    await trio.to_thread.run_sync(own_server.restart, mode)
    await host.logged("not listening")
    stage.watcher = connect(stage.url, application_name="stage")
    stage.watcher.execute("listen flags_changed")
    # Acknowledged while there was no server, or hardly: kept in memory and cleared.
    await event.succeed()
    await stage.cleared(first)
    finish_build(stage.hydra, second)
    again = await stage.event("one")
    assert again.data["build"] == second
    assert again.pid == event.pid
    await again.succeed()
    await stage.cleared(second)
    stage.watcher.close()


async def test_a_server_that_comes_late_is_waited_for(
    own_server: Server, own_stage: Stage
) -> None:
    stage = own_stage
    stage.limit(SHUTDOWN_REPLY_MS=200)
    stage.puppet("one")
    (build,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, build, notify=False)
    await trio.to_thread.run_sync(own_server.stop)
    host = await stage.start_host()
    await host.logged("waiting for Hydra's database")
    await trio.to_thread.run_sync(own_server.start)
    await (await stage.event("one")).succeed()
    await host.logged("listening")
    assert await host.terminate() == 0
    with connect(stage.url) as connection:
        row = connection.execute(
            "select notificationpendingsince from builds where id = %s", (build,)
        ).fetchone()
    assert row == (None,)


async def test_a_schema_that_comes_late_is_waited_for(own_server: Server) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with trio.open_nursery() as nursery:
            host = await start_host(nursery, _config(own_server.url(), directory))
            await host.logged("waiting for Hydra's database")
            assert await host.terminate() == 0


async def test_queued_only_says_that_the_database_is_unreachable(
    own_server: Server,
) -> None:
    own_server.stop()
    with tempfile.TemporaryDirectory() as directory:
        async with trio.open_nursery() as nursery:
            config = _config(own_server.url(), directory)
            host: Host = await start_host(nursery, config, "--queued-only")
            assert await host.ended() == 69
            await host.logged("cannot be read")


async def test_sigterm_ends_a_host_whose_database_is_gone(
    own_server: Server, own_stage: Stage
) -> None:
    stage = own_stage
    stage.limit(CLEAR_ON_EXIT=0.5)
    stage.puppet("one")
    host = await stage.listening()
    (build,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, build)
    event = await stage.event("one")
    await trio.to_thread.run_sync(own_server.stop)
    await host.logged("not listening")
    await event.succeed()
    host.process.terminate()
    shutdown = await stage.frame("one", lambda frame: frame.method == "shutdown")
    await shutdown.succeed()
    assert await host.ended() == 0
    await host.logged("they are delivered again")


def _config(url: str, directory: str) -> Path:
    path = Path(directory) / "hydra-notify.toml"
    host = {"state_dir": directory}
    path.write_text(tomli_w.dumps({"database": {"url": url}, "host": host}))
    return path
