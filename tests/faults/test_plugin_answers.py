"""Answers that come late, refuse credentials, are cut short, or answer nothing."""

import json

from tests.end_to_end.stage import Stage


async def test_refused_credentials_block_the_plugin_until_a_restart_shows_new_ones(
    stage: Stage,
) -> None:
    stage.limit(RESTART_BASE=0.1)
    stage.puppet("good")
    stage.puppet("bad", manifest={"max_in_flight": 4})
    host = await stage.listening()
    first, (good, bad) = await stage.one_build("good", "bad")
    await good.succeed()
    await bad.fail(401, help="make a new token")
    line = await host.logged("bad: blocked")
    assert "401 as told (make a new token)" in line
    # What comes now is kept, and goes nowhere, while others get it.
    second, (good,) = await stage.one_build("good")
    await good.succeed()
    assert stage.events_waiting("bad") == []
    await bad.exit(1)
    probe = await stage.event("bad")
    assert probe.data["build"] == first
    assert probe.delivery["attempt"] == 2
    assert stage.events_waiting("bad") == []
    await probe.succeed()
    await host.logged("bad: no longer blocked")
    event = await stage.event("bad")
    assert event.data["build"] == second
    await event.succeed()
    await stage.cleared(first, second)
    assert sum("bad: blocked" in line for line in host.log) == 1


async def test_a_success_after_its_deadline_settles_what_was_not_sent_again(
    stage: Stage,
) -> None:
    stage.limit(CANCEL_GRACE_MS=500)
    manifest: dict[str, object] = {"timeout_ms": 1000, "max_in_flight": 4}
    stage.puppet("slow", manifest=manifest)
    host = await stage.listening()
    build, (event,) = await stage.one_build("slow")
    await host.logged("no answer in time")
    await event.succeed()
    await stage.cleared(build)
    line = await host.logged("an answer came after its deadline")
    assert f"event=build_finished:{build}:" in line
    assert stage.events_waiting("slow") == []


async def test_a_flood_of_valid_answers_to_nothing_is_counted_and_ended(
    stage: Stage,
) -> None:
    stage.limit(RESTART_BASE=0.1)
    stage.puppet("good")
    stage.puppet("bad")
    host = await stage.listening()
    build, (good, bad) = await stage.one_build("good", "bad")
    flood = json.dumps({"jsonrpc": "2.0", "id": "e1-0", "result": {}}) + "\n"
    await bad.write(flood * 10_000)
    assert "answers nothing that was asked" in await host.logged("too many bad frames")
    await good.succeed()
    await (await stage.event("bad")).succeed()
    await stage.cleared(build)
    # The limit, and what one read had taken with it.
    assert sum("bad: bad frame" in line for line in host.log) < 1_100
