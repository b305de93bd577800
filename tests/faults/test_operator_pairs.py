"""O6: two hosts on one database: one is active, the other takes over."""

import signal

import pytest
from tests.end_to_end.stage import Host, Stage

from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build


async def pair(stage: Stage) -> tuple[Host, Host]:
    """An active host and a standby, both quick to lose patience."""
    stage.limit(SELF_PING_INTERVAL=0.2, ACTIVE_SILENCE=1.0, STANDBY_RETRY=0.1)
    active = await stage.listening()
    standby = await stage.start_host()
    await standby.logged("standby: another host is active")
    return active, standby


async def test_a_standby_starts_no_plugin_and_delivers_nothing(stage: Stage) -> None:
    stage.puppet("one")
    active, standby = await pair(stage)
    build, (event,) = await stage.one_build("one")
    await event.succeed()
    await stage.cleared(build)
    assert not any("one: started" in line for line in standby.log)
    assert await standby.terminate() == 0
    assert active.process.poll() is None


@pytest.mark.parametrize("ledger", [False, True])
async def test_a_standby_takes_over_from_a_host_that_dies(
    stage: Stage, ledger: bool
) -> None:
    if ledger:
        stage.create_ledger()
    stage.puppet("one")
    active, standby = await pair(stage)
    build, (event,) = await stage.one_build("one")
    await active.kill()
    again = await stage.event("one")
    assert again.event["id"] == event.event["id"]
    await again.succeed()
    await stage.cleared(build)
    await standby.logged("one: ready")


async def test_a_standby_takes_over_from_a_host_that_hangs(stage: Stage) -> None:
    stage.create_ledger()
    stage.puppet("one")
    active, standby = await pair(stage)
    build, (event,) = await stage.one_build("one")
    active.process.send_signal(signal.SIGSTOP)
    again = await stage.event("one")
    assert again.event["id"] == event.event["id"]
    await again.succeed()
    await stage.cleared(build)
    # It wakes up, finds out, and stands by.
    active.process.send_signal(signal.SIGCONT)
    await active.logged("starting over: another host is active")
    (other,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, other)
    after = await stage.event("one")
    assert (after.data["build"], after.pid) == (other, again.pid)
    await after.succeed()
    await stage.cleared(other)
    await standby.kill()
    await active.logged("one: ready", times=2)


async def test_a_host_that_stops_leaves_its_office_to_the_standby(
    stage: Stage,
) -> None:
    stage.puppet("one")
    active, standby = await pair(stage)
    active.process.terminate()
    await (await stage.frame("one", lambda f: f.method == "shutdown")).succeed()
    assert await active.ended() == 0
    await standby.logged("one: ready")
    build, (event,) = await stage.one_build("one")
    await event.succeed()
    await stage.cleared(build)


async def test_queued_only_leaves_what_is_pending_to_an_active_host(
    stage: Stage,
) -> None:
    stage.puppet("one")
    await stage.listening()
    build, (event,) = await stage.one_build("one")
    second = await stage.start_host("--queued-only")
    await second.logged("a host is active on this database")
    assert await second.ended() == 1
    await event.succeed()
    await stage.cleared(build)
