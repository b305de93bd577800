"""Asking a server by HTTP, over real sockets."""

import socket
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import h11
import trio

from hydra_notify.config import HttpConfig, NetworkAddress, UnixAddress
from hydra_notify.http import Gate, Listen, Route, Server

PATIENCE = 20.0
"""Seconds of real time; what has not come by then does not come."""

Address = NetworkAddress | UnixAddress | Path


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Client:
    """One connection; ask over it as often as the server likes."""

    stream: trio.SocketStream
    wire: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))

    async def ask(
        self,
        target: str,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
    ) -> Answer:
        """The answer to one request."""
        await self.send(target, headers, method=method, body=body)
        head = await self.head()
        got = b""
        while isinstance(event := await self.next(), h11.Data):
            got += bytes(event.data)
        if self.wire.our_state is h11.DONE and self.wire.their_state is h11.DONE:
            self.wire.start_next_cycle()
        return Answer(head.status_code, said(head.headers), got)

    async def send(
        self,
        target: str,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
    ) -> None:
        whole = {"Host": "localhost", **(headers or {})}
        if body is not None and "Transfer-Encoding" not in whole:
            whole.setdefault("Content-Length", str(len(body)))
        request = h11.Request(method=method, target=target, headers=[*whole.items()])
        parts = [self.wire.send(request) or b""]
        if body:
            parts.append(self.wire.send(h11.Data(data=body)) or b"")
        parts.append(self.wire.send(h11.EndOfMessage()) or b"")
        # It may have been refused already, and says why.
        with suppress(trio.BrokenResourceError):
            await self.stream.send_all(b"".join(parts))

    async def head(self) -> h11.Response:
        """The beginning of an answer; interim ones are passed over."""
        while isinstance(event := await self.next(), h11.InformationalResponse):
            pass
        assert isinstance(event, h11.Response), event
        return event

    async def next(self) -> h11.Event | type[h11.PAUSED]:
        with trio.fail_after(PATIENCE):
            while (event := self.wire.next_event()) is h11.NEED_DATA:
                self.wire.receive_data(await self.stream.receive_some())
        assert event is not h11.NEED_DATA
        return event  # type: ignore[return-value] # mypy does not know the loop's end

    async def is_closed(self) -> bool:
        """Whether the server ends the connection, with nothing more to say."""
        with trio.fail_after(PATIENCE):
            return await self.stream.receive_some() == b""


def said(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in headers}


@asynccontextmanager
async def connected(address: Address) -> AsyncGenerator[Client]:
    """A connection, as soon as somebody listens."""
    stream: trio.SocketStream | None = None
    with trio.fail_after(PATIENCE):
        while stream is None:
            try:
                stream = await _connect(address)
            except OSError:
                await trio.sleep(0.001)
    async with stream:
        yield Client(stream)


async def ask(
    address: Address,
    target: str,
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "GET",
    body: bytes | None = None,
) -> Answer:
    """One answer over a connection of its own."""
    async with connected(address) as client:
        return await client.ask(target, headers, method=method, body=body)


def free_port() -> NetworkAddress:
    """A port that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return NetworkAddress("127.0.0.1", probe.getsockname()[1])


@asynccontextmanager
async def listening(
    routes: Sequence[Route],
    config: HttpConfig | None = None,
    address: NetworkAddress | UnixAddress | None = None,
) -> AsyncGenerator[tuple[NetworkAddress | UnixAddress, Server]]:
    """A server that others can reach, for as long as the block lasts."""
    address = address or free_port()
    gate = Gate(config or HttpConfig())
    server = Server(Listen(address), [*routes, *gate.routes], gate)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.run)
        async with connected(address):
            pass
        yield address, server
        nursery.cancel_scope.cancel()


async def _connect(address: Address) -> trio.SocketStream:
    if isinstance(address, NetworkAddress):
        return await trio.open_tcp_stream(address.host, address.port)
    path = address if isinstance(address, Path) else address.path
    try:
        return await trio.open_unix_socket(path)
    except RuntimeError as error:
        raise OSError(str(error)) from error
