"""The host's own troubles: a bug in a task, no descriptors left, an old plugin."""

import resource
import sys
import threading

import pytest
import trio
from tests.end_to_end.stage import PATIENCE, Stage
from trio._core import _thread_cache

BUG = """
import sys
import hydra_notify.{module}
async def run(self):
    raise ZeroDivisionError("injected")
hydra_notify.{module}.{name}.run = run
from hydra_notify.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("listener", "Listener"),
        ("dispatcher.clearer", "Clearer"),
        ("dispatcher.loader", "Loader"),
        ("dispatcher.sweeper", "Sweeper"),
        ("supervisor.supervisor", "Supervisor"),
    ],
)
async def test_a_bug_in_any_task_ends_the_whole_host_and_says_so(
    stage: Stage, module: str, name: str
) -> None:
    stage.puppet("one")
    bug = BUG.format(module=module, name=name)
    host = await stage.start_host(program=(sys.executable, "-c", bug))
    assert await host.ended() == 70
    await host.logged("CRITICAL hydra-notify has a bug")
    await host.logged("ZeroDivisionError: injected")


LOSE_CONNECTIONS = """
select pg_terminate_backend(pid) from pg_stat_activity
where application_name = 'hydra-notify' and datname = current_database()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
async def test_without_descriptors_the_host_says_so_seldom_and_recovers(
    stage: Stage,
) -> None:
    stage.puppet("one")
    host = await stage.listening()
    build, (event,) = await stage.one_build("one")
    pid = host.process.pid
    _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    # Whatever it opens from here on fails.
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, most))
    stage.watcher.execute(LOSE_CONNECTIONS)
    await event.exit(1)
    await host.logged("one: cannot start: Too many open files")
    await host.logged("not listening, trying again", 3)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, most))
    again = await stage.event("one")
    assert again.delivery["redelivered"] is True
    await again.succeed()
    await stage.cleared(build)
    await host.logged("INFO    listening", 2)
    # Each failure is followed by a wait, and most of them are not said.
    assert sum("trying again" in line for line in host.log) < 20
    assert not any("Traceback" in line for line in host.log)


async def test_a_plugin_outlives_the_thread_that_started_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parent-death signal would follow that thread, 10 s after its last work."""
    monkeypatch.setattr(_thread_cache, "IDLE_TIMEOUT", 0.05)
    stage.puppet("one")
    counts = await stage.start_inside(sweep_interval=30)
    # It may have ended by now.
    threads = [t for t in threading.enumerate() if t.name.startswith("Trio")]
    with trio.fail_after(PATIENCE):
        for thread in threads:
            while thread.is_alive():  # noqa: ASYNC110 -- its end wakes nobody
                await trio.sleep(0.02)
    build, (event,) = await stage.one_build("one")
    await event.succeed()
    await stage.cleared(build)
    assert counts.plugin("one").starts == 1
