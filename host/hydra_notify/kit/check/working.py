"""What a plugin does between events, and while it works."""

from hydra_notify.kit.check.bench import Bench
from hydra_notify.kit.check.report import Broken, Failed, Finding
from hydra_notify.kit.check.rule import must
from hydra_notify_sdk.wire import Code


@must("work")
async def ping(bench: Bench) -> Finding:
    """Answers ping, or -32601."""
    conversation = await bench.ready()
    answer = await bench.ping(conversation)
    if answer.code is None or answer.code == Code.METHOD_NOT_FOUND:
        return None
    problem = f"it answers ping with error {answer.code}"
    return Failed(problem, 'answer {"result":{}}, or error -32601', (str(answer),))


@must("work")
async def cancel(bench: Bench) -> Finding:
    """Answers a cancelled event."""
    conversation = await bench.ready()
    name = await conversation.request("event", bench.event())
    await conversation.notify("cancel", {"id": name, "reason": "deadline"})
    try:
        await bench.answered(conversation, name, "it", bench.event_seconds)
    except Broken as broken:
        return Failed(
            f"the event was cancelled: {broken.failed.diagnosis}",
            "answer a cancelled event, too: with a result if it is done, else with "
            "error 499; and ignore a cancel that comes too late",
            broken.failed.evidence,
        )
    return None
