"""A small real server with fabricated hosts, under the policy of the real one."""

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from urllib.parse import parse_qsl, unquote, urlsplit

from hydra_notify import page
from hydra_notify.status import BuildStory, HostStatus

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

HEARTBEAT = 2.0
"""Seconds between the messages that say that the host lives."""


@dataclass(eq=False)
class Host:
    """What the server shows; a test changes it while a browser looks on.

    Attributes:
        status: How it is.
        posts: What was posted: path and fields.
        refusing: An answer for posts instead of a redirect.
        errors: What went wrong in the server.
    """

    url: str = ""
    status: HostStatus | None = None
    story: BuildStory | None = None
    can_act: bool = True
    may_sign_in: bool = False
    signed_in: bool = False
    streaming: bool = True
    refusing: tuple[int, str, bytes] | None = None
    posts: Queue[tuple[str, dict[str, str]]] = field(default_factory=Queue)
    errors: list[BaseException | None] = field(default_factory=list)
    streams: set[Queue[HostStatus | None]] = field(default_factory=set)

    def begin(self, status: HostStatus, story: BuildStory) -> None:
        """It is so, and nothing has been asked of it."""
        new = Host(self.url, status, story, errors=self.errors, streams=self.streams)
        for each in fields(self):
            setattr(self, each.name, getattr(new, each.name))

    def change(self, status: HostStatus) -> None:
        """From now on it is so, and whoever looks is told."""
        self.status = status
        for stream in list(self.streams):
            stream.put(status)

    def cut(self) -> None:
        """Nobody is told anything any more."""
        self.streaming = False
        for stream in list(self.streams):
            stream.put(None)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def host(self) -> Host:
        assert isinstance(self.server, _Server)
        return self.server.host

    def do_GET(self) -> None:
        path, query = self._target()
        host = self.host
        assert host.status is not None
        may = {
            "can_act": host.can_act,
            "may_sign_in": host.may_sign_in,
            "signed_in": host.signed_in,
        }
        match path.split("/")[1:]:
            case [""]:
                self._answer(page.whole(host.status, **may))
            case ["plugins", name]:
                self._answer(page.plugin(host.status, unquote(name), **may))
            case ["builds", number]:
                build = page.build(host.status, int(number), host.story, **may)
                self._answer(build)
            case ["builds"]:
                self._redirect(f"/builds/{query['build']}")
            case ["static", mark, name]:
                file = page.static_file(mark, name)
                assert file is not None, path
                self._answer(file.content, file.media_type)
            case ["live"]:
                self._live(query.get("plugin"))
            case _:
                self._answer(
                    page.refused(404, f"there is nothing at {path}"), status=404
                )

    def do_POST(self) -> None:
        path, _ = self._target()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        self.host.posts.put((path, fields))
        if self.host.refusing is not None:
            status, media_type, answer = self.host.refusing
            self._answer(answer, media_type, status)
        elif path == "/session" and fields["token"] != "right":
            self._answer(page.refused(401, "this is not the token"), status=401)
        else:
            if path.startswith("/session"):
                self.host.can_act = self.host.signed_in = path == "/session"
            back = path.rpartition("/")[0] if fields.get("from") == "plugin" else "/"
            self._redirect(fields.get("next", back))

    def _target(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        return parts.path, dict(parse_qsl(parts.query))

    def _answer(
        self,
        body: bytes,
        media_type: str = "text/html; charset=utf-8",
        status: int = 200,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        kept = self.path.startswith("/static/")
        self.send_header(
            "Cache-Control", "max-age=31536000, immutable" if kept else "no-store"
        )
        self._security()
        self.end_headers()
        self.wfile.write(body)

    def _redirect(self, to: str) -> None:
        self.send_response(303)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self._security()
        self.end_headers()

    def _security(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")

    def _live(self, plugin: str | None) -> None:
        host = self.host
        if not host.streaming:
            self._answer(b"", "text/plain", 503)
            return
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self._security()
        self.end_headers()
        mine: Queue[HostStatus | None] = Queue()
        host.streams.add(mine)
        sent: dict[str, bytes] = {}
        status = host.status
        try:
            while status is not None:
                new = page.parts(status, can_act=host.can_act, plugin=plugin)
                for part in page.changed(sent, new).values():
                    self._message(page.LIVE_PART, part)
                sent = new
                self._message(page.LIVE_NOW, page.heartbeat(status))
                try:
                    status = mine.get(timeout=HEARTBEAT)
                except Empty:
                    continue
        except OSError:
            pass
        finally:
            host.streams.discard(mine)

    def _message(self, name: str, data: bytes) -> None:
        lines = b"".join(b"data: " + line + b"\n" for line in data.split(b"\n"))
        self.wfile.write(b"event: " + name.encode() + b"\n" + lines + b"\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: a browser's requests are of no interest."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: Host) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = host

    def handle_error(self, request: object, client_address: object) -> None:
        error = sys.exc_info()[1]
        # A browser that leaves in the middle is no error.
        if not isinstance(error, OSError):
            self.host.errors.append(error)


@contextmanager
def serving() -> Generator[Host]:
    """A server on loopback."""
    host = Host()
    server = _Server(host)
    host.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield host
    finally:
        host.cut()
        server.shutdown()
        thread.join()
        server.server_close()
    assert host.errors == []
