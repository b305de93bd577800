"""What operators do while a host runs, and while none does."""

import json
import subprocess
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import pytest
import trio
from tests.end_to_end.stage import PROGRAM, Stage

from hydra_notify import ledger
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import fail_builds, finish_build

LEAVE_RETRY = """
insert into taskretries (channel, pluginname, payload, attempts, retry_at)
values (%s, %s, %s, %s, 1700000000)
"""

LEFT = "select id from taskretries order by id"


async def command(stage: Stage, *arguments: str, status: int = 0) -> str:
    """What `hydra-notify` prints, errors included."""
    path = stage.directory / "hydra-notify.toml"
    result = await trio.run_process(
        [*PROGRAM, *arguments, "--config", str(path)],
        capture_stdout=True,
        stderr=subprocess.STDOUT,
        check=False,
    )
    text = result.stdout.decode()
    assert result.returncode == status, text
    assert "Traceback" not in text
    return text


async def document(stage: Stage, *arguments: str) -> Any:
    """What `hydra-notify` prints for programs."""
    return json.loads(await command(stage, *arguments, "--json"))


async def dead_letter(stage: Stage, plugin: str = "one") -> int:
    """A build whose delivery was given up, and is so in the ledger."""
    build, (event,) = await stage.one_build(plugin)
    await event.fail(404)
    await stage.until(lambda: (plugin, "dead") in [row[1:] for row in stage.ledger()])
    return build


async def test_a_dead_letter_is_listed_and_tried_again(stage: Stage) -> None:
    stage.create_ledger()
    stage.puppet("one")
    await stage.listening()
    build = await dead_letter(stage)
    (letter,) = await document(stage, "dead", "list")
    assert (letter["plugin"], letter["standing"]) == ("one", "dead")
    assert (letter["payload"], letter["attempts"]) == (str(build), 1)
    shown = await command(stage, "dead", "show", letter["event"])
    assert f"builds {build}" in shown
    assert "as told" in shown
    said = await command(stage, "dead", "retry", str(letter["number"]))
    assert "the active host does it now" in said
    again = await stage.event("one")
    assert (again.data["build"], again.delivery["attempt"]) == (build, 2)
    await again.succeed()
    await stage.cleared(build)
    await stage.until(lambda: stage.ledger() == [])
    assert await document(stage, "dead", "list") == []


async def test_a_dead_letter_that_is_dropped_lets_the_flag_be_cleared(
    stage: Stage,
) -> None:
    stage.create_ledger()
    stage.puppet("one")
    await stage.listening()
    build = await dead_letter(stage)
    assert stage.flag(build) is not None
    await command(stage, "dead", "drop", "--all")
    await stage.cleared(build)
    await stage.until(lambda: stage.ledger() == [])
    assert stage.events_waiting("one") == []


@pytest.mark.parametrize("order", ["retry", "drop"])
async def test_an_order_that_no_host_hears_is_obeyed_by_the_next(
    stage: Stage, order: str
) -> None:
    stage.create_ledger()
    stage.puppet("one")
    host = await stage.listening()
    build = await dead_letter(stage)
    await host.kill()
    said = await command(stage, "dead", order, "--all", "--plugin", "one")
    assert "no host is active" in said
    await stage.listening()
    if order == "retry":
        again = await stage.event("one")
        assert again.data["build"] == build
        await again.succeed()
    await stage.cleared(build)
    await stage.until(lambda: stage.ledger() == [])
    assert stage.events_waiting("one") == []


async def test_a_dead_letter_that_holds_nothing_is_tried_again(stage: Stage) -> None:
    stage.create_ledger()
    stage.puppet("one", on_dead="clear")
    await stage.listening()
    build = await dead_letter(stage)
    await stage.cleared(build)
    # As if it had failed for longer than it may: it gets all that time again.
    stage.watcher.execute(
        "update hydra_notify.delivery set failing_since = now() - interval '1 year'"
    )
    await command(stage, "dead", "retry", "--all")
    again = await stage.event("one")
    assert again.delivery["attempt"] == 2
    await again.fail(500, retry_after_ms=0)
    last = await stage.event("one")
    assert last.delivery["attempt"] == 3
    await last.succeed()
    await stage.until(lambda: stage.ledger() == [])


async def test_an_orphan_waits_for_its_plugin_or_is_dropped(stage: Stage) -> None:
    stage.create_ledger()
    stage.puppet("one")
    stage.puppet("two")
    host = await stage.listening()
    build, (held, failing) = await stage.one_build("one", "two")
    await failing.fail(500, retry_after_ms=3_600_000)
    await stage.until(lambda: len(stage.ledger()) == 2)
    del stage.plugins["two"]
    async with trio.open_nursery() as nursery:
        # Ends when the plugin has: it says goodbye.
        nursery.start_soon(stage.reload, host)
        farewell = await stage.frame("two", lambda each: each.method == "shutdown")
        await farewell.succeed()
    await stage.until(lambda: ("two", "orphaned") in [r[1:] for r in stage.ledger()])
    refused = await command(stage, "dead", "retry", "--all", status=1)
    assert "plugin two is not configured" in refused
    await command(stage, "dead", "drop", "--all")
    await stage.until(lambda: [row[1:] for row in stage.ledger()] == [("one", "owed")])
    await held.succeed()
    await stage.cleared(build)
    await stage.until(lambda: stage.ledger() == [])


async def test_what_is_pending_is_listed_with_who_owes_it(stage: Stage) -> None:
    stage.create_ledger()
    stage.puppet("good", manifest={"max_in_flight": 4})
    stage.puppet("bad", manifest={"max_in_flight": 4})
    await stage.listening()
    build, (good, bad) = await stage.one_build("good", "bad")
    await good.succeed()
    await bad.fail(503, retry_after_ms=3_600_000)
    await stage.until(lambda: [row[1] for row in stage.ledger()] == ["bad"])
    (other,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, other, notify=False)
    found = await document(stage, "pending")
    assert found["pending_builds"] == 2
    listed = {each["build"]: each for each in found["builds"]}
    assert set(listed) == {build, other}
    assert listed[other]["deliveries"] == []
    (owed,) = listed[build]["deliveries"]
    assert (owed["plugin"], owed["standing"]) == ("bad", "owed")
    assert "as told" in owed["reason"]
    assert owed["due"] is not None
    text = await command(stage, "pending", "--limit", "1")
    assert "the oldest 1 of 2 pending builds" in text


async def test_deliveries_that_no_flag_stands_for_are_pending_too(
    stage: Stage,
) -> None:
    stage.create_ledger()
    stage.puppet("one", manifest={"events": ["build_queued"]})
    await stage.listening()
    queue_builds(stage.hydra)
    event = await stage.event("one")
    await stage.until(lambda: len(stage.ledger()) == 1)
    found = await document(stage, "pending")
    assert (found["pending_builds"], found["deliveries_without_flag"]) == (0, 1)
    assert found["deliveries"][0]["event"] == event.event["id"]
    assert "build_queued" in await command(stage, "pending")


async def test_an_event_is_sent_again_though_its_flag_is_cleared(stage: Stage) -> None:
    stage.puppet("one")
    host = await stage.listening()
    build, (event,) = await stage.one_build("one")
    await event.succeed()
    await stage.cleared(build)
    said = await command(stage, "resend", "build_finished", str(build))
    assert "goes to one" in said
    again = await stage.event("one")
    assert again.event["id"] == event.event["id"]
    await again.succeed()
    await host.kill()
    refused = await command(stage, "resend", "build_finished", str(build), status=1)
    assert "no host is active" in refused
    (other,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, other, notify=False)
    said = await command(stage, "resend", "build_finished", str(other))
    assert "the next one delivers it" in said


async def test_what_perl_has_left_goes_to_the_plugin_that_takes_its_place(
    stage: Stage,
) -> None:
    stage.create_ledger()
    stage.puppet("run_command", manifest={"max_in_flight": 4})
    stage.puppet("other", manifest={"max_in_flight": 4})
    await stage.listening()
    build, events = await stage.one_build("run_command", "other")
    for event in events:
        await event.succeed()
    await stage.cleared(build)
    left = (build, 2**31 - 1)
    for payload in left:
        row = ("build_finished", "Hydra::Plugin::RunCommand", str(payload), 7)
        stage.watcher.execute(LEAVE_RETRY, row)
    listed = await document(stage, "taskretries", "list")
    assert [row["plugin"] for row in listed] == ["run_command"] * 2
    assert (await document(stage, "pending"))["taskretries"] == 2
    said = await command(stage, "taskretries", "import", status=1)
    assert "imported into the ledger: 1 row" in said
    assert f"build {left[1]} is not there: 2" in said
    again = await stage.event("run_command")
    assert again.event["id"] == events[0].event["id"]
    assert again.delivery["attempt"] == 8
    await again.succeed()
    await stage.until(lambda: stage.ledger() == [])
    assert stage.watcher.execute(LEFT).fetchall() == [(2,)]
    assert stage.events_waiting("other") == []
    await command(stage, "taskretries", "discard", "2")
    assert stage.watcher.execute(LEFT).fetchall() == []


async def test_what_perl_has_left_may_be_an_event_that_is_under_way(
    stage: Stage,
) -> None:
    stage.create_ledger()
    for name in ("hooks", "slow"):
        manifest = {"events": ["build_queued"], "max_in_flight": 4}
        stage.puppet(name, manifest=manifest)
    await stage.listening()
    (build,) = queue_builds(stage.hydra)
    slow = await stage.event("slow")
    await (await stage.event("hooks")).succeed()
    await stage.until(lambda: [row[1] for row in stage.ledger()] == ["slow"])
    row = ("build_queued", "Hydra::Plugin::RunCommand", str(build), 3)
    stage.watcher.execute(LEAVE_RETRY, row)
    await command(stage, "taskretries", "import", "--map", "RunCommand=hooks")
    again = await stage.event("hooks")
    assert (again.event["id"], again.delivery["attempt"]) == (slow.event["id"], 4)
    await slow.succeed()
    await again.fail(500, retry_after_ms=0)
    last = await stage.event("hooks")
    assert last.delivery["attempt"] == 5
    await last.succeed()
    await stage.until(lambda: stage.ledger() == [])


async def test_what_perl_has_left_of_a_pending_build_is_left_to_its_flag(
    stage: Stage,
) -> None:
    stage.create_ledger()
    stage.puppet("run_command")
    (build,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, build, notify=False)
    row = ("build_finished", "Hydra::Plugin::RunCommand", str(build), 1)
    stage.watcher.execute(LEAVE_RETRY, row)
    stage.write_config()
    said = await command(stage, "taskretries", "import", "--dry-run")
    assert "would be removed: 1 row" in said
    assert stage.watcher.execute(LEFT).fetchall() == [(1,)]
    await command(stage, "taskretries", "import")
    assert stage.watcher.execute(LEFT).fetchall() == []
    await stage.listening()
    event = await stage.event("run_command")
    assert event.data["build"] == build
    await event.succeed()
    await stage.cleared(build)


@pytest.fixture
async def role(stage: Stage) -> AsyncGenerator[str]:
    """A role that owns nothing, by which the stage's hosts and commands log in."""
    role = f"notify-{uuid4().hex}"
    for statement in (
        f'create role "{role}" login',
        f'grant select on all tables in schema public to "{role}"',
        f'grant update (notificationpendingsince) on builds to "{role}"',
    ):
        stage.watcher.execute(statement.encode())
    stage.url = stage.url.replace("//hydra@", f"//{role}@")
    yield role
    for host in stage.hosts:
        await host.kill()
    stage.watcher.execute(f'drop owned by "{role}"; drop role "{role}"'.encode())


async def test_the_least_privileges_are_enough_for_a_host_with_a_ledger(
    stage: Stage, role: str
) -> None:
    stage.watcher.execute((await printed_ddl(role)).encode())
    stage.announce_ledger()
    stage.puppet("one", manifest={"include": ["dependents", "evals", "previousBuild"]})
    host = await stage.listening()
    head, dependent = queue_builds(stage.hydra, 2)
    fail_builds(stage.hydra, head, [dependent])
    await (await stage.event("one")).fail(404)
    await stage.until(lambda: [row[2] for row in stage.ledger()] == ["dead"])
    await host.kill()
    await stage.listening()
    assert (await document(stage, "ledger", "status"))["active_host"] is True
    await command(stage, "dead", "retry", "--all")
    again = await stage.event("one")
    assert again.delivery["attempt"] == 2
    await again.succeed()
    await stage.cleared(head, dependent)
    await stage.until(lambda: stage.ledger() == [])
    # Nothing of Hydra's may be deleted: the command says what is missing.
    row = ("build_finished", "Hydra::Plugin::One", str(head), 1)
    stage.watcher.execute(LEAVE_RETRY, row)
    refused = await command(stage, "taskretries", "import", status=1)
    assert f'GRANT DELETE ON taskretries TO "{role}"' in refused
    assert stage.ledger() == []


async def test_a_ledger_that_may_not_be_used_is_not_taken_for_none(
    stage: Stage, role: str
) -> None:
    ledger.create(stage.watcher)
    stage.puppet("one")
    host = await stage.listening()
    said = await host.logged("the ledger is not used")
    assert "permission denied" in said
    assert "hydra-notify ledger ddl --role" in said
    build, (event,) = await stage.one_build("one")
    await event.succeed()
    await stage.cleared(build)
    refused = await command(stage, "ledger", "status", status=1)
    assert f'grant usage on schema hydra_notify to "{role}";' in refused
    for grant in ledger.grants(role)[:1]:
        stage.watcher.execute(grant.encode())
    refused = await command(stage, "dead", "list", status=1)
    assert "on all tables in schema hydra_notify" in refused


async def printed_ddl(role: str) -> str:
    """What the owner of the database is given; no configuration is needed for it."""
    result = await trio.run_process(
        [*PROGRAM, "ledger", "ddl", "--role", role], capture_stdout=True
    )
    return result.stdout.decode()
