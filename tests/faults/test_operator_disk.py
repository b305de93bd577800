"""A disk that is full."""

import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from tests.end_to_end.stage import PATIENCE, Stage


@asynccontextmanager
async def host_without_a_log(stage: Stage) -> AsyncGenerator[trio.Process]:
    """A host whose every line of log meets a full disk."""
    command = [sys.executable, "-m", "hydra_notify", "run"]
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        process: trio.Process = await trio.lowlevel.open_process(
            [*command, "--config", str(stage.write_config())], stderr=descriptor
        )
    finally:
        os.close(descriptor)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def test_a_log_on_a_full_disk_stops_nothing(stage: Stage) -> None:
    stage.puppet("one")
    async with host_without_a_log(stage) as host:
        hello = await stage.frame("one")
        await hello.write("a stray line, which is logged\n" * 1_000)
        first, (event,) = await stage.one_build("one")
        await event.fail(500, retry_after_ms=1)
        event = await stage.event("one")
        await event.succeed()
        await stage.cleared(first)
        host.terminate()
        shutdown = await stage.frame("one", lambda frame: frame.method == "shutdown")
        await shutdown.succeed()
        with trio.fail_after(PATIENCE):
            assert await host.wait() == 0


def occupy(path: Path) -> None:
    """A file where a directory has to be made."""
    path.parent.mkdir(parents=True)
    path.touch()


def free(path: Path) -> None:
    path.unlink()


async def test_a_plugin_whose_directory_cannot_be_made_is_started_when_it_can(
    stage: Stage,
) -> None:
    """What cannot be made stands for all that the disk may refuse."""
    stage.puppet("one")
    stage.puppet("good")
    directory = stage.directory / "state" / "plugins" / "one"
    occupy(directory)
    host = await stage.start_host()
    assert str(directory) in await host.logged("one: cannot start")
    await host.logged("good: ready")
    await host.logged("listening")
    build, (event,) = await stage.one_build("good")
    await event.succeed()
    free(directory)
    event = await stage.event("one")
    assert event.data["build"] == build
    await event.succeed()
    await stage.cleared(build)
