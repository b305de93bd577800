"""Programs that do not run, close their pipes, or crash on one event."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.end_to_end.stage import Stage
from tests.faults.test_plugin_limits import GREETS

from hydra_notify import backoff
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build
from hydra_notify.limits import SUSPECT_CRASHES


async def test_a_program_that_is_not_executable_is_named(
    stage: Stage, script: Callable[[str], Path]
) -> None:
    path = script("#!/bin/sh\n")
    path.chmod(0o644)
    stage.plugins["bad"] = {"command": [str(path)]}
    host = await stage.start_host()
    line = await host.logged("starting it again")
    assert "cannot start: Permission denied" in line
    assert str(path) in line


async def test_a_plugin_that_closes_its_stdin_is_ended_at_the_next_event(
    stage: Stage, script: Callable[[str], Path]
) -> None:
    stage.puppet("good")
    text = GREETS + "exec 0<&-; echo deaf >&2; exec sleep 1000"
    stage.plugins["bad"] = {"command": ["bash", str(script(text))], "required": False}
    host = await stage.listening()
    await host.logged("bad: deaf")
    build, (event,) = await stage.one_build("good")
    await event.succeed()
    await stage.cleared(build)
    await host.logged("bad: it closed its stdin and went on living")


async def test_an_event_that_crashes_its_plugin_is_given_up_and_the_rest_flows(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "RESTART_BASE", 0.01)
    stage.puppet("bad")
    counts = await stage.start_inside(sweep_interval=30)
    poison, other = queue_builds(stage.hydra, 2)
    finish_build(stage.hydra, poison)
    for _ in range(SUSPECT_CRASHES + 1):
        event = await stage.event("bad")
        assert event.data["build"] == poison
        await event.exit(1)
    finish_build(stage.hydra, other)
    event = await stage.event("bad")
    assert event.data["build"] == other
    await event.succeed()
    await stage.cleared(other)
    assert stage.flag(poison) is not None
    assert counts.plugin("bad").dead == 1
