"""A web server in place of the service that a plugin talks to.

It keeps what it is sent, and answers as it is told: with success, an error, or not at
all. It listens on a free port of 127.0.0.1, in threads of its own.
"""

from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import ClassVar, Final

from hydra_notify.kit.limits import SINK_PATIENCE, SINK_POLL

PLACEHOLDER: Final = "{sink}"
"""In a plugin's settings: where the server's address goes."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        line: Its method and path.
        headers: By name, in lower case.
    """

    line: str
    headers: Mapping[str, str]
    body: bytes

    def names(self, text: str) -> bool:
        """Whether `text` is anywhere in it."""
        words = [self.line, *self.headers.values()]
        return text.encode() in self.body or any(text in word for word in words)


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer.

    Attributes:
        status: Of HTTP; None for no answer at all.
        body: JSON, or whatever its headers say.
        breaks: Whether the connection ends before there is one.
    """

    status: int | None = 200
    breaks: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b'{"ok":true}'


class Sink(ThreadingHTTPServer):
    """The server. Threads add calls, any thread may read them and set the reply.

    Attributes:
        first: Replies to the next calls, before it is `reply` for all.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[Call] = []
        self.reply = Reply()
        self.first: deque[Reply] = deque()
        self.closing = Event()

    @property
    def url(self) -> str:
        """Its address, without a trailing slash."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    timeout: ClassVar[float | None] = SINK_PATIENCE

    def _take(self) -> None:
        sink = self.server
        assert isinstance(sink, Sink)
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length)
        sink.calls.append(Call(f"{self.command} {self.path}", headers, body))
        reply = sink.first.popleft() if sink.first else sink.reply
        if reply.breaks:
            self.close_connection = True
            return
        if reply.status is None:
            sink.closing.wait(SINK_PATIENCE)
            self.close_connection = True
            return
        self.send_response(reply.status)
        answer = reply.body
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if "Content-Type" not in reply.headers:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _take  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the report says what came."""


@contextmanager
def serving() -> Generator[Sink]:
    """A server that takes calls until the end of the block."""
    with Sink() as sink:
        thread = Thread(
            target=sink.serve_forever, args=(SINK_POLL,), name="sink", daemon=True
        )
        thread.start()
        try:
            yield sink
        finally:
            sink.closing.set()
            sink.shutdown()
            thread.join()


def mentions(value: object) -> bool:
    """Whether a value of settings names the server anywhere."""
    match value:
        case str():
            return PLACEHOLDER in value
        case dict():
            return any(map(mentions, value.values()))
        case list():
            return any(map(mentions, value))
        case _:
            return False


def filled(value: object, url: str) -> object:
    """`value` with the server's address where its name stands."""
    match value:
        case str():
            return value.replace(PLACEHOLDER, url)
        case dict():
            return {key: filled(each, url) for key, each in value.items()}
        case list():
            return [filled(each, url) for each in value]
        case _:
            return value
