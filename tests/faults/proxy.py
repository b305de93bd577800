"""A stretch of wire with faults in it: TCP from a port of its own to a server's.

What is switched on holds for all links, those to come included, until `normal`.
"""

import random
import socket
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import trio

from hydra_notify.demo.server.postgres import Server

RESET: Final = struct.pack("ii", 1, 0)
"""As SO_LINGER: a socket that is closed sends RST."""

CHUNK: Final = 65_536


class Direction(Enum):
    """Where bytes go."""

    TO_SERVER = "to server"
    TO_CLIENT = "to client"


@dataclass(frozen=True, slots=True)
class Weather:
    """What becomes of bytes.

    Attributes:
        latency: Seconds that a chunk is late, in each direction.
        jitter: Seconds more, at most, by chance.
        rate: Bytes a second, of each direction of a link; 0 is as fast as it goes.
        swallow: Whether nothing comes through at all, not even the end.
        refuse: Whether new connections are reset.
    """

    latency: float = 0
    jitter: float = 0
    rate: int = 0
    swallow: bool = False
    refuse: bool = False


NORMAL: Final = Weather()


@dataclass(slots=True)
class Cut:
    """The end of the first link that carries `marker` to the server.

    Attributes:
        left: Bytes that still come through in that direction, from the marker on, or
            from now on where there is none.
    """

    direction: Direction
    left: int
    marker: bytes
    link: "Link | None" = None


@dataclass(eq=False)
class Link:
    """One connection through the proxy."""

    client: trio.SocketStream
    server: trio.SocketStream
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    swallowed: bool = False

    def end(self, *, reset: bool) -> None:
        """Close both sides, with RST or in order."""
        if reset:
            for stream in (self.client, self.server):
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.scope.cancel()


class Proxy:
    """Passes on what it is told between clients and one server.

    Args:
        server: Has to listen on TCP.
        seed: Of all chance in it.

    Attributes:
        links: Those there are.
        accepted: How many there were, ever.
        cut_short: Set when a `cut` has been made.
    """

    def __init__(self, server: Server, seed: int = 0) -> None:
        self.links: list[Link] = []
        self.accepted = 0
        self.cut_short = trio.Event()
        self._server = server
        self._chance = random.Random(seed)
        self._weather = NORMAL
        self._cut: Cut | None = None
        self._port = 0

    def url(self, dbname: str) -> str:
        """Where libpq finds that database, through this."""
        old, new = f":{self._server.port}/", f":{self._port}/"
        return self._server.tcp_url(dbname).replace(old, new)

    def normal(self) -> None:
        """Pass on everything, but on links that have swallowed something."""
        self._weather, self._cut = NORMAL, None

    def latency(self, seconds: float, jitter: float = 0) -> None:
        """Let every chunk be late."""
        self._weather = Weather(latency=seconds, jitter=jitter)

    def slow(self, rate: int) -> None:
        """Let through `rate` bytes a second."""
        self._weather = Weather(rate=rate)

    def blackhole(self) -> None:
        """Swallow everything, both ways, without a word; links never recover."""
        self._weather = Weather(swallow=True)
        for link in self.links:
            link.swallowed = True

    def reset(self) -> None:
        """End the links there are with RST."""
        for link in self.links:
            link.end(reset=True)

    def refuse(self) -> None:
        """Reset the links there are, and whoever connects."""
        self._weather = Weather(refuse=True)
        self.reset()

    def cut(self, direction: Direction, after: int, marker: bytes = b"") -> None:
        """End a link, in order, when so many bytes more have passed in `direction`."""
        self.cut_short = trio.Event()
        self._cut = Cut(direction, after, marker)

    def worsen(self) -> str:
        """Some fault by chance; what it is."""
        faults: dict[str, Callable[[], None]] = {
            "latency": lambda: self.latency(0.2, 0.3),
            "slow": lambda: self.slow(20_000),
            "blackhole": self.blackhole,
            "reset": self.reset,
            "refuse": self.refuse,
            "cut": lambda: self.cut(
                self._chance.choice(list(Direction)), self._chance.randrange(5_000)
            ),
        }
        name = self._chance.choice(sorted(faults))
        faults[name]()
        return name

    async def serve(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Accept connections until cancelled."""
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self._port = listener.socket.getsockname()[1]
        task_status.started()
        await trio.serve_listeners(self._accept, [listener])

    async def _accept(self, client: trio.SocketStream) -> None:
        self.accepted += 1
        if self._weather.refuse:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            await client.aclose()
            return
        async with client:
            try:
                server = await trio.open_tcp_stream("127.0.0.1", self._server.port)
            except OSError:
                # It is stopped.
                return
            async with server:
                link = Link(client, server, swallowed=self._weather.swallow)
                self.links.append(link)
                try:
                    await self._join(link)
                finally:
                    self.links.remove(link)

    async def _join(self, link: Link) -> None:
        with link.scope:
            async with trio.open_nursery() as nursery:
                # Ends with either side.
                nursery.start_soon(self._pass_on, link, Direction.TO_SERVER)
                nursery.start_soon(self._pass_on, link, Direction.TO_CLIENT)

    async def _pass_on(self, link: Link, direction: Direction) -> None:
        source, sink = link.client, link.server
        if direction is Direction.TO_CLIENT:
            source, sink = sink, source
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while chunk := await source.receive_some(CHUNK):
                kept, is_last = self._until_cut(link, direction, chunk)
                await self._send(link, sink, kept)
                if is_last:
                    self._cut = None
                    self.cut_short.set()
                    break
        if link.swallowed:
            # The other side does not learn of the end.
            await trio.sleep_forever()
        link.end(reset=False)

    def _until_cut(
        self, link: Link, direction: Direction, chunk: bytes
    ) -> tuple[bytes, bool]:
        """What still comes through of `chunk`, and whether the link ends with it."""
        cut, start = self._cut, 0
        if cut is None:
            return chunk, False
        if cut.link is None:
            marked = Direction.TO_SERVER if cut.marker else cut.direction
            start = chunk.find(cut.marker) if direction is marked else -1
            if start < 0:
                return chunk, False
            cut.link = link
        if cut.link is not link or direction is not cut.direction:
            return chunk, False
        kept = chunk[: start + cut.left]
        cut.left -= len(chunk) - start
        return kept, cut.left <= 0

    async def _send(self, link: Link, sink: trio.SocketStream, chunk: bytes) -> None:
        weather = self._weather
        await trio.sleep(weather.latency + weather.jitter * self._chance.random())
        if link.swallowed:
            return
        step = max(1, weather.rate // 50) if weather.rate else len(chunk)
        for start in range(0, len(chunk), max(1, step)):
            piece = chunk[start : start + step]
            if weather.rate:
                await trio.sleep(len(piece) / weather.rate)
            await sink.send_all(piece)


@asynccontextmanager
async def proxied(server: Server, seed: int = 0) -> AsyncGenerator[Proxy]:
    """A proxy in front of `server`, at work."""
    proxy = Proxy(server, seed)
    async with trio.open_nursery() as nursery:
        await nursery.start(proxy.serve)
        yield proxy
        nursery.cancel_scope.cancel()
