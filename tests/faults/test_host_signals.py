"""Asked to stop in every phase: it stops, and owes what it owed."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.end_to_end.stage import Stage


async def test_a_second_signal_ends_it_at_once_and_the_flag_stays(
    stage: Stage,
) -> None:
    stage.puppet("one")
    host = await stage.listening()
    build, (event,) = await stage.one_build("one")
    host.process.terminate()
    await host.logged("stopping")
    host.process.terminate()
    await host.logged("second signal")
    assert await host.ended() == 1
    assert stage.flag(build) is not None
    await stage.start_host()
    again = await stage.event("one")
    assert again.event["id"] == event.event["id"]


async def test_it_stops_while_it_waits_for_its_database(stage: Stage) -> None:
    stage.puppet("one")
    stage.url = "postgresql://localhost:1/hydra"
    host = await stage.start_host()
    await host.logged("waiting for Hydra's database")
    assert await host.terminate() == 0


async def test_it_stops_while_a_plugin_has_not_answered_yet(stage: Stage) -> None:
    stage.puppet("one", manifest=False)
    host = await stage.start_host()
    await stage.frame("one")
    assert await host.terminate() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_while_a_plugin_waits_for_its_next_start(
    stage: Stage, script: Callable[[str], Path], number: signal.Signals
) -> None:
    stage.plugins["bad"] = {"command": ["bash", str(script("exit 1"))]}
    host = await stage.start_host()
    await host.logged("starting it again", 2)
    host.process.send_signal(number)
    assert await host.ended() == 0
