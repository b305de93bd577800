"""O1-O3, O8: the configuration changes while the host runs."""

import signal

from tests.end_to_end.stage import Frame, Stage

from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build


def is_initialize(frame: Frame) -> bool:
    return frame.method == "initialize"


def is_shutdown(frame: Frame) -> bool:
    return frame.method == "shutdown"


async def test_a_plugin_that_is_added_gets_what_comes_from_now_on(
    stage: Stage,
) -> None:
    stage.puppet("old", manifest={"max_in_flight": 4})
    host = await stage.listening()
    before, (held,) = await stage.one_build("old")
    stage.puppet("new")
    await stage.reload(host)
    await host.logged("new: ready")
    after, (old, new) = await stage.one_build("old", "new")
    assert new.data["build"] == after
    assert old.pid == held.pid
    await held.succeed()
    # The newcomer does not hold what was fanned out before it came.
    await stage.cleared(before)
    await old.succeed()
    assert stage.flag(after) is not None
    await new.succeed()
    await stage.cleared(after)
    assert stage.events_waiting("new") == []


async def test_a_plugin_that_is_removed_is_drained_and_holds_nothing(
    stage: Stage,
) -> None:
    stage.create_ledger()
    stage.puppet("stays", manifest={"max_in_flight": 4})
    stage.puppet("goes")
    host = await stage.listening()
    first, (stays, goes) = await stage.one_build("stays", "goes")
    await stays.succeed()
    second, (stays,) = await stage.one_build("stays")
    await stays.succeed()
    del stage.plugins["goes"]
    path = stage.write_config()
    assert path.exists()
    host.process.send_signal(signal.SIGHUP)
    # What it has in flight it may still answer; the other one it never got.
    await host.logged("goes: ends, it is no longer configured")
    await goes.succeed()
    shutdown = await stage.frame("goes", is_shutdown)
    assert shutdown.frame["params"]["reason"] == "reload"
    await shutdown.succeed()
    await host.logged("goes removed")
    await stage.cleared(first, second)
    await stage.until(
        lambda: [row[1:] for row in stage.ledger()] == [("goes", "orphaned")]
    )
    third, (stays,) = await stage.one_build("stays")
    await stays.succeed()
    await stage.cleared(third)


async def test_a_plugin_that_is_changed_is_restarted_and_keeps_what_it_is_owed(
    stage: Stage,
) -> None:
    stage.puppet("same")
    stage.puppet("changes")
    host = await stage.listening()
    await stage.frame("changes", is_initialize)
    build, (same, event) = await stage.one_build("same", "changes")
    await same.succeed()
    await event.fail(500, retry_after_ms=1_000)
    await host.logged("changes: failed")
    stage.puppet("changes", environment={"COLOR": "red"})
    stage.write_config()
    host.process.send_signal(signal.SIGHUP)
    await (await stage.frame("changes", is_shutdown)).succeed()
    again = await stage.event("changes")
    assert again.event["id"] == event.event["id"]
    assert again.pid != event.pid
    assert again.delivery["attempt"] == 2
    await again.succeed()
    await stage.cleared(build)
    other, (after, event) = await stage.one_build("same", "changes")
    assert after.pid == same.pid
    await after.succeed()
    await event.succeed()
    await stage.cleared(other)


async def test_a_plugin_that_nothing_waits_for_any_more_frees_the_flags(
    stage: Stage,
) -> None:
    stage.puppet("must")
    stage.puppet("may")
    host = await stage.listening()
    build, (must, may) = await stage.one_build("must", "may")
    await must.succeed()
    await may.fail(500, retry_after_ms=3_600_000)
    await host.logged("may: failed")
    assert stage.flag(build) is not None
    stage.puppet("may", required=False)
    stage.write_config()
    host.process.send_signal(signal.SIGHUP)
    await (await stage.frame("may", is_shutdown)).succeed()
    await stage.cleared(build)


async def test_what_a_plugin_may_no_longer_get_is_not_owed_to_it(stage: Stage) -> None:
    manifest: dict[str, object] = {"events": ["build_queued", "build_finished"]}
    stage.puppet("one", manifest=manifest)
    host = await stage.listening()
    (build,) = queue_builds(stage.hydra)
    first = await stage.event("one")
    finish_build(stage.hydra, build)
    stage.puppet("one", manifest=manifest, match={"events": ["build_finished"]})
    stage.write_config()
    host.process.send_signal(signal.SIGHUP)
    await host.logged("one: ends, something of it is new")
    await first.succeed()
    await (await stage.frame("one", is_shutdown)).succeed()
    event = await stage.event("one")
    assert event.frame["params"]["name"] == "build_finished"
    await event.succeed()
    await stage.cleared(build)


async def test_a_bad_file_keeps_the_old_configuration_and_says_why(
    stage: Stage,
) -> None:
    stage.puppet("one")
    host = await stage.listening()
    path = stage.write_config()
    good = path.read_text()
    path.write_text("[plugins.one]\ncommand = 7\n")
    host.process.send_signal(signal.SIGHUP)
    assert "plugins.one.command" in await host.logged("the old configuration stays")
    build, (event,) = await stage.one_build("one")
    await event.succeed()
    await stage.cleared(build)
    path.write_text(good)
    host.process.send_signal(signal.SIGHUP)
    assert "1 untouched" in await host.logged("reloaded: ")


async def test_nothing_new_in_the_file_touches_nobody(stage: Stage) -> None:
    stage.puppet("one")
    host = await stage.listening()
    build, (event,) = await stage.one_build("one")
    await stage.reload(host)
    await event.succeed()
    await stage.cleared(build)
    assert stage.events_waiting("one") == []


async def test_a_rotated_secret_restarts_its_plugin_alone(stage: Stage) -> None:
    secret = stage.directory / "token"
    secret.write_text("first-value")
    stage.puppet("plain")
    stage.puppet("secret", secrets={"token": {"file": str(secret)}})
    host = await stage.listening()
    told = await stage.frame("secret", is_initialize)
    assert told.frame["params"]["secrets"] == {"token": "first-value"}
    secret.write_text("second-value")
    host.process.send_signal(signal.SIGHUP)
    await (await stage.frame("secret", is_shutdown)).succeed()
    told = await stage.frame("secret", is_initialize)
    assert told.frame["params"]["secrets"] == {"token": "second-value"}
    assert "1 untouched" in await host.logged("reloaded: ")


async def test_a_disabled_plugin_gets_another_chance_with_a_reload(
    stage: Stage,
) -> None:
    stage.puppet("one", manifest=False)
    host = await stage.start_host()
    await host.logged("listening")
    first = await stage.frame("one", is_initialize)
    await first.exit(78)
    await host.logged("one: disabled")
    await stage.reload(host)
    again = await stage.frame("one", is_initialize)
    assert again.pid != first.pid


async def test_another_database_or_host_table_starts_everything_over(
    stage: Stage,
) -> None:
    stage.create_ledger()
    stage.puppet("one")
    host = await stage.listening()
    text = stage.write_config().read_text()
    path = stage.write_config()
    path.write_text(text.replace("https://hydra.test", "https://other.test"))
    host.process.send_signal(signal.SIGHUP)
    await (await stage.frame("one", is_shutdown)).succeed()
    await host.logged("starting over")
    await host.logged("listening", times=2)
    build, (event,) = await stage.one_build("one")
    assert event.data["url"].startswith("https://other.test/")
    await event.succeed()
    await stage.cleared(build)
