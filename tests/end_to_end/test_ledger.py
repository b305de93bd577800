"""What outlives a host: settled, failed, given up, and unprotected deliveries."""

from uuid import uuid4

import pytest
import trio
from tests.end_to_end.stage import PATIENCE, Stage

from hydra_notify.database import connect
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import (
    fail_builds,
    finish_build,
    notify_build_finished,
)


async def test_a_plugin_that_acknowledged_is_told_nothing_twice_by_the_next_host(
    stage: Stage,
) -> None:
    stage.create_ledger()
    stage.puppet("fast", manifest={"max_in_flight": 4})
    stage.puppet("slow", manifest={"max_in_flight": 4})
    host = await stage.listening()
    head, *dependents = queue_builds(stage.hydra, 3)
    fail_builds(stage.hydra, head, dependents)
    await (await stage.event("fast")).succeed()
    pending = await stage.event("slow")
    await stage.until(lambda: [row[1] for row in stage.ledger()] == ["slow"])
    await host.kill()
    await stage.listening()
    again = await stage.event("slow")
    assert again.event["id"] == pending.event["id"]
    assert again.data["dependentIds"] == dependents
    assert again.delivery["redelivered"] is True
    await again.succeed()
    await stage.cleared(head, *dependents)
    # Whatever was told twice would be here before the next event.
    (other,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, other)
    assert (await stage.event("fast")).data["build"] == other
    await stage.until(lambda: stage.ledger() == [])


WAITING = "select from pg_locks where relation = 'hydra_notify.meta'::regclass"
LOCK = "select from hydra_notify.meta for update"


async def test_no_event_waits_while_something_is_written_into_the_ledger(
    stage: Stage,
) -> None:
    stage.create_ledger()
    stage.puppet("fast")
    stage.puppet("slow")
    longer = 2 * PATIENCE
    stage.limit(
        LOCK_TIMEOUT=longer, STATEMENT_TIMEOUT=longer, STATEMENT_DEADLINE=longer
    )
    await stage.listening()
    with connect(stage.url) as other, other.transaction():
        other.execute(LOCK)
        _, (told, _) = await stage.one_build("fast", "slow")
        await told.succeed()
        with trio.fail_after(PATIENCE):
            # That it was told is to be written down, and has to wait.
            while len(stage.watcher.execute(WAITING).fetchall()) < 2:  # noqa: ASYNC110
                await trio.sleep(0.01)
        await stage.one_build("fast")
    await stage.until(lambda: [row[1] for row in stage.ledger()] == ["slow"])


async def test_a_retry_keeps_its_count_and_its_time_over_a_restart(
    stage: Stage,
) -> None:
    stage.create_ledger()
    stage.puppet("one")
    host = await stage.listening()
    build, (event,) = await stage.one_build("one")
    await event.fail(500, retry_after_ms=3_600_000)
    await stage.until(lambda: len(stage.ledger()) == 1)
    await host.kill()
    host = await stage.listening()
    due = stage.watcher.execute(
        "select attempts, due_at > now() + interval '50 minutes'"
        " from hydra_notify.delivery"
    ).fetchone()
    assert due == (1, True)
    # Another build goes first: the one that failed is not due.
    (other,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, other)
    first = await stage.event("one")
    assert first.data["build"] == other
    await first.succeed()
    await stage.cleared(other)
    await host.kill()
    stage.watcher.execute("update hydra_notify.delivery set due_at = now()")
    await stage.listening()
    again = await stage.event("one")
    assert (again.data["build"], again.delivery["attempt"]) == (build, 2)
    await again.succeed()
    await stage.cleared(build)


async def test_a_dead_letter_holds_its_flag_over_a_restart(stage: Stage) -> None:
    stage.create_ledger()
    stage.puppet("one")
    host = await stage.listening()
    build, (event,) = await stage.one_build("one")
    await event.fail(404)
    await stage.until(lambda: [row[2] for row in stage.ledger()] == ["dead"])
    await host.kill()
    await stage.listening()
    (other,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, other)
    first = await stage.event("one")
    assert first.data["build"] == other
    await first.succeed()
    await stage.cleared(other)
    assert stage.flag(build) is not None
    # Announced again by hand, it is tried again.
    notify_build_finished(stage.hydra, build)
    again = await stage.event("one")
    assert again.data["build"] == build
    await again.succeed()
    await stage.cleared(build)
    await stage.until(lambda: stage.ledger() == [])


async def test_a_dead_letter_that_holds_nothing_is_remembered_all_the_same(
    stage: Stage,
) -> None:
    stage.create_ledger()
    stage.puppet("one", on_dead="clear")
    await stage.listening()
    build, (event,) = await stage.one_build("one")
    await event.fail(404)
    await stage.cleared(build)
    assert [row[1:] for row in stage.ledger()] == [("one", "dead")]


async def test_an_event_without_a_flag_survives_its_host(stage: Stage) -> None:
    stage.create_ledger()
    stage.puppet("one", manifest={"events": ["build_queued"]})
    host = await stage.listening()
    (build,) = queue_builds(stage.hydra)
    event = await stage.event("one")
    await stage.until(lambda: len(stage.ledger()) == 1)
    await host.kill()
    await stage.listening()
    again = await stage.event("one")
    assert again.event["id"] == event.event["id"]
    assert again.data["build"] == build
    await again.succeed()
    await stage.until(lambda: stage.ledger() == [])


async def test_what_an_optional_plugin_is_owed_survives_though_the_flag_is_cleared(
    stage: Stage,
) -> None:
    stage.create_ledger()
    stage.puppet("must")
    stage.puppet("may", required=False)
    host = await stage.listening()
    build, (must, may) = await stage.one_build("must", "may")
    await must.succeed()
    await stage.cleared(build)
    await host.kill()
    await stage.listening()
    again = await stage.event("may")
    assert again.event["id"] == may.event["id"]
    await again.succeed()
    await stage.until(lambda: stage.ledger() == [])


async def test_what_is_left_at_the_end_of_a_drain_is_in_the_ledger(
    stage: Stage,
) -> None:
    stage.limit(SHUTDOWN_REPLY_MS=200)
    stage.create_ledger()
    events = ["build_queued", "build_finished"]
    stage.puppet("one", manifest={"events": events})
    stage.puppet("two", manifest={"events": ["build_finished"]})
    host = await stage.listening()
    build, (queued, finished) = await stage.one_build("one", "two")
    await finished.succeed()
    host.process.terminate()
    await host.logged("stopping")
    # It was at its first event, and will never answer.
    await queued.kill()
    assert await host.ended() == 0
    left = {(event.partition(":")[0], plugin) for event, plugin, _ in stage.ledger()}
    assert left == {("build_queued", "one"), ("build_finished", "one")}
    await stage.listening()
    again = await stage.event("one")
    assert again.event["id"] == queued.event["id"]
    await again.succeed()
    last = await stage.event("one")
    assert last.event["id"] == finished.event["id"]
    await last.succeed()
    await stage.cleared(build)
    assert stage.events_waiting("two") == []


async def test_the_happy_path_writes_nothing(stage: Stage) -> None:
    stage.create_ledger()
    stage.puppet("one", manifest={"max_in_flight": 8})
    counts = await stage.start_inside(sweep_interval=0.2)
    for _ in range(20):
        build, (event,) = await stage.one_build("one")
        await event.succeed()
        await stage.cleared(build)
    assert counts.ledger_events == 0


async def test_without_a_ledger_the_host_says_so_and_goes_on(stage: Stage) -> None:
    stage.puppet("one")
    host = await stage.listening()
    assert "hydra-notify ledger create" in await host.logged("the ledger is not used")
    build, (event,) = await stage.one_build("one")
    await event.succeed()
    await stage.cleared(build)


@pytest.mark.parametrize(
    "granted",
    [
        "",
        "grant usage on schema hydra_notify to {role};"
        "grant select, update on hydra_notify.meta to {role};",
        "grant usage on schema hydra_notify to {role};"
        "grant select, update on all tables in schema hydra_notify to {role};",
    ],
    ids=["nothing", "the version alone", "all but new rows"],
)
async def test_with_a_ledger_that_is_not_granted_the_host_says_so_and_goes_on(
    stage: Stage, granted: str
) -> None:
    stage.create_ledger()
    role = f"notify_{uuid4().hex}"
    for statement in (
        f"create role {role} login",
        f"grant select on all tables in schema public to {role}",
        f"grant update (notificationpendingsince) on builds to {role}",
        *filter(None, granted.format(role=role).split(";")),
    ):
        stage.watcher.execute(statement.encode())
    stage.url = stage.url.replace("//hydra@", f"//{role}@")
    stage.puppet("one")
    stage.puppet("two")
    host = await stage.listening()
    build, (event, other) = await stage.one_build("one", "two")
    await event.succeed()
    assert "hydra-notify ledger ddl" in await host.logged("the ledger is not used")
    await other.succeed()
    await stage.cleared(build)
    await host.kill()
    stage.watcher.execute(f"drop owned by {role}; drop role {role}".encode())


@pytest.mark.parametrize("code", [500, 404])
async def test_what_failed_before_the_ledger_was_made_is_in_it_afterwards(
    stage: Stage, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra_notify.dispatcher.recorder.LEDGER_LOOK", 0.1)
    stage.puppet("one")
    await stage.start_inside(sweep_interval=0.2)
    build, (event,) = await stage.one_build("one")
    await event.fail(code, retry_after_ms=3_600_000)
    stage.create_ledger()
    await stage.until(lambda: len(stage.ledger()) == 1)
    assert stage.flag(build) is not None
