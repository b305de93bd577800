"""Whoever should read the log is slow, full or gone: the host goes on."""

import os

import pytest
from tests.end_to_end.stage import PROGRAM, Host, Stage


async def end(stage: Stage, host: Host) -> int:
    host.process.terminate()
    shutdown = await stage.frame("one", lambda frame: frame.method == "shutdown")
    await shutdown.succeed()
    return await host.ended()


async def deliver_one(stage: Stage) -> None:
    build, (event,) = await stage.one_build("one")
    await event.succeed()
    await stage.cleared(build)


@pytest.mark.parametrize(
    "where", ["2>&-", "2>/dev/full", "2> >(:)"], ids=["closed", "full", "broken pipe"]
)
async def test_a_log_that_cannot_be_written_stops_nothing(
    stage: Stage, where: str
) -> None:
    stage.puppet("one")
    shell = ("bash", "-c", f'exec "$@" {where}', "bash")
    host = await stage.start_host(program=(*shell, *PROGRAM))
    hello = await stage.frame("one")
    await deliver_one(stage)
    await hello.write("a line\n" * 100)
    await deliver_one(stage)
    assert await end(stage, host) == 0


async def test_a_log_that_nobody_reads_delays_nothing_and_loses_lines_not_the_host(
    stage: Stage,
) -> None:
    stage.limit(LOG_CLOSE=0.2)
    stage.puppet("one", manifest={"max_in_flight": 4})
    reading, writing = os.pipe()
    try:
        host: Host = await stage.start_host(stderr=writing)
        hello = await stage.frame("one")
        # More than a pipe holds.
        await hello.write(f"{'x' * 10_000}\n" * 100)
        await deliver_one(stage)
        assert await end(stage, host) == 0
    finally:
        os.close(reading)
        os.close(writing)
