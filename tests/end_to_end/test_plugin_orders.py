"""What those on call do with a host that runs: look, pause, resume, restart."""

import json
from functools import partial

import trio
from tests.command_line import Commands
from tests.end_to_end.stage import Stage

from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build


async def command(stage: Stage, *arguments: str, status: int = 0) -> str:
    """What `hydra-notify` prints, errors included; a process would cost a second."""
    commands = Commands(stage.directory / "hydra-notify.toml")
    work = partial(commands.said, *arguments, status=status)
    return await trio.to_thread.run_sync(work)


async def test_a_paused_plugin_gets_nothing_and_then_everything_in_order(
    stage: Stage,
) -> None:
    stage.create_ledger()
    stage.puppet("one")
    stage.puppet("two")
    await stage.listening()
    assert (await command(stage, "status")).startswith("OK  ")
    said = await command(stage, "plugin", "pause", "one")
    assert said.startswith("one is paused: it is sent nothing until it is resumed")
    builds = queue_builds(stage.hydra)[:1] + queue_builds(stage.hydra)[:1]
    for build in builds:
        finish_build(stage.hydra, build)
        await (await stage.event("two")).succeed()
    said = await command(stage, "status", status=1)
    assert "  fix:  run `hydra-notify plugin resume one`" in said
    assert stage.events_waiting("one") == []
    said = await command(stage, "plugin", "resume", "one")
    assert said.startswith("one is resumed; ")
    for build in builds:
        event = await stage.event("one")
        assert event.data["build"] == build
        await event.succeed()
    await stage.cleared(*builds)


async def test_a_restart_is_waited_for_also_of_a_disabled_plugin(stage: Stage) -> None:
    stage.create_ledger()
    stage.puppet("one")
    host = await stage.listening()
    _, (event,) = await stage.one_build("one")
    await event.exit(78)
    await host.logged("one: disabled")
    found = json.loads(await command(stage, "doctor", "--json", status=1))
    (failed,) = (each for each in found["checks"] if each["mark"] == "fail")
    assert failed["plugin"] == "one"
    assert "hydra-notify plugin restart one" in failed["fix"]
    said = await command(stage, "plugin", "restart", "one")
    assert said.splitlines()[-1].startswith("one is started again (puppet 1, pid ")
    again = await stage.event("one")
    assert again.pid != event.pid
    await again.succeed()
    await stage.all_cleared()
    # One that runs says goodbye first.
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(command, stage, "plugin", "restart", "one"))
        farewell = await stage.frame("one", lambda frame: frame.method == "shutdown")
        await farewell.succeed()
    found = json.loads(await command(stage, "doctor", "--json"))
    words = [each["words"] for each in found["checks"]]
    assert found["ok"]
    assert "the host has it ready (puppet 1)" in words
    assert sum("hydra-notify 0.1.0 runs, active" in each for each in words) == 1
    assert "there is no plugin two; there are: one" in await command(
        stage, "plugin", "pause", "two", status=1
    )
