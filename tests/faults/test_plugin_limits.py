"""Plugins that run out of what they are allowed, or never read: their own trouble."""

from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from tests.end_to_end.stage import PATIENCE, Stage

from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build
from hydra_notify.supervisor import life

GREETS = """
read -r line; id=$(jq -r .id <<< "$line")
manifest='{"protocol_version":1,"name":"x","version":"1","events":["*"],
"max_in_flight":64,"ordering":"none"}'
echo '{"id":"'$id'","result":'${manifest//$'\\n'/}'}'
"""

MEMORY = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (200_000_000, 200_000_000))
kept = []
while True:
    kept.append(bytearray(10_000_000))
"""

DESCRIPTORS = """
import os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
while True:
    os.dup(2)
"""


@pytest.mark.parametrize(
    ("program", "words"),
    [(MEMORY, "MemoryError"), (DESCRIPTORS, "Too many open files")],
    ids=["memory", "descriptors"],
)
async def test_a_plugin_at_its_own_limit_fails_alone_and_says_why(
    stage: Stage, script: Callable[[str], Path], program: str, words: str
) -> None:
    stage.puppet("good")
    command = ["python3", "-I", str(script(program))]
    stage.plugins["bad"] = {"command": command, "required": False}
    host = await stage.listening()
    assert words in await host.logged("bad: exit status 1")
    build, (event,) = await stage.one_build("good")
    await event.succeed()
    await stage.cleared(build)


async def test_a_plugin_that_never_reads_is_ended_and_delays_nobody(
    stage: Stage,
    script: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(life, "WRITE_STALL", 0.3)
    stage.puppet("good", manifest={"max_in_flight": 64})
    text = GREETS + "exec sleep 1000"
    stage.plugins["bad"] = {"command": ["bash", str(script(text))], "required": False}
    counts = await stage.start_inside(sweep_interval=30)
    builds = queue_builds(stage.hydra, 60)
    for build in builds:
        finish_build(stage.hydra, build)
    for _ in builds:
        await (await stage.event("good")).succeed()
    await stage.cleared(*builds)
    with trio.fail_after(PATIENCE):
        while not counts.plugin("bad").ends["hang"]:  # noqa: ASYNC110 -- rings nobody
            await trio.sleep(0.02)
    assert counts.plugin("bad").last_error == "it does not read its stdin"
    assert counts.plugin("good").ends.total() == 0
