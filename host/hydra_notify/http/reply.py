"""What goes back to a client: one answer, whole or piece by piece."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

import h11
import trio

from hydra_notify.limits import HTTP_WRITE_STALL, READ_CHUNK

GONE = (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError)
"""What a write raises when the client has left, or reads no more."""

Headers = Sequence[tuple[str, str]]


class Reply:
    """The answer to one request; then the connection is closed.

    Everything that writes raises one of GONE when nobody takes it.

    Args:
        stream: To the client.
        wire: What was heard over it.

    Attributes:
        without_body: Whether only the head may be sent, as to a HEAD.
    """

    def __init__(self, stream: trio.SocketStream, wire: h11.Connection) -> None:
        self._stream = stream
        self._wire = wire
        self.without_body = False

    async def send(
        self, status: int, content_type: str, body: bytes, headers: Headers = ()
    ) -> None:
        """All of it at once."""
        length = ("Content-Length", str(len(body)))
        head = self._head(status, content_type, (length, *headers))
        sent = b"" if self.without_body else body
        await self._write(head, h11.Data(data=sent), h11.EndOfMessage())

    async def refuse(self, status: int, words: str, headers: Headers = ()) -> None:
        """Say why not.

        Args:
            status: Of HTTP, from 400.
            words: What is wrong, and the fix.
            headers: More of them.
        """
        body = json.dumps({"error": words}).encode() + b"\n"
        await self.send(status, "application/json", body, headers)

    @asynccontextmanager
    async def stream(self, content_type: str) -> AsyncGenerator[None]:
        """An answer in pieces, which may be long in coming: each is given to `add`.

        The block is left when the client is gone, or says more than its request. An
        answer that ends with the block is a whole one; after anything else the client
        knows that a part is missing.
        """
        await self._write(self._head(200, content_type, ()))
        async with trio.open_nursery() as nursery:
            # Ends with the block.
            nursery.start_soon(self._cancel_when_gone, nursery.cancel_scope)
            with suppress(*GONE):
                yield
                await self._write(h11.EndOfMessage())
            nursery.cancel_scope.cancel()

    async def add(self, data: bytes) -> None:
        """A piece of a stream."""
        await self._write(h11.Data(data=data))

    async def _cancel_when_gone(self, answering: trio.CancelScope) -> None:
        with suppress(*GONE):
            await self._stream.receive_some(READ_CHUNK)
        answering.cancel()

    def _head(self, status: int, content_type: str, headers: Headers) -> h11.Response:
        standing = (
            ("Content-Type", content_type),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        )
        return h11.Response(
            status_code=status,
            reason=HTTPStatus(status).phrase,
            headers=[*standing, *headers],
        )

    async def _write(self, *events: h11.Event) -> None:
        data = b"".join(self._wire.send(event) or b"" for event in events)
        with trio.fail_after(HTTP_WRITE_STALL):
            await self._stream.send_all(data)
