"""Connections: taken, counted, each with one request and a time for it."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import h11
import trio

from hydra_notify.bell import Bell
from hydra_notify.http.claim import CannotListen, Claim
from hydra_notify.http.reply import GONE, Reply
from hydra_notify.http.routes import Found, Route, find
from hydra_notify.limits import (
    ACCEPT_RETRY,
    HTTP_CLOSE,
    HTTP_CONNECTIONS,
    HTTP_REQUEST_BYTES,
    HTTP_REQUEST_TIME,
    READ_CHUNK,
    SOCKET_RETRY,
)

_log = logging.getLogger(__name__)


class Server:
    """Answers at a socket that only our own user can use.

    It is a convenience: without a socket the host goes on, and says why there is none.

    Args:
        path: Of the socket.
        routes: What there is to be had.
    """

    def __init__(self, path: Path, routes: Sequence[Route]) -> None:
        self._path = path
        self._routes = routes
        self._connections = 0
        self._one_less = Bell()

    async def run(self) -> None:
        """Answer until cancelled; return when there can be no socket."""
        claim = await self._claim()
        if claim is None:
            return
        try:
            listener = trio.SocketListener(trio.socket.from_stdlib_socket(claim.socket))
            async with trio.open_nursery() as nursery:
                # Ends when cancelled; each connection in it is bounded, or is cut then.
                while True:
                    try:
                        stream = await listener.accept()
                    except OSError:
                        # Out of descriptors, and others have said so.
                        await trio.sleep(ACCEPT_RETRY)
                        continue
                    nursery.start_soon(self._converse, stream)
        finally:
            claim.release()

    async def finish(self) -> None:
        """Wait a moment for answers that are about to end."""
        with trio.move_on_after(HTTP_CLOSE):
            while self._connections:
                await self._one_less.wait()

    async def _claim(self) -> Claim | None:
        said = False
        while True:
            try:
                return await trio.to_thread.run_sync(Claim, self._path)
            except CannotListen as error:
                if not said:
                    _log.warning("nobody can look at the plugins' frames: %s", error)
                    said = True
                if not error.taken:
                    return None
            await trio.sleep(SOCKET_RETRY)

    async def _converse(self, stream: trio.SocketStream) -> None:
        self._connections += 1
        try:
            async with stream:
                with suppress(*GONE):
                    await self._answer(stream)
        finally:
            self._connections -= 1
            self._one_less.ring()

    async def _answer(self, stream: trio.SocketStream) -> None:
        wire = h11.Connection(h11.SERVER, max_incomplete_event_size=HTTP_REQUEST_BYTES)
        reply = Reply(stream, wire)
        if self._connections > HTTP_CONNECTIONS:
            await reply.refuse(503, f"{HTTP_CONNECTIONS} connections are open already")
            return
        try:
            with trio.fail_after(HTTP_REQUEST_TIME):
                request = await _request(stream, wire)
        except trio.TooSlowError:
            await reply.refuse(408, f"no request within {HTTP_REQUEST_TIME:.0f} s")
            return
        except h11.RemoteProtocolError as error:
            await reply.refuse(error.error_status_hint, f"no HTTP: {error}")
            return
        if request is None:
            return
        method, target = request.method.decode(), request.target.decode()
        reply.without_body = method == "HEAD"
        found = find(self._routes, method, target)
        if isinstance(found, Found):
            await found.route.handle(reply, found.values)
        elif found.methods:
            allowed = ", ".join(found.methods)
            words = f"{method} cannot be used here, only {allowed}"
            await reply.refuse(405, words, [("Allow", allowed)])
        else:
            await reply.refuse(404, f"there is nothing at {target}")


async def _request(
    stream: trio.SocketStream, wire: h11.Connection
) -> h11.Request | None:
    """The head of a request; None if the client leaves without one."""
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            wire.receive_data(await stream.receive_some(READ_CHUNK))
        elif isinstance(event, h11.Request):
            return event
        else:
            return None
