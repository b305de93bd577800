"""How a plugin ends."""

import signal
import sys

from hydra_notify import process
from hydra_notify.kit.check.bench import Bench
from hydra_notify.kit.check.diagnosis import ended, let_go
from hydra_notify.kit.check.report import Failed, Finding, NotTried
from hydra_notify.kit.check.rule import must, should
from hydra_notify.kit.conversation import Conversation


@must("end")
async def shutdown(bench: Bench) -> Finding:
    """Leaves with 0 after shutdown."""
    async with bench.fresh() as conversation:
        await bench.initialize(conversation)
        params = {"reason": "host_stop", "grace_ms": 5000}
        sent = await conversation.request("shutdown", params)
        answer = await bench.answered(conversation, sent, "shutdown")
        if answer.code is not None:
            problem = f"it answers shutdown with error {answer.code}"
            return Failed(problem, 'answer {"result":{}}', (str(answer),))
        return await _exits(bench, conversation, "after shutdown and the end of stdin")


@must("end")
async def end_of_stdin(bench: Bench) -> Finding:
    """Leaves with 0 when stdin ends."""
    async with bench.fresh() as conversation:
        await bench.initialize(conversation)
        return await _exits(bench, conversation, "when stdin ends")


@should("end")
async def early_end(bench: Bench) -> Finding:
    """Leaves with 0 when stdin ends before anything."""
    async with bench.fresh() as conversation:
        when = "when stdin ends before it was asked anything"
        return await _exits(bench, conversation, when)


async def _exits(bench: Bench, conversation: Conversation, when: str) -> Finding:
    status = await let_go(conversation, bench.patience.leave)
    if status == 0:
        return None
    loop = bench.language.loop
    if status is None:
        seconds = bench.patience.leave
        problem = f"{when}: it has not left after {seconds:g} s"
        return Failed(
            f"{problem}; behind a host that died it would stay for ever", loop
        )
    stderr = await conversation.child.all_stderr()
    return Failed(ended(conversation, stderr, when).diagnosis, loop, tuple(stderr[-3:]))


@should("end")
async def sigterm(bench: Bench) -> Finding:
    """Leaves when told to by SIGTERM."""
    async with bench.fresh() as conversation:
        await bench.initialize(conversation)
        conversation.child.signal(signal.SIGTERM)
        if await conversation.child.wait(bench.patience.term) is not None:
            return None
        return Failed(
            f"it has not left {bench.patience.term:g} s after SIGTERM",
            "leave the signal alone, or leave when it comes: SIGKILL is next",
        )


@must("end")
async def children(bench: Bench) -> Finding:
    """Leaves no process behind."""
    if sys.platform != "linux":
        return NotTried("only Linux tells whose process is whose")
    async with bench.fresh() as conversation:
        await bench.initialize(conversation)
        await bench.send(conversation, bench.event())
        await let_go(conversation, bench.patience.leave)
        left = conversation.child.left_behind
        if conversation.child.status is None:
            left = process.living_in(conversation.child.state_dir)
            left -= {conversation.child.pid}
        if not left:
            return None
        number = "a process" if len(left) == 1 else f"{len(left)} processes"
        problem = f"it leaves {number} behind when it ends"
        return Failed(problem, "wait for your children, or end them, before you leave")
