"""What was never announced, announced badly, or announced while nobody listened."""

from uuid import uuid4

import pytest
import trio
from tests.end_to_end.stage import PATIENCE, Stage

from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import (
    CANCELLED,
    cancel_build,
    fail_builds,
    finish_build,
    notify_build_finished,
    restart_build,
)


async def test_a_notification_that_is_never_sent_is_made_good_by_a_sweep(
    stage: Stage,
) -> None:
    stage.puppet("one")
    counts = await stage.start_inside(sweep_interval=0.2)
    with trio.fail_after(PATIENCE):
        # What the first sweep finds may be what an earlier host has delivered.
        while not counts.pending_looked_at:  # noqa: ASYNC110 -- nobody tells of it
            await trio.sleep(0.01)
    (build,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, build, notify=False)
    event = await stage.event("one")
    assert event.data["build"] == build
    assert event.delivery["redelivered"] is False
    await event.succeed()
    await stage.cleared(build)
    assert counts.swept >= 1


async def test_dependents_of_a_notification_that_is_never_sent_come_one_by_one(
    stage: Stage,
) -> None:
    stage.puppet("one")
    await stage.start_inside(sweep_interval=0.2)
    head, *dependents = queue_builds(stage.hydra, 3)
    fail_builds(stage.hydra, head, dependents, notify=False)
    told = set()
    for _ in range(3):
        event = await stage.event("one")
        assert event.data["dependentIds"] == []
        told.add(event.data["build"])
        await event.succeed()
    assert told == {head, *dependents}
    await stage.cleared(head, *dependents)


async def test_a_sweep_leaves_alone_what_is_under_way(stage: Stage) -> None:
    stage.puppet("one")
    counts = await stage.start_inside(sweep_interval=0.05)
    head, *dependents = queue_builds(stage.hydra, 3)
    fail_builds(stage.hydra, head, dependents)
    event = await stage.event("one")
    assert event.data["dependentIds"] == dependents
    # Another build, found by a sweep: so sweeps have been made meanwhile.
    (other,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, other, notify=False)
    await event.succeed()
    await (await stage.event("one")).succeed()
    await stage.cleared(head, *dependents, other)
    assert stage.events_waiting("one") == []
    assert counts.swept == 1


async def test_a_restarted_build_is_not_announced_before_it_finishes_again(
    stage: Stage,
) -> None:
    (restarted, other) = queue_builds(stage.hydra, 2)
    finish_build(stage.hydra, restarted, notify=False)
    restart_build(stage.hydra, restarted)
    finish_build(stage.hydra, other, notify=False)
    stage.puppet("one", manifest={"max_in_flight": 8})
    host = await stage.listening()
    notify_build_finished(stage.hydra, restarted)
    await host.logged("build_finished dropped")
    event = await stage.event("one")
    assert event.data["build"] == other
    assert stage.flag(restarted) is not None
    await event.succeed()
    finish_build(stage.hydra, restarted)
    again = await stage.event("one")
    assert again.data["build"] == restarted
    await again.succeed()
    await stage.cleared(restarted, other)


async def test_a_cancelled_build_with_a_flag_left_over_is_delivered_as_cancelled(
    stage: Stage,
) -> None:
    (build,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, build, notify=False)
    restart_build(stage.hydra, build)
    cancel_build(stage.hydra, build)
    stage.puppet("one")
    await stage.listening()
    event = await stage.event("one")
    assert event.data["buildStatus"] == CANCELLED
    await event.succeed()
    await stage.cleared(build)


async def test_a_missing_head_does_not_lose_its_dependents(stage: Stage) -> None:
    stage.puppet("one")
    await stage.listening()
    head, dependent = queue_builds(stage.hydra, 2)
    fail_builds(stage.hydra, dependent, [], notify=False)
    stage.watcher.execute("delete from builds where id = %s", (head,))
    notify_build_finished(stage.hydra, head, [head, dependent])
    event = await stage.event("one")
    assert event.data["build"] == dependent
    await event.succeed()
    await stage.cleared(dependent)


async def test_notifications_of_a_build_under_way_are_one_event(stage: Stage) -> None:
    stage.puppet("one")
    await stage.listening()
    build, (event,) = await stage.one_build("one")
    for _ in range(5):
        notify_build_finished(stage.hydra, build)
    (other,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, other)
    await event.succeed()
    following = await stage.event("one")
    assert following.data["build"] == other
    await following.succeed()
    await stage.cleared(build, other)


@pytest.mark.parametrize(
    "payload", ["", "abc", "1x", "-1", "1\t", "9" * 30, "9" * 7999, "1\tx", "\t", "é"]
)
async def test_a_bad_payload_is_logged_and_the_next_event_is_delivered(
    stage: Stage, payload: str
) -> None:
    stage.puppet("one", manifest={"events": ["*"]})
    host = await stage.listening()
    (build,) = queue_builds(stage.hydra)
    await (await stage.event("one")).succeed()
    if payload == "1\t":
        # A trailing empty field does not count: this one is a build that is not there.
        expected = "build_finished dropped"
    else:
        expected = "build_finished: bad payload"
    stage.watcher.execute("select pg_notify('build_finished', %s)", (payload,))
    line = await host.logged(expected)
    assert len(line) < 300
    finish_build(stage.hydra, build)
    event = await stage.event("one")
    while event.frame["params"]["name"] != "build_finished":
        await event.succeed()
        event = await stage.event("one")
    await event.succeed()
    await stage.cleared(build)
    assert not any("Traceback" in line for line in host.log)


@pytest.mark.parametrize("database_url", [85, 86, 87, 88], indirect=True)
async def test_every_known_schema_version_works(stage: Stage) -> None:
    stage.puppet("one", manifest={"include": ["dependents", "evals", "previousBuild"]})
    host = await stage.listening()
    head, dependent = queue_builds(stage.hydra, 2)
    fail_builds(stage.hydra, head, [dependent])
    event = await stage.event("one")
    assert event.data["dependents"][0]["build"] == dependent
    await event.succeed()
    await stage.cleared(head, dependent)
    assert not any("schema" in line for line in host.log)


async def test_a_schema_that_is_too_old_is_refused_with_its_number(
    stage: Stage,
) -> None:
    stage.watcher.execute("update schemaversion set version = 60")
    host = await stage.start_host()
    assert await host.ended() == 78
    assert "version 60" in await host.logged("upgrade Hydra")


async def test_a_newer_schema_is_tried_and_said(stage: Stage) -> None:
    stage.watcher.execute("update schemaversion set version = 99")
    stage.puppet("one")
    host = await stage.listening()
    assert "version 99" in await host.logged("knows up to")
    build, (event,) = await stage.one_build("one")
    await event.succeed()
    await stage.cleared(build)


async def test_the_least_privileges_that_the_readme_names_are_enough(
    stage: Stage,
) -> None:
    role = f"notify_{uuid4().hex}"
    for statement in (
        f"create role {role} login",
        f"grant select on all tables in schema public to {role}",
        f"grant update (notificationpendingsince) on builds to {role}",
    ):
        stage.watcher.execute(statement.encode())
    stage.url = stage.url.replace("//hydra@", f"//{role}@")
    stage.puppet("one", manifest={"include": ["dependents", "evals", "previousBuild"]})
    host = await stage.listening()
    head, dependent = queue_builds(stage.hydra, 2)
    fail_builds(stage.hydra, head, [dependent])
    await (await stage.event("one")).succeed()
    await stage.cleared(head, dependent)
    await host.kill()
    stage.watcher.execute(f"drop owned by {role}; drop role {role}".encode())
