"""What a host that is at work shows of itself, and what can be ordered of it."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec
import trio
from prometheus_client.parser import text_string_to_metric_families
from tests.end_to_end.stage import PATIENCE, Frame, Stage
from tests.http_asking import Answer, ask, connected, free_port

from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build
from hydra_notify.metrics import PluginState
from hydra_notify.status import BuildStory, HostStatus, PluginStatus

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def get(stage: Stage, target: str) -> Answer:
    """What the host answers over its own socket."""
    return await ask(stage.directory / "state" / "host.sock", target)


async def post(stage: Stage, target: str, **fields: str) -> Answer:
    socket = stage.directory / "state" / "host.sock"
    body = urlencode(fields).encode()
    return await ask(socket, target, FORM, method="POST", body=body)


async def status(stage: Stage) -> HostStatus:
    answer = await get(stage, "/status.json")
    assert answer.status == 200
    return msgspec.json.decode(answer.body, type=HostStatus)


async def shown(stage: Stage, so: Callable[[HostStatus], bool]) -> HostStatus:
    """The status when it has become `so`."""
    with trio.fail_after(PATIENCE):
        while True:
            seen = await status(stage)
            if so(seen):
                return seen
            await trio.sleep(0.01)


def plugin(seen: HostStatus, name: str) -> PluginStatus:
    return next(each for each in seen.plugins if each.name == name)


async def metrics(stage: Stage) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    text = (await get(stage, "/metrics")).body.decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_host_shows_what_is_under_way_and_what_became_of_it(
    stage: Stage,
) -> None:
    stage.create_ledger()
    stage.puppet("good", manifest={"max_in_flight": 4})
    stage.puppet("bad", manifest={"max_in_flight": 4})
    await stage.listening()
    build, (good, bad) = await stage.one_build("good", "bad")
    seen = await status(stage)
    assert [each.event for each in seen.in_flight] == 2 * [good.event["id"]]
    assert seen.in_flight_count == 2
    assert plugin(seen, "good").window == 4
    assert plugin(seen, "good").pid == good.pid
    assert plugin(seen, "good").program.startswith("puppet")
    await good.succeed()
    await bad.fail(503, retry_after_ms=3_600_000)
    seen = await shown(
        stage,
        lambda now: now.retrying_count == 1 and plugin(now, "good").delivered == 1,
    )
    (retrying,) = seen.retrying
    assert (retrying.plugin, retrying.attempt) == ("bad", 1)
    assert 3_000 < retrying.due_at - seen.now < 4_000
    assert "as told" in retrying.reason
    assert plugin(seen, "good").latency.count == 1
    assert plugin(seen, "bad").last_error_at is not None
    counts = await metrics(stage)
    labels = {"channel": "build_finished", "plugin": "good"}
    assert counts["notify_plugin_success", frozenset(labels.items())] == 1
    labels["plugin"] = "bad"
    assert counts["notify_plugin_error", frozenset(labels.items())] == 1
    assert counts["notify_plugin_requeue", frozenset(labels.items())] == 1
    story = await get(stage, f"/builds/{build}")
    assert story.status == 200
    assert b"as told" in story.body


async def test_a_paused_plugin_is_sent_nothing_and_then_everything_in_order(
    stage: Stage,
) -> None:
    stage.puppet("one")
    stage.puppet("two")
    await stage.listening()
    answer = await post(stage, "/plugins/one/pause")
    assert answer.status == 200
    assert b"paused" in answer.body
    builds = queue_builds(stage.hydra)[:1] + queue_builds(stage.hydra)[:1]
    for build in builds:
        finish_build(stage.hydra, build)
        await (await stage.event("two")).succeed()
    seen = await shown(stage, lambda now: plugin(now, "one").queued == 2)
    assert plugin(seen, "one").paused
    assert [each.name for each in seen.problems if each.plugin] == ["plugin-paused"]
    assert stage.events_waiting("one") == []
    assert (await post(stage, "/plugins/one/resume")).status == 200
    for build in builds:
        event = await stage.event("one")
        assert event.data["build"] == build
        await event.succeed()
    await stage.cleared(*builds)


async def test_a_plugin_is_restarted_and_what_it_had_comes_again(stage: Stage) -> None:
    stage.limit(DRAIN_GRACE=0.2)
    stage.puppet("one")
    await stage.listening()
    build, (event,) = await stage.one_build("one")
    assert (await post(stage, "/plugins/one/restart")).status == 200
    farewell = await stage.frame("one", lambda frame: frame.method == "shutdown")
    await farewell.succeed()
    again = await stage.event("one")
    assert again.pid != event.pid
    assert again.event["id"] == event.event["id"]
    await again.succeed()
    await stage.cleared(build)


async def test_a_disabled_plugin_is_started_by_a_restart(stage: Stage) -> None:
    stage.puppet("one")
    await stage.listening()
    _, (event,) = await stage.one_build("one")
    await event.exit(78)
    await shown(stage, lambda now: plugin(now, "one").state is PluginState.DISABLED)
    assert (await post(stage, "/plugins/one/restart")).status == 200
    await (await stage.event("one")).succeed()
    await stage.all_cleared()


async def test_an_order_for_a_plugin_that_there_is_not_names_those_that_there_are(
    stage: Stage,
) -> None:
    stage.puppet("one")
    await stage.listening()
    for order in ("restart", "pause", "resume"):
        answer = await post(stage, f"/plugins/two/{order}")
        assert answer.status == 404
        assert json.loads(answer.body)["error"].endswith("there are: one")


async def dead(stage: Stage, name: str) -> Frame:
    """A delivery that `name` gives up for good."""
    _, (event,) = await stage.one_build(name)
    await event.fail(422)
    await stage.until(lambda: [r[2] for r in stage.ledger()] == ["dead"])
    return event


async def test_dead_letters_are_shown_tried_again_and_dropped(stage: Stage) -> None:
    stage.create_ledger()
    stage.puppet("one")
    await stage.listening()
    event = await dead(stage, "one")
    seen = await shown(stage, lambda now: now.dead_count == 1)
    assert [each.event for each in seen.dead] == [event.event["id"]]
    assert "dead-letters" in [each.name for each in seen.problems]
    fields = {"event": event.event["id"], "plugin": "one"}
    assert (await post(stage, "/dead/retry", **fields)).status == 200
    again = await stage.event("one")
    assert again.event["id"] == event.event["id"]
    await again.fail(422)
    await stage.until(lambda: [r[2] for r in stage.ledger()] == ["dead"])
    assert (await post(stage, "/dead/drop", plugin="one")).status == 200
    await stage.until(lambda: stage.ledger() == [])
    await stage.all_cleared()
    assert (await post(stage, "/dead/drop", plugin="one")).status == 404
    assert (await post(stage, "/dead/drop")).status == 400


async def test_a_builds_story_is_told_from_its_announcement_to_its_flag(
    stage: Stage,
) -> None:
    stage.puppet("one", manifest={"events": ["build_*"]})
    await stage.listening()
    (build,) = queue_builds(stage.hydra)
    await (await stage.event("one")).succeed()
    finish_build(stage.hydra, build)
    event = await stage.event("one")
    await event.fail(500, retry_after_ms=0)
    await (await stage.event("one")).succeed()
    await stage.cleared(build)
    story = await told(stage, build)
    finished = next(e for e in story.events if e.channel == "build_finished")
    what = [(each.plugin, each.what) for each in finished.answers]
    assert what == [
        ("", "seen"),
        ("one", "to be tried again"),
        ("one", "delivered"),
        ("", "cleared"),
    ]


async def told(stage: Stage, build: int) -> BuildStory:
    """A build's story, when its flag has been cleared by the host's own account."""
    with trio.fail_after(PATIENCE):
        while True:
            answer = await get(stage, f"/builds/{build}.json")
            story = msgspec.json.decode(answer.body, type=BuildStory)
            if any(a.what == "cleared" for e in story.events for a in e.answers):
                return story
            await trio.sleep(0.01)


async def test_the_page_goes_on_by_itself(stage: Stage) -> None:
    stage.puppet("one")
    await stage.listening()
    async with connected(stage.directory / "state" / "host.sock") as client:
        await client.send("/live")
        head = await client.head()
        assert head.status_code == 200
        read = b""
        while b'id="plugins"' not in read:
            read += bytes(getattr(await client.next(), "data", b""))
        await post(stage, "/plugins/one/pause")
        read = b""
        while b'id="plugin-one"' not in read:
            read += bytes(getattr(await client.next(), "data", b""))
        assert b"paused" in read.lower()


async def test_without_a_token_nobody_but_the_own_socket_can_order(
    stage: Stage,
) -> None:
    address = free_port()
    stage.http = {"listen": f"127.0.0.1:{address.port}"}
    stage.puppet("one")
    await stage.listening()
    assert (await ask(address, "/")).status == 200
    answer = await ask(address, "/plugins/one/pause", FORM, method="POST", body=b"")
    assert answer.status in (401, 403)
    assert not plugin(await status(stage), "one").paused


async def test_a_host_without_a_database_says_so_and_how_long(stage: Stage) -> None:
    address = free_port()
    stage.http = {"listen": f"127.0.0.1:{address.port}"}
    stage.puppet("one")
    stage.url = "postgresql:///nowhere?host=/nowhere"
    await stage.start_host()
    answer = await ask(address, "/readyz")
    assert answer.status == 503
    found: dict[str, Any] = json.loads(answer.body)
    assert [each["name"] for each in found["reasons"]] == ["starting"]
    page = await ask(address, "/")
    assert page.status == 200
    assert b"nothing is delivered" in page.body
    assert (await ask(address, "/healthz")).status == 200


async def test_metrics_are_written_to_the_log_when_hydra_asks_for_them(
    stage: Stage,
) -> None:
    stage.puppet("one")
    host = await stage.listening()
    stage.watcher.execute("notify hydra_notify_dump_metrics")
    await host.logged('notify_event{channel="hydra_notify_dump_metrics"} 1.0')
    await host.logged("hydra_notify_plugin_state")
