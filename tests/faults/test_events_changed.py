"""Builds that change between being read, delivered, answered and cleared.

The moment is held by a plugin that does not answer yet, never by a pause.
"""

from tests.end_to_end.stage import Stage

from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import (
    CANCELLED,
    FAILED,
    SUCCEEDED,
    cancel_build,
    finish_build,
    notify_build_finished,
    restart_build,
)


async def test_a_build_restarted_in_flight_has_the_outcome_it_had_cleared(
    stage: Stage,
) -> None:
    """That outcome was delivered; the next one is an event of its own."""
    stage.puppet("one")
    await stage.listening()
    build, (event,) = await stage.one_build("one")
    restart_build(stage.hydra, build)
    await event.succeed()
    await stage.cleared(build)
    finish_build(stage.hydra, build, FAILED, start=3_000, stop=4_000)
    again = await stage.event("one")
    assert again.event["id"] != event.event["id"]
    assert again.data["buildStatus"] == FAILED
    await again.succeed()
    await stage.cleared(build)


async def test_a_build_that_finishes_again_before_it_is_sent_is_told_twice_in_order(
    stage: Stage,
) -> None:
    """Plugins get what was read before anybody saw the event, not a later reading."""
    stage.puppet("busy")
    stage.puppet("witness")
    await stage.listening()
    held, (first, seen) = await stage.one_build("busy", "witness")
    await seen.succeed()
    (build,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, build, SUCCEEDED, start=1_000, stop=2_000)
    # The witness has it, so it has been read; the other one is still busy.
    await (await stage.event("witness")).succeed()
    restart_build(stage.hydra, build)
    finish_build(stage.hydra, build, FAILED, start=3_000, stop=4_000)
    await (await stage.event("witness")).succeed()
    await first.succeed()
    for status in (SUCCEEDED, FAILED):
        event = await stage.event("busy")
        assert (event.data["build"], event.data["buildStatus"]) == (build, status)
        assert stage.flag(build) is not None
        await event.succeed()
    await stage.cleared(held, build)


async def test_a_build_cancelled_in_flight_is_told_again_as_cancelled(
    stage: Stage,
) -> None:
    """The flag is of the first outcome, and stands for the second one now."""
    stage.puppet("one")
    await stage.listening()
    build, (event,) = await stage.one_build("one")
    flag = stage.flag(build)
    restart_build(stage.hydra, build)
    cancel_build(stage.hydra, build)
    assert stage.flag(build) == flag
    await event.succeed()
    again = await stage.event("one")
    assert (again.data["build"], again.data["buildStatus"]) == (build, CANCELLED)
    assert stage.flag(build) == flag
    await again.succeed()
    await stage.cleared(build)


async def test_a_build_restarted_before_it_is_read_and_then_cancelled_is_told_once(
    stage: Stage,
) -> None:
    (build,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, build, notify=False)
    restart_build(stage.hydra, build)
    stage.puppet("one")
    counts = await stage.start_inside(sweep_interval=0.2)
    await _heard(stage, "one")
    notify_build_finished(stage.hydra, build)
    # The notification of another build comes after it, so it has been looked at.
    _, (other,) = await stage.one_build("one")
    assert counts.absent == 1
    await other.succeed()
    cancel_build(stage.hydra, build)
    event = await stage.event("one")
    assert (event.data["build"], event.data["buildStatus"]) == (build, CANCELLED)
    await event.succeed()
    await stage.all_cleared()
    assert counts.events["build_finished"] == 3


async def test_a_build_deleted_in_flight_leaves_nothing_to_clear(stage: Stage) -> None:
    stage.puppet("one")
    host = await stage.listening()
    build, (event,) = await stage.one_build("one")
    stage.watcher.execute("delete from builds where id = %s", (build,))
    await event.succeed()
    following, (event,) = await stage.one_build("one")
    await event.succeed()
    await stage.cleared(following)
    assert not any("cannot" in line for line in host.log)


async def test_a_failed_start_that_the_outcome_overtakes_is_not_told_again(
    stage: Stage,
) -> None:
    stage.puppet("one", manifest={"events": ["build_started", "build_finished"]})
    counts = await stage.start_inside(sweep_interval=1_000)
    await _heard(stage, "one")
    (build,) = queue_builds(stage.hydra)
    stage.watcher.execute("select pg_notify('build_started', %s)", (str(build),))
    started = await stage.event("one")
    assert started.frame["params"]["name"] == "build_started"
    await started.fail(500, retry_after_ms=50)
    finish_build(stage.hydra, build)
    finished = await stage.event("one")
    while finished.frame["params"]["name"] == "build_started":
        # Its retry was due before the outcome was read: let it fail again.
        await finished.fail(500, retry_after_ms=50)
        finished = await stage.event("one")
    await finished.succeed()
    await stage.cleared(build)
    assert counts.plugin("one").superseded == 1
    _, (following,) = await stage.one_build("one")
    assert following.frame["params"]["name"] == "build_finished"
    assert stage.events_waiting("one") == []
    await following.succeed()


async def _heard(stage: Stage, plugin: str) -> None:
    """Return when the host listens: it hears of builds, and sweeps, only after that."""
    build, (event,) = await stage.one_build(plugin)
    await event.succeed()
    await stage.cleared(build)
