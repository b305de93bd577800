"""The status page: what people are shown, and how it stays up to date."""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, TypeVar
from urllib.parse import quote

import trio

from hydra_notify import page
from hydra_notify.daemon.letters import Letters
from hydra_notify.daemon.now import Now
from hydra_notify.daemon.watch import Watch
from hydra_notify.http import Refusal, Reply, Request, Route
from hydra_notify.limits import LIVE_STEP
from hydra_notify.status import HostStatus

T = TypeVar("T")

_FOR_EVER: Final = ("Cache-Control", "public, max-age=31536000, immutable")
"""An address of a static file has a hash of its content in it."""


class View(NamedTuple):
    """What somebody looks at: all who look at the same are shown the same.

    Attributes:
        plugin: Whose page; None is that of the host.
        can_act: Whether it has buttons.
    """

    plugin: str | None
    can_act: bool


class Screens:
    """Draws pages, in a thread of its own: what is delivered does not wait for it.

    Args:
        now: The host.
        watch: Sees how it is.
        letters: Asks the database.
    """

    def __init__(self, now: Now, watch: Watch, letters: Letters) -> None:
        self._now = now
        self._watch = watch
        self._letters = letters
        # Not one of those that statements wait for.
        self._thread = trio.CapacityLimiter(1)
        self._drawn: dict[View, tuple[float, HostStatus, dict[str, bytes]]] = {}

    @property
    def routes(self) -> list[Route]:
        """Every page."""
        return [
            Route("/", self._whole),
            Route("/plugins/{name}", self._plugin),
            Route("/builds", self._find_build),
            Route("/builds/{build}", self._build),
            Route("/live", self._live),
            Route("/static/{mark}/{name}", self._static),
        ]

    async def explain(self, code: int, words: str) -> bytes:
        """The page of a refusal, by its status of HTTP."""
        return await self._draw(partial(page.refused, code, words))

    async def _whole(self, request: Request, reply: Reply) -> None:
        status = await self._status()
        draw = partial(
            page.whole,
            status,
            **_allowed(request),
        )
        await self._send(reply, draw)

    async def _plugin(self, request: Request, reply: Reply) -> None:
        status, name = await self._status(), request.values["name"]
        draw = partial(
            page.plugin,
            status,
            name,
            **_allowed(request),
        )
        known = any(each.name == name for each in status.plugins)
        await self._send(reply, draw, 200 if known else 404)

    async def _find_build(self, request: Request, reply: Reply) -> None:
        await reply.redirect(f"/builds/{quote(request.query.get('build', ''), '')}")

    async def _build(self, request: Request, reply: Reply) -> None:
        text = request.values["build"]
        for_programs = text.endswith(".json")
        number = _number(text.removesuffix(".json"))
        if number is None and for_programs:
            raise Refusal(404, f"{text.removesuffix('.json')!r} is no build")
        if number is None:
            words = f"{text!r} is no build: its number is what Hydra's pages call it"
            await self._send(reply, partial(page.message, "No build", words), 404)
            return
        story = await self._letters.story(number)
        if for_programs:
            await reply.document(story)
            return
        draw = partial(
            page.build,
            await self._status(),
            number,
            story,
            **_allowed(request),
        )
        await self._send(reply, draw)

    async def _static(self, request: Request, reply: Reply) -> None:
        file = page.static_file(request.values["mark"], request.values["name"])
        if file is None:
            raise Refusal(404, "there is no such file: load the page anew")
        await reply.send(200, file.media_type, file.content, [_FOR_EVER])

    async def _live(self, request: Request, reply: Reply) -> None:
        view = View(request.query.get("plugin") or None, request.trusted)
        shown: dict[str, bytes] = {}
        async with reply.events():
            while True:
                status, parts = await self._parts(view)
                await reply.tell(page.LIVE_NOW, page.heartbeat(status).decode())
                for part in page.changed(shown, parts).values():
                    await reply.tell(page.LIVE_PART, part.decode())
                shown = parts
                await trio.sleep(LIVE_STEP)

    async def _parts(self, view: View) -> tuple[HostStatus, dict[str, bytes]]:
        """The parts of a page, drawn once in a LIVE_STEP for all who look at it."""
        drawn = self._drawn.get(view)
        if drawn is None or trio.current_time() >= drawn[0] + LIVE_STEP / 2:
            status = await self._status()
            draw = partial(page.parts, status, can_act=view.can_act, plugin=view.plugin)
            drawn = (trio.current_time(), status, await self._draw(draw))
            # Of what nobody looks at any more nothing is kept.
            self._drawn = {
                each: kept
                for each, kept in self._drawn.items()
                if kept[0] > drawn[0] - 2 * LIVE_STEP
            }
            self._drawn[view] = drawn
        return drawn[1], drawn[2]

    async def _status(self) -> HostStatus:
        return self._watch.status(await self._letters.dead())

    async def _send(
        self, reply: Reply, draw: Callable[[], bytes], status: int = 200
    ) -> None:
        await reply.html(await self._draw(draw), status)

    async def _draw(self, draw: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(draw, limiter=self._thread)


def _allowed(request: Request) -> dict[str, bool]:
    """What a page may offer to whoever asks for it."""
    return {
        "can_act": request.trusted,
        "may_sign_in": request.can_sign_in,
        "signed_in": request.signed_in,
    }


def _number(text: str) -> int | None:
    """A build's id."""
    plain = text.isascii() and text.isdecimal() and len(text) <= len(str(2**31))
    return int(text) if plain else None
