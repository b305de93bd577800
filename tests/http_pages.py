"""Pages for tests of HTTP, and a server that has them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress

import trio
import trio.testing
from tests.http_asking import (
    Address,
    listening,
)

from hydra_notify.config import NetworkAddress, UnixAddress
from hydra_notify.http import Gate, Reply, Request, Route, Server
from hydra_notify.http.conversation import Answers, converse
from hydra_notify.http.reply import GONE


class Pages:
    """What is said back, a file, and news without end."""

    def __init__(self) -> None:
        self.left = trio.Event()
        self.routes = [
            Route("/echo/{word}", self.echo),
            Route("/form", self.form, "POST"),
            Route("/page.0123abcd.css", self.file),
            Route("/events", self.events),
            Route("/healthz", self.health, open=True),
        ]

    async def echo(self, request: Request, reply: Reply) -> None:
        await reply.json({"word": request.values["word"], "query": request.query})

    async def form(self, request: Request, reply: Reply) -> None:
        await reply.json(request.form)

    async def file(self, _: Request, reply: Reply) -> None:
        forever = [("Cache-Control", "public, max-age=31536000, immutable")]
        await reply.send(200, "text/css", b"a{}", forever)

    async def events(self, _: Request, reply: Reply) -> None:
        try:
            async with reply.events():
                await reply.tell("status", "one\ntwo")
                await trio.sleep_forever()
        finally:
            self.left.set()

    async def health(self, _: Request, reply: Reply) -> None:
        await reply.text("ok")


@asynccontextmanager
async def served(
    address: NetworkAddress | UnixAddress | None = None,
) -> AsyncGenerator[tuple[Address, Pages, Server]]:
    pages = Pages()
    async with listening(pages.routes, address=address) as (found, server):
        yield found, pages, server


async def one(
    theirs: trio.socket.SocketType, routes: Sequence[Route], gate: Gate | None = None
) -> None:
    """Serve one connection to its end."""
    async with trio.SocketStream(theirs) as stream:
        with suppress(*GONE):
            await converse(stream, Answers(routes, gate))
