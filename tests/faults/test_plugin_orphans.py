"""Processes that leave their plugin's group, and zombies: nothing is left over."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from tests.end_to_end.stage import PATIENCE, Host, Stage, gone

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="orphans are adopted on Linux alone"
)

DAEMONISE = """
( setsid sh -c 'echo "pid $$" >&2; : > {file}; exec sleep 1000' & ) &
until [ -e {file} ]; do sleep 0.02; done
"""
"""Double fork and a session of its own; it goes on holding the plugin's pipes."""


async def daemonised(host: Host) -> int:
    """The pid that a script has said on stderr."""
    return int((await host.logged("bad: pid ")).rpartition(" ")[2])


def children_of(host: Host) -> list[int]:
    tasks = Path(f"/proc/{host.process.pid}/task")
    texts = [(task / "children").read_text() for task in tasks.iterdir()]
    return [int(pid) for text in texts for pid in text.split()]


def wait_for_children(host: Host, most: int) -> None:
    """Nobody tells of a grandchild that was reaped: look until they are gone."""
    deadline = time.monotonic() + PATIENCE
    while len(children_of(host)) > most:
        assert time.monotonic() < deadline, "zombies are left over"


def oom_score_adj(pid: int) -> int:
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


async def test_a_daemonised_process_that_holds_the_pipes_ends_with_its_plugin(
    stage: Stage, script: Callable[[str], Path], tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    text = DAEMONISE.format(file=file) + "exit 3"
    stage.plugins["bad"] = {"command": ["bash", str(script(text))]}
    host = await stage.start_host()
    assert "exit status 3" in await host.logged("bad: exit status 3")
    await host.logged("bad: ended a process that had left its group")
    await gone(await daemonised(host))


async def test_the_children_of_a_daemonised_process_end_too(
    stage: Stage, script: Callable[[str], Path], tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    text = f"""
( setsid sh -c 'setsid sh -c "echo pid \\$\\$ >&2; : > {file}
  exec sleep 1000" & wait' & ) &
until [ -e {file} ]; do sleep 0.02; done
exit 3
"""
    stage.plugins["bad"] = {"command": ["bash", str(script(text))]}
    host = await stage.start_host()
    await host.logged("processes that had left its group")
    await gone(await daemonised(host))


async def test_what_a_living_plugin_daemonised_stays_until_the_host_stops(
    stage: Stage, script: Callable[[str], Path], tmp_path: Path
) -> None:
    stage.limit(SHUTDOWN_REPLY_MS=200)
    file = tmp_path / "pid"
    stage.plugins["bad"] = {
        "command": ["bash", str(script(DAEMONISE.format(file=file) + "exec cat"))]
    }
    stage.puppet("good")
    host = await stage.listening()
    await host.logged("plugins send no requests")
    pid = await daemonised(host)
    os.kill(pid, 0)
    assert await host.terminate() == 0
    await gone(pid)


async def test_zombies_are_reaped_and_no_plugin_loses_its_exit_status(
    stage: Stage, script: Callable[[str], Path]
) -> None:
    # Fifty orphans that end at once, and then the plugin itself.
    text = "for i in $(seq 50); do ( setsid true & ) ; done; read -r _; exit 7"
    stage.plugins["bad"] = {"command": ["bash", str(script(text))]}
    stage.puppet("good")
    host = await stage.listening()
    assert "exit status 7" in await host.logged("bad: exit status")
    await trio.to_thread.run_sync(wait_for_children, host, 2)


async def test_what_a_killed_host_leaves_is_ended_by_the_next(
    stage: Stage, script: Callable[[str], Path]
) -> None:
    # It hangs without reading its stdin: it does not see its host's end.
    text = "trap '' TERM HUP; echo \"pid $$\" >&2; sleep 1000"
    stage.plugins["bad"] = {"command": ["bash", str(script(text))]}
    host = await stage.start_host()
    left = await daemonised(host)
    await host.kill()
    os.kill(left, 0)
    host = await stage.start_host()
    assert str(left) in await host.logged("what an earlier host has left")
    await gone(left)


async def test_when_memory_runs_out_plugins_go_before_the_host(stage: Stage) -> None:
    stage.puppet("one")
    host = await stage.listening()
    pid = (await stage.frame("one")).pid
    assert oom_score_adj(host.process.pid) < oom_score_adj(pid) == 500


async def test_a_plugin_killed_for_its_memory_is_said_and_started_again(
    stage: Stage,
) -> None:
    stage.limit(RESTART_BASE=0.1)
    stage.puppet("good")
    stage.puppet("bad")
    host = await stage.listening()
    build, (good, bad) = await stage.one_build("good", "bad")
    await good.succeed()
    # As the kernel does it.
    await bad.kill(signal.SIGKILL)
    assert "killed by SIGKILL" in await host.logged("bad: killed")
    again = await stage.event("bad")
    assert again.delivery["redelivered"] is True
    await again.succeed()
    await stage.cleared(build)
    assert not any(line.startswith("good") for line in host.log if "again" in line)
