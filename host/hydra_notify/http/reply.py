"""What goes back to a client: one answer, whole or piece by piece."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Final

import h11
import msgspec
import trio

from hydra_notify.http.refusal import Headers
from hydra_notify.http.streams import Streams
from hydra_notify.limits import HTTP_KEEPALIVE, HTTP_WRITE_STALL, READ_CHUNK

GONE = (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError)
"""What a write raises when the client has left, or reads no more."""

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"
EVENTS: Final = "text/event-stream"

_encode: Final = msgspec.json.Encoder().encode

_STANDING: Final = {
    "Cache-Control": "no-store",
    # Nothing of a page comes from elsewhere or is written into it, and no other page
    # may show it in a frame, so that what is clicked is what is seen.
    "Content-Security-Policy": "default-src 'none'; script-src 'self';"
    " style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not `no-referrer`: with that, browsers post forms with the Origin `null`.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of every answer, where it does not say otherwise."""


class Reply:
    """The answer to one request.

    Everything that writes raises one of GONE when nobody takes it.

    Args:
        stream: To the client.
        wire: What was heard over it.
        streams: Of the address.

    Attributes:
        without_body: Whether only the head may be sent, as to a HEAD.
        last: Whether the connection is closed after it.
        for_person: Whether a browser shows it to somebody.
    """

    def __init__(
        self, stream: trio.SocketStream, wire: h11.Connection, streams: Streams
    ) -> None:
        self._stream = stream
        self._wire = wire
        self._streams = streams
        # Comments go between pieces, never into one.
        self._writing = trio.Lock()
        self.without_body = False
        self.last = True
        self.for_person = False

    async def send(
        self, status: int, content_type: str, body: bytes, headers: Headers = ()
    ) -> None:
        """All of it at once; `headers` replace standing ones of their name."""
        length = ("Content-Length", str(len(body)))
        head = self._head(status, content_type, (length, *headers))
        sent = b"" if self.without_body else body
        await self._write(head, h11.Data(data=sent), h11.EndOfMessage())

    async def text(self, words: str, status: int = 200) -> None:
        """Plain text."""
        await self.send(status, TEXT, words.encode())

    async def html(self, page: bytes, status: int = 200, headers: Headers = ()) -> None:
        """A page, in UTF-8."""
        await self.send(status, HTML, page, headers)

    async def document(self, value: msgspec.Struct) -> None:
        """A value in JSON, by its attributes."""
        await self.send(200, JSON, _encode(value))

    async def json(self, value: object, status: int = 200) -> None:
        """What `json` makes of `value`, on one line."""
        await self.send(status, JSON, json.dumps(value).encode() + b"\n")

    async def redirect(self, target: str, headers: Headers = ()) -> None:
        """Have a browser GET another page of ours, as after something was posted."""
        await self.send(303, TEXT, b"", [("Location", target), *headers])

    async def refuse(self, status: int, words: str, headers: Headers = ()) -> None:
        """Say why not: to people in plain text, else as JSON.

        Args:
            status: Of HTTP, from 400.
            words: What is wrong, and the fix.
            headers: More of them.
        """
        self.last = True
        if self.for_person:
            await self.send(status, TEXT, words.encode() + b"\n", headers)
        else:
            body = json.dumps({"error": words}).encode() + b"\n"
            await self.send(status, JSON, body, headers)

    @asynccontextmanager
    async def stream(self, content_type: str) -> AsyncGenerator[None]:
        """An answer in pieces, which may be long in coming: each is given to `add`.

        The block is left when the client is gone, or says more than its request. An
        answer that ends with the block is a whole one; after anything else the client
        knows that a part is missing.
        """
        self.last = True
        await self._write(self._head(200, content_type, ()))
        async with trio.open_nursery() as nursery:
            # Ends with the block.
            nursery.start_soon(self._cancel_when_gone, nursery.cancel_scope)
            if self.without_body:
                await self._write(h11.EndOfMessage())
                nursery.cancel_scope.cancel()
            with suppress(*GONE):
                yield
                if not self.without_body:
                    await self._write(h11.EndOfMessage())
            nursery.cancel_scope.cancel()

    async def add(self, data: bytes) -> None:
        """A piece of a stream."""
        if self.without_body:
            await trio.lowlevel.checkpoint()
        else:
            await self._write(h11.Data(data=data))

    @asynccontextmanager
    async def events(self) -> AsyncGenerator[None]:
        """A stream of server-sent events: each is given to `tell`.

        The block is left when the client is gone, or the host stops.

        Raises:
            Refusal: So many look on already.
        """
        with self._streams.one_more():
            async with self.stream(EVENTS), trio.open_nursery() as nursery:
                # Ends with the block.
                nursery.start_soon(self._keep_alive)
                with suppress(*GONE):
                    yield
                nursery.cancel_scope.cancel()

    async def tell(self, event: str, data: str) -> None:
        """An event of `events`: its kind, and what there is to say."""
        await self.add(encoded(event, data))

    async def _keep_alive(self) -> None:
        with suppress(*GONE):
            while True:
                await trio.sleep(HTTP_KEEPALIVE)
                await self.add(b":\n\n")

    async def _cancel_when_gone(self, answering: trio.CancelScope) -> None:
        with suppress(*GONE):
            await self._stream.receive_some(READ_CHUNK)
        answering.cancel()

    def _head(self, status: int, content_type: str, headers: Headers) -> h11.Response:
        said = {name.title(): value for name, value in headers if name != "Set-Cookie"}
        cookies = [each for each in headers if each[0] == "Set-Cookie"]
        connection = {"Connection": "close"} if self.last else {}
        whole = {"Content-Type": content_type, **_STANDING, **connection, **said}
        return h11.Response(
            status_code=status,
            reason=HTTPStatus(status).phrase,
            headers=[*whole.items(), *cookies],
        )

    async def _write(self, *events: h11.Event) -> None:
        async with self._writing:
            data = b"".join(self._wire.send(event) or b"" for event in events)
            with trio.fail_after(HTTP_WRITE_STALL):
                await self._stream.send_all(data)


def encoded(event: str, data: str) -> bytes:
    """A server-sent event as it is sent."""
    lines = data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    told = "".join(f"data: {line}\n" for line in lines)
    return f"event: {event}\n{told}\n".encode()
