"""A web server that takes what the webhook posts, and writes a receipt for each event.

It listens on a free port of 127.0.0.1, in threads of its own.
"""

from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar, Final

import msgspec
from msgspec import Struct

from hydra_notify.demo.receipts import Receipt

PATIENCE: Final = 10.0
"""Seconds for a request to arrive in full."""


class _Data(Struct, rename="camel"):
    build: int | None = None
    dependent_ids: list[int] = []


class _Event(Struct):
    id: str
    data: _Data


# Made here, where there is one thread: msgspec crashes the process when two threads at
# once decode a type that it does not know yet.
_decode: Final = msgspec.json.Decoder(_Event).decode


class Sink(ThreadingHTTPServer):
    """The server. Threads add receipts, any thread may read them."""

    daemon_threads = True
    # A plugin posts several at once; the default is 5 for all who connect.
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.receipts: list[Receipt] = []

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self.server_port}/hydra"


class _Handler(BaseHTTPRequestHandler):
    timeout: ClassVar[float | None] = PATIENCE

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        try:
            event = _decode(self.rfile.read(length))
        except ValueError as error:
            self.send_error(400, str(error))
            return
        builds = [] if event.data.build is None else [event.data.build]
        builds += event.data.dependent_ids
        assert isinstance(self.server, Sink)
        self.server.receipts.append(Receipt(event.id, tuple(builds)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the picture shows what arrives."""


@contextmanager
def webhook_sink() -> Generator[Sink]:
    """A server that takes posts until the end of the block."""
    with Sink() as sink:
        thread = Thread(target=sink.serve_forever, name="webhook sink", daemon=True)
        thread.start()
        try:
            yield sink
        finally:
            sink.shutdown()
            thread.join()
