"""Others at work in Hydra's tables: locks, deadlocks, migrations, a full disk."""

import logging
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from tests.ear import until
from tests.end_to_end.stage import Stage

from hydra_notify.database import Connection, connect
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build, restart_build
from hydra_notify.demo.simulation.schema import UPGRADES

OFTEN = 0.1
"""Seconds between sweeps: what is delivered twice is found soon."""

FAIL_SOMETIMES = """
create sequence tries;
create function refuse() returns trigger language plpgsql as $$
begin
  if nextval('tries') <= {times} then
    raise exception 'as told' using errcode = '{state}';
  end if;
  return new;
end $$;
create trigger refuse before update of notificationpendingsince on builds
for each row when (new.notificationpendingsince is null) execute function refuse();
"""
"""Clearing fails so many times."""


@contextmanager
def writing(stage: Stage, statement: str) -> Generator[Connection]:
    """Another program in the middle of a transaction; rolled back at the end."""
    with connect(stage.url, application_name="writer") as connection:
        connection.execute("begin")
        connection.execute(statement.encode())
        yield connection
        connection.execute("rollback")


async def test_a_locked_row_is_passed_over_and_cleared_when_it_is_free(
    stage: Stage,
) -> None:
    stage.puppet("one", manifest={"max_in_flight": 4})
    counts = await stage.start_inside(sweep_interval=OFTEN)
    locked, free = queue_builds(stage.hydra, 2)
    finish_build(stage.hydra, locked)
    finish_build(stage.hydra, free)
    events = [await stage.event("one"), await stage.event("one")]
    with writing(stage, f"select from builds where id = {locked} for update") as writer:
        for event in events:
            await event.succeed()
        await stage.cleared(free)
        await until(lambda: counts.clear_batches >= 2)
        # Nor does the writer wait for us, in whichever order it takes rows.
        writer.execute("update builds set priority = 1 where id = %s", (free,))
    await stage.cleared(locked)
    assert counts.database_errors == 0
    assert stage.events_waiting("one") == []


async def test_a_locked_table_is_waited_for_shortly_and_tried_again(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.url += "?options=-c%20lock_timeout%3D50ms"
    stage.puppet("one")
    counts = await stage.start_inside(sweep_interval=OFTEN)
    build, (event,) = await stage.one_build("one")
    with writing(stage, "lock table builds in access exclusive mode"):
        await event.succeed()
        await until(lambda: "cannot clear pending flags" in caplog.text)
        await until(lambda: counts.database_errors >= 2)
    await stage.cleared(build)
    assert "lock timeout" in caplog.text
    assert stage.events_waiting("one") == []


@pytest.mark.parametrize(
    ("state", "what"),
    [
        ("40P01", "deadlock"),
        ("40001", "serialization failure"),
        ("53100", "disk full"),
        ("58030", "I/O error"),
    ],
)
async def test_a_clear_that_fails_is_tried_again_and_nothing_is_delivered_again(
    stage: Stage, state: str, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage.watcher.execute(FAIL_SOMETIMES.format(times=3, state=state).encode())
    stage.puppet("one", manifest={"max_in_flight": 4})
    counts = await stage.start_inside(sweep_interval=OFTEN)
    build, (event,) = await stage.one_build("one")
    await event.succeed()
    await stage.cleared(build)
    assert counts.database_errors == 3, what
    assert "cannot clear pending flags" in caplog.text
    # A build that a sweep finds proves that sweeps were made.
    (other,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, other, notify=False)
    event = await stage.event("one")
    assert event.data["build"] == other
    await event.succeed()
    await stage.cleared(other)
    assert counts.events["build_finished"] == 2


async def test_deliveries_go_on_while_the_disk_is_full_and_are_cleared_later(
    stage: Stage,
) -> None:
    stage.watcher.execute(FAIL_SOMETIMES.format(times=10**6, state="53100").encode())
    stage.puppet("one", manifest={"max_in_flight": 4})
    counts = await stage.start_inside(sweep_interval=OFTEN)
    finished = []
    for _ in range(5):
        build, (event,) = await stage.one_build("one")
        assert event.data["build"] == build
        await event.succeed()
        finished.append(build)
    await until(lambda: counts.database_errors >= 2)
    assert stage.pending() == 5
    stage.watcher.execute("drop trigger refuse on builds")
    await stage.cleared(*finished)
    assert counts.events["build_finished"] == 5


async def test_a_migration_under_the_host_costs_a_connection_and_no_event(
    stage: Stage,
) -> None:
    stage.puppet("one")
    counts = await stage.start_inside(sweep_interval=600)
    finished = []
    for turn in range(16):
        build, (event,) = await stage.one_build("one")
        assert event.data["build"] == build
        await event.succeed()
        await stage.cleared(build)
        finished.append(build)
        # Statements are prepared by then.
        if turn == 9:
            stage.watcher.execute("drop trigger announce_cleared on builds")
            stage.watcher.execute(UPGRADES[88])
            stage.watcher.execute(
                "create trigger announce_cleared"
                " after update of notificationpendingsince on builds"
                " for each statement execute function announce_cleared()"
            )
    assert counts.database_errors > 0
    assert counts.events["build_finished"] == len(finished)


async def test_a_column_that_is_missing_for_a_while_stops_reading_for_a_while(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    stage.puppet("one")
    await stage.start_inside(sweep_interval=600)
    (build,) = queue_builds(stage.hydra)
    stage.watcher.execute("alter table builds rename homepage to gone")
    finish_build(stage.hydra, build)
    await until(lambda: "cannot read builds" in caplog.text)
    assert "homepage" in caplog.text
    stage.watcher.execute("alter table builds rename gone to homepage")
    event = await stage.event("one")
    assert event.data["build"] == build
    await event.succeed()
    await stage.cleared(build)


async def test_a_build_that_is_restarted_while_its_clear_waits_keeps_its_new_flag(
    stage: Stage,
) -> None:
    stage.puppet("one")
    await stage.start_inside(sweep_interval=600)
    build, (event,) = await stage.one_build("one")
    with writing(stage, f"select from builds where id = {build} for update"):
        await event.succeed()
    restart_build(stage.hydra, build)
    finish_build(stage.hydra, build)
    again = await stage.event("one")
    assert again.data["build"] == build
    await again.succeed()
    await stage.cleared(build)
