"""Notifications that nobody hears, and flags of builds that nobody may want."""

from psycopg import sql
from tests.end_to_end.stage import Stage

from hydra_notify.database import connect
from hydra_notify.demo.server.postgres import Server
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import (
    FAILED,
    fail_builds,
    finish_build,
)

CUT_OFF = """
select pg_terminate_backend(pid) from pg_stat_activity
where application_name like 'hydra-notify%' and datname = current_database()
"""


async def test_a_notification_sent_while_the_link_is_down_is_made_good_at_the_reconnect(
    stage: Stage, server: Server
) -> None:
    stage.puppet("one")
    host = await stage.listening()
    pid = (await stage.frame("one")).pid
    _allow_connections(server, stage, allowed=False)
    stage.watcher.execute(CUT_OFF)
    await host.logged("not listening")
    (build,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, build)
    _allow_connections(server, stage, allowed=True)
    # A steady sweep would need two sightings, 30 s apart: more than `event` waits.
    event = await stage.event("one")
    assert event.data["build"] == build
    assert event.pid == pid
    assert event.delivery["redelivered"] is False
    await event.succeed()
    await stage.cleared(build)


def _allow_connections(server: Server, stage: Stage, *, allowed: bool) -> None:
    database = sql.Identifier(stage.watcher.info.dbname)
    statement = sql.SQL("alter database {} allow_connections {}")
    # A database cannot be closed from within.
    with connect(server.url()) as connection:
        connection.execute(statement.format(database, sql.Literal(allowed)))


async def test_a_head_named_among_its_own_dependents_is_one_event(
    stage: Stage,
) -> None:
    stage.puppet("one", manifest={"include": ["dependents"]})
    host = await stage.listening()
    head, dependent = queue_builds(stage.hydra, 2)
    # As the queue runner does, the payload is `head head dependent`.
    fail_builds(stage.hydra, head, [dependent])
    event = await stage.event("one")
    assert event.data["dependentIds"] == [dependent]
    assert [each["build"] for each in event.data["dependents"]] == [dependent]
    await event.succeed()
    await stage.cleared(head, dependent)
    following, (event,) = await stage.one_build("one")
    assert event.data["build"] == following
    assert not any("without a notification" in line for line in host.log)


FAILURES: dict[str, object] = {"statuses": ["failed"]}


async def test_a_flag_waits_for_a_plugin_that_has_not_said_what_it_wants(
    stage: Stage,
) -> None:
    stage.puppet("one")
    stage.puppet("silent", manifest=False, match=FAILURES)
    await stage.start_inside(sweep_interval=1_000)
    await _settle_failure_and_clear_success(stage)


async def test_a_flag_does_not_wait_for_a_plugin_that_turns_out_not_to_want_it(
    stage: Stage,
) -> None:
    stage.puppet("one")
    stage.puppet("silent", manifest=False, match=FAILURES)
    host = await stage.start_host()
    await host.logged("one: ready")
    await host.logged("listening")
    hello = await stage.frame("silent")
    build = await _settle_failure_and_clear_success(stage)
    manifest = {
        "protocol_version": 1,
        "name": "puppet",
        "version": "1",
        "events": ["step_finished"],
    }
    await hello.answer(result=manifest)
    await stage.cleared(build)
    assert stage.events_waiting("silent") == []


async def _settle_failure_and_clear_success(stage: Stage) -> int:
    """A failed build settled by `one`, and a later one that `silent` may not get."""
    failed, succeeded = queue_builds(stage.hydra, 2)
    finish_build(stage.hydra, failed, FAILED)
    await (await stage.event("one")).succeed()
    finish_build(stage.hydra, succeeded)
    await (await stage.event("one")).succeed()
    # Flags are cleared in the order in which they may be.
    await stage.cleared(succeeded)
    assert stage.flag(failed) is not None
    return failed
