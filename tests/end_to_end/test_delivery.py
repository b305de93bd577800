"""From the outcome of a build to a cleared flag, with everything real."""

import signal

import trio
from tests.end_to_end.stage import Stage

from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import (
    FAILED,
    fail_builds,
    finish_build,
    notify_build_finished,
    restart_build,
)


async def test_a_finished_build_is_delivered_and_its_flag_cleared(stage: Stage) -> None:
    stage.puppet("one")
    await stage.listening()
    build, (event,) = await stage.one_build("one")
    assert event.frame["params"]["name"] == "build_finished"
    assert event.data["build"] == build
    assert event.data["buildStatus"] == 0
    assert event.delivery["attempt"] == 1
    assert stage.flag(build) is not None
    await event.succeed()
    await stage.cleared(build)


async def test_one_failing_plugin_keeps_the_flag_until_it_succeeds(
    stage: Stage,
) -> None:
    stage.puppet("good")
    stage.puppet("bad")
    host = await stage.listening()
    build, (event,) = await stage.one_build("good")
    await event.succeed()
    await (await stage.event("bad")).fail(500, retry_after_ms=1)
    await host.logged("500 as told")
    assert stage.flag(build) is not None
    again = await stage.event("bad")
    assert (again.delivery["attempt"], again.delivery["redelivered"]) == (2, False)
    assert stage.flag(build) is not None
    await again.succeed()
    await stage.cleared(build)
    assert stage.events_waiting("good") == []


async def test_a_plugin_killed_in_mid_delivery_gets_the_event_again(
    stage: Stage,
) -> None:
    stage.limit(RESTART_BASE=0.1)
    stage.puppet("one")
    await stage.listening()
    build, (event,) = await stage.one_build("one")
    await event.kill(signal.SIGKILL)
    again = await stage.event("one")
    assert again.event["id"] == event.event["id"]
    assert again.pid != event.pid
    assert (again.delivery["attempt"], again.delivery["redelivered"]) == (2, True)
    await again.succeed()
    await stage.cleared(build)


async def test_a_host_killed_in_mid_delivery_delivers_after_its_restart(
    stage: Stage,
) -> None:
    stage.puppet("one")
    host = await stage.listening()
    build, (event,) = await stage.one_build("one")
    await host.kill()
    await stage.listening()
    again = await stage.event("one")
    assert again.event["id"] == event.event["id"]
    assert (again.delivery["attempt"], again.delivery["redelivered"]) == (1, True)
    await again.succeed()
    await stage.cleared(build)


async def test_a_build_that_finishes_again_before_the_clear_is_delivered_again(
    stage: Stage,
) -> None:
    stage.puppet("one")
    await stage.listening()
    (build,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, build, start=1_000, stop=2_000)
    first = await stage.event("one")
    restart_build(stage.hydra, build)
    # In the same second: the flag has the same value, the outcome is another.
    finish_build(stage.hydra, build, FAILED, start=1_500, stop=2_000)
    await first.succeed()
    second = await stage.event("one")
    assert second.event["id"] != first.event["id"]
    assert (first.data["buildStatus"], second.data["buildStatus"]) == (0, FAILED)
    assert stage.flag(build) is not None
    await second.succeed()
    await stage.cleared(build)


async def test_a_build_that_finishes_again_unannounced_is_found_by_the_clear(
    stage: Stage,
) -> None:
    stage.puppet("one")
    await stage.listening()
    (build,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, build, start=1_000, stop=2_000)
    first = await stage.event("one")
    restart_build(stage.hydra, build)
    finish_build(stage.hydra, build, FAILED, start=3_000, stop=4_000, notify=False)
    await first.succeed()
    second = await stage.event("one")
    assert second.data["buildStatus"] == FAILED
    await second.succeed()
    await stage.cleared(build)


async def test_what_was_pending_before_the_start_is_delivered(stage: Stage) -> None:
    stage.puppet("one", manifest={"max_in_flight": 8})
    builds = queue_builds(stage.hydra, 5)
    for build in builds:
        finish_build(stage.hydra, build, notify=False)
    await stage.listening()
    for _ in builds:
        event = await stage.event("one")
        assert event.delivery["redelivered"] is True
        await event.succeed()
    await stage.cleared(*builds)


async def test_a_long_list_of_dependents_comes_in_chunks_and_all_are_cleared(
    stage: Stage,
) -> None:
    stage.puppet("one", manifest={"include": ["dependents"]})
    await stage.listening()
    head, *dependents = queue_builds(stage.hydra, 2_000)
    fail_builds(stage.hydra, head, dependents)
    told: list[int] = []
    chunks = 0
    while len(told) < len(dependents):
        event = await stage.event("one")
        chunks += 1
        assert event.data["build"] == head
        assert [d["build"] for d in event.data["dependents"]] == event.data[
            "dependentIds"
        ]
        told += event.data["dependentIds"]
        await event.succeed()
    assert chunks > 1
    assert sorted(told) == sorted(dependents)
    await stage.cleared(head, *dependents)


async def test_an_event_that_no_plugin_wants_is_cleared_at_once(stage: Stage) -> None:
    stage.puppet("other", manifest={"events": ["eval_*"]})
    await stage.listening()
    (build,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, build)
    await stage.cleared(build)


async def test_without_any_plugin_flags_are_cleared(stage: Stage) -> None:
    host = await stage.start_host()
    await host.logged("listening")
    (build,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, build)
    await stage.cleared(build)


async def test_an_optional_plugin_does_not_keep_the_flag(stage: Stage) -> None:
    stage.puppet("one")
    stage.puppet("optional", required=False)
    await stage.listening()
    build, (event,) = await stage.one_build("one")
    await event.succeed()
    await stage.cleared(build)
    await (await stage.event("optional")).succeed()


async def test_a_notification_sent_by_hand_for_a_cleared_build_is_delivered(
    stage: Stage,
) -> None:
    stage.puppet("one")
    await stage.listening()
    build, (first,) = await stage.one_build("one")
    await first.succeed()
    await stage.cleared(build)
    notify_build_finished(stage.hydra, build)
    second = await stage.event("one")
    assert second.event["id"] == first.event["id"]
    await second.succeed()


async def test_a_plugin_that_never_reads_delays_nobody(stage: Stage) -> None:
    stage.puppet("one")
    stage.plugins["deaf"] = {"command": ["sleep", "1000"]}
    await stage.start_host()
    assert stage.host is not None
    await stage.host.logged("one: ready")
    for build in queue_builds(stage.hydra, 20):
        finish_build(stage.hydra, build)
        event = await stage.event("one")
        assert event.data["build"] == build
        await event.succeed()
    # Nobody has said that it does not want them.
    assert stage.pending() == 20


async def test_a_restarted_server_is_survived(stage: Stage) -> None:
    """By the loss of every connection; a server of one's own: `test_postgres`."""
    stage.puppet("one")
    host = await stage.listening()
    (pid,) = {(await stage.frame("one")).pid}
    stage.watcher.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where application_name like 'hydra-notify%' and datname = current_database()"
    )
    await host.logged("not listening")
    build, (event,) = await stage.one_build("one")
    assert event.pid == pid
    await event.succeed()
    await stage.cleared(build)


async def test_sigterm_lets_plugins_finish_and_clears_what_they_did(
    stage: Stage,
) -> None:
    stage.puppet("one")
    host = await stage.listening()
    build, (event,) = await stage.one_build("one")
    host.process.terminate()
    await host.logged("stopping")
    await event.succeed()
    shutdown = await stage.frame("one", lambda frame: frame.method == "shutdown")
    await shutdown.succeed()
    assert await host.ended() == 0
    assert stage.flag(build) is None


async def test_queued_only_delivers_what_is_pending_and_exits(stage: Stage) -> None:
    stage.puppet("one")
    (build,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, build, notify=False)
    host = await stage.start_host("--queued-only")
    await (await stage.event("one")).succeed()
    shutdown = await stage.frame("one", lambda frame: frame.method == "shutdown")
    await shutdown.succeed()
    assert await host.ended() == 0
    assert stage.flag(build) is None


async def test_queued_only_exits_0_though_a_plugin_fails(stage: Stage) -> None:
    stage.puppet("one")
    (build,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, build, notify=False)
    host = await stage.start_host("--queued-only")
    await (await stage.event("one")).fail(500)
    shutdown = await stage.frame("one", lambda frame: frame.method == "shutdown")
    await shutdown.succeed()
    assert await host.ended() == 0
    assert stage.flag(build) is not None


async def test_order_is_kept_within_a_build_whatever_the_window(stage: Stage) -> None:
    stage.puppet(
        "one", manifest={"max_in_flight": 8, "events": ["build_*", "step_finished"]}
    )
    await stage.listening()
    first, second = queue_builds(stage.hydra, 2)
    notify_build_finished(stage.hydra, first)
    finish_build(stage.hydra, first)
    finish_build(stage.hydra, second)
    queued = [await stage.event("one") for _ in range(2)]
    assert {event.frame["params"]["name"] for event in queued} == {"build_queued"}
    await trio.testing.wait_all_tasks_blocked(0.05)
    assert stage.events_waiting("one") == []
    for event in queued:
        await event.succeed()
    finished = [await stage.event("one") for _ in range(2)]
    assert {event.data["build"] for event in finished} == {first, second}
    for event in finished:
        await event.succeed()
    await stage.cleared(first, second)
