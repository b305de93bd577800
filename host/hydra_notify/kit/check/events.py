"""What a plugin makes of events."""

from pathlib import Path
from typing import Final

import trio

from hydra_notify.kit.check.bench import Bench
from hydra_notify.kit.check.diagnosis import let_go
from hydra_notify.kit.check.report import Broken, Failed, Finding, NotTried
from hydra_notify.kit.check.rule import must, should
from hydra_notify.kit.conversation import Answer, Json
from hydra_notify.kit.limits import EVIDENCE_LINES, MOST_OF_A_FILE
from hydra_notify.kit.sink import PLACEHOLDER
from hydra_notify_sdk.wire import BUILD_STATUSES, matches

UNKNOWN_STATUS: Final = 99
"""A way for builds to end that Hydra has not yet."""

NEW_EVENT: Final = "build_vanished"
"""An event that Hydra has not yet; `build_*` and `*` name it."""


@must("events")
async def events(bench: Bench) -> Finding:
    """Answers every event it wants."""
    for channel in (await _initialized(bench)).channels:
        statuses = BUILD_STATUSES if channel == "build_finished" else {"failed": 1}
        for word, status in statuses.items():
            conversation = await bench.ready()
            try:
                await bench.send(conversation, bench.event(channel, status=status))
            except Broken as broken:
                what = f"{channel} ({word})" if len(statuses) > 1 else channel
                return Failed(
                    f"{what}: {broken.failed.diagnosis}",
                    broken.failed.fix,
                    broken.failed.evidence,
                    broken.failed.rule,
                )
    return None


@must("events")
async def results(bench: Bench) -> Finding:
    """Answers with an object."""
    conversation = await bench.ready()
    answer = await bench.send(conversation, bench.event())
    if answer.code is not None:
        return NotTried("it answers the sample event with an error")
    result = answer.result
    fix = 'answer {"result":{}}, or {"result":{"status":"skipped","note":"..."}}'
    if not isinstance(result, dict):
        return Failed("the result of an event is no object", fix, (str(answer),))
    status = result.get("status", "delivered")
    if status not in ("delivered", "skipped"):
        problem = f'it says "status":{status!r}, which the host takes for delivered'
        fix = "say delivered or skipped; what did not work is an error"
        return Failed(problem, fix, (str(answer),))
    return None


@must("events")
async def new_members(bench: Bench) -> Finding:
    """Ignores members it does not know."""
    conversation = await bench.ready()
    plain = await bench.send(conversation, bench.event())
    answer = await bench.send(conversation, _newer(bench.event()))
    if (answer.code is None) is (plain.code is None):
        return None
    fix = "take the members you know, and ignore the others"
    problem = "it fails on an event with members that it does not know"
    return Failed(problem, fix, (str(answer),))


def _newer(params: Json) -> Json:
    """What a newer host could send."""
    event, delivery = params["event"], params["delivery"]
    assert isinstance(event, dict)
    assert isinstance(delivery, dict)
    data = event["data"]
    new: Json = {"new": {"member": [1, None]}}
    return {
        **params,
        **new,
        "delivery": {**delivery, **new},
        "event": {**event, "traceparent": "00-ab-cd-01", "data": {**data, **new}},
    }


@should("events")
async def new_events(bench: Bench) -> Finding:
    """Skips events it does not know."""
    manifest = (await _initialized(bench)).manifest
    assert manifest is not None
    if not matches(manifest.events, NEW_EVENT):
        return NotTried("it names its events one by one")
    conversation = await bench.ready()
    params = bench.event()
    event = params["event"]
    assert isinstance(event, dict)
    newer = {
        **params,
        "name": NEW_EVENT,
        "event": {**event, "type": f"hydra.{NEW_EVENT}"},
    }
    answer = await bench.send(conversation, newer)
    if answer.code is None:
        return None
    problem = f"it fails on an event that a newer Hydra may send ({NEW_EVENT})"
    fix = 'answer {"result":{"status":"skipped","note":"not known"}}'
    return Failed(problem, fix, (str(answer),))


@should("events")
async def new_status(bench: Bench) -> Finding:
    """Takes a build status it does not know."""
    if "build_finished" not in (await _initialized(bench)).channels:
        return NotTried("it does not want build_finished")
    conversation = await bench.ready()
    plain = await bench.send(conversation, bench.event("build_finished"))
    new = bench.event("build_finished", status=UNKNOWN_STATUS)
    answer = await bench.send(conversation, new)
    if (answer.code is None) is (plain.code is None):
        return None
    problem = f"it fails on buildStatus {UNKNOWN_STATUS}"
    fix = "take a number that you do not know for a failed build"
    return Failed(problem, fix, (str(answer),))


@should("events")
async def repetition(bench: Bench) -> Finding:
    """Answers a redelivered event with success, too."""
    conversation = await bench.ready()
    first = await bench.send(conversation, bench.event())
    repeated = bench.event(again=True, attempt=2)
    second = await bench.send(conversation, repeated)
    if first.code is not None or second.code in (None, 409):
        return None
    return Failed(
        "it answers an event with an error that it has delivered before",
        "a repetition of what is done is a success: answer a result, or error 409",
        (str(second),),
    )


@should("events")
async def once(bench: Bench) -> Finding:
    """Does a redelivered event once: in its files, and at its service."""
    calls = [] if bench.sink is None else bench.sink.calls
    async with bench.fresh() as conversation:
        await bench.initialize(conversation)
        params = bench.event()
        event = params["event"]
        assert isinstance(event, dict)
        before, state_dir = len(calls), conversation.child.state_dir
        await bench.send(conversation, params)
        first, noted = len(calls), mentions(state_dir, event["id"])
        await let_go(conversation, bench.patience.leave)
    # As after a crash, of which the first process has told nobody.
    async with bench.fresh(again=state_dir) as conversation:
        await bench.initialize(conversation)
        await bench.send(conversation, bench.event(again=True, attempt=2))
        again, now = calls[first:], mentions(state_dir, event["id"])
    if first > before and not all(call.names(event["id"]) for call in again):
        return Failed(
            "an event that it was sent twice called the service twice, and nothing in "
            "the second call tells the service so",
            "keep the ids (event.id) of what is done in state_dir and look there; or "
            "send the id along: as a header, a key, an external id",
            tuple(call.line for call in again[:EVIDENCE_LINES]),
        )
    twice = [name for name, number in now.items() if number > noted.get(name, 0) > 0]
    if twice:
        return Failed(
            f"an event that it was sent twice is in {', '.join(twice)} twice",
            "look for event.id there before you do it again",
        )
    if first == before and not noted:
        return NotTried(
            "it leaves no event.id in its directory, and calls nothing that its "
            f"settings name as {PLACEHOLDER}"
        )
    return None


@must("events")
async def window(bench: Bench) -> Finding:
    """Answers as many at once as it asks for."""
    bench = await _initialized(bench)
    assert bench.manifest is not None
    size = min(bench.manifest.max_in_flight, 64)
    if size == 1:
        return NotTried("its window is 1 (max_in_flight)")
    conversation = await bench.ready()
    sent = [await conversation.request("event", bench.event()) for _ in range(size)]
    answers: dict[str, Answer | None] = {}

    async def wait(name: str) -> None:
        answers[name] = await conversation.answer(name, bench.event_seconds)

    async with trio.open_nursery() as nursery:
        # Ends when every event is answered, or has had its time.
        for name in sent:
            nursery.start_soon(wait, name)
    missing = sum(answer is None for answer in answers.values())
    if not missing:
        return None
    failed = await bench.silent(conversation, "an event")
    return Failed(
        f"of {size} events at once, as many as it asked for, {missing} have no "
        f"answer: {failed.diagnosis}",
        "answer each; or ask for a smaller max_in_flight",
        failed.evidence,
    )


def mentions(directory: Path, text: str) -> dict[str, int]:
    """How often `text` stands in each file of a directory, where it does."""
    found: dict[str, int] = {}
    for path in sorted(directory.rglob("*")):
        if path.is_file() and path.stat().st_size <= MOST_OF_A_FILE:
            number = path.read_bytes().count(text.encode())
            if number:
                found[path.relative_to(directory).as_posix()] = number
    return found


async def _initialized(bench: Bench) -> Bench:
    await bench.ready()
    return bench
