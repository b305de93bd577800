"""What people order over HTTP: of plugins, and of what was given up."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from hydra_notify.daemon.letters import Letters
from hydra_notify.daemon.now import Now
from hydra_notify.daemon.pages import no_such_plugin, why_none
from hydra_notify.daemon.plugins import Plugins
from hydra_notify.http import Refusal, Reply, Request, Route


def orders(now: Now, letters: Letters) -> list[Route]:
    """Everything that can be ordered.

    Browsers are led back to the page; others get a sentence in JSON.

    Args:
        now: The host.
        letters: Marks dead letters.
    """

    def named(request: Request) -> tuple[Plugins, str]:
        name = request.values["name"]
        plugins = None if now.term is None else now.term.plugins
        if plugins is None:
            raise Refusal(409, f"nothing can be done now: {why_none(now)}")
        if name not in plugins.names:
            raise Refusal(404, no_such_plugin(name, plugins.names))
        return plugins, name

    async def restart(request: Request, reply: Reply) -> None:
        plugins, name = named(request)
        plugins.restart(name)
        await _done(request, reply, f"{name}: it is restarted", name)

    async def pause(request: Request, reply: Reply) -> None:
        plugins, name = named(request)
        plugins.pause(name, on=True)
        words = f"{name}: paused, until it is resumed or the host is restarted"
        await _done(request, reply, words, name)

    async def resume(request: Request, reply: Reply) -> None:
        plugins, name = named(request)
        plugins.pause(name, on=False)
        await _done(request, reply, f"{name}: resumed", name)

    def dead(*, again: bool) -> Callable[[Request, Reply], Awaitable[None]]:
        async def order(request: Request, reply: Reply) -> None:
            event = request.form.get("event", "")
            plugin = request.form.get("plugin", "")
            if not event and not plugin:
                raise Refusal(400, "name an event, a plugin, or both")
            number = await letters.order(event, plugin, again=again)
            if number is None:
                raise Refusal(
                    409, "the ledger cannot be used now: nothing is known to it"
                )
            if not number:
                raise Refusal(404, "nothing of that was given up, or it is no longer")
            what = "are tried again" if again else "are dropped"
            await _done(request, reply, f"{number} deliveries {what}", "")

        return order

    return [
        Route("/plugins/{name}/restart", restart, "POST", acts=True),
        Route("/plugins/{name}/pause", pause, "POST", acts=True),
        Route("/plugins/{name}/resume", resume, "POST", acts=True),
        Route("/dead/retry", dead(again=True), "POST", acts=True),
        Route("/dead/drop", dead(again=False), "POST", acts=True),
    ]


async def _done(request: Request, reply: Reply, words: str, plugin: str) -> None:
    if not reply.for_person:
        await reply.json({"done": words})
    elif plugin and request.form.get("from") == "plugin":
        await reply.redirect(f"/plugins/{quote(plugin, safe='')}")
    else:
        await reply.redirect("/")
