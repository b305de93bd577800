"""What can be asked of the host by programs: its health, its counts, its frames."""

from msgspec import to_builtins

from hydra_notify.daemon.letters import Letters
from hydra_notify.daemon.now import Now
from hydra_notify.daemon.watch import Watch
from hydra_notify.http import Refusal, Reply, Request, Route
from hydra_notify.metrics import Role
from hydra_notify.problems import NOT_READY


def pages(now: Now, watch: Watch, letters: Letters) -> list[Route]:
    """Everything there is to be had.

    Args:
        now: The host.
        watch: Sees how it is.
        letters: Asks the ledger.
    """

    async def healthz(_: Request, reply: Reply) -> None:
        if stuck := now.stuck():
            await reply.json({"status": "stuck", "reason": stuck}, 503)
        else:
            await reply.json({"status": "ok"})

    async def readyz(_: Request, reply: Reply) -> None:
        found = watch.problems(with_errors=False)
        ready = not any(each.name in NOT_READY for each in found)
        answer = {
            "ready": ready,
            "role": now.counts.role,
            "reasons": to_builtins(found),
        }
        await reply.json(answer, 200 if ready else 503)

    async def metrics(_: Request, reply: Reply) -> None:
        content_type, text = await watch.metrics()
        await reply.send(200, content_type, text)

    async def status(_: Request, reply: Reply) -> None:
        seen = watch.status(await letters.dead())
        await reply.document(seen)

    async def frames(request: Request, reply: Reply) -> None:
        name = request.values["name"]
        plugins = None if now.term is None else now.term.plugins
        if plugins is None:
            raise Refusal(404, f"there are no plugins now: {why_none(now)}")
        tap = plugins.tap(name)
        if tap is None:
            raise Refusal(404, no_such_plugin(name, plugins.names))
        with tap.follow() as follower:
            async with reply.stream("application/x-ndjson"):
                while line := await follower.next():
                    await reply.add(line)

    return [
        Route("/healthz", healthz, open=True),
        Route("/readyz", readyz, open=True),
        Route("/metrics", metrics, open=True),
        Route("/status.json", status),
        Route("/plugins/{name}/frames", frames, local_only=True),
    ]


def why_none(now: Now) -> str:
    """Why there are no plugins, and where to ask instead."""
    if now.stopping:
        return "the host stops"
    if now.counts.role is Role.STANDBY:
        return "this host stands by, another one is active; ask that one"
    return "the host waits for Hydra's database; its log says more"


def no_such_plugin(name: str, names: list[str]) -> str:
    """What there is instead."""
    return f"there is no plugin {name!r}; there are: {', '.join(names) or 'none'}"
