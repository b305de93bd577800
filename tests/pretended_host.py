"""A host that says what a test wants it to, at a socket where commands ask it."""

import socketserver
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import msgspec
from tests.statuses import NOW, host_status, plugin_status

from hydra_notify.status import (
    HostStatus,
    Latency,
    PendingStatus,
    PluginStatus,
    Trend,
)

Answer = tuple[int, bytes]


class PretendedHost:
    """What it is asked, and what it answers.

    Attributes:
        asked: Method and target of each request.
        answer: Makes the answer to one: status of HTTP, body.
    """

    def __init__(self, answer: Callable[[str, str], Answer]) -> None:
        self.asked: list[tuple[str, str]] = []
        self.answer = answer


@contextmanager
def pretending(
    path: Path, answer: Callable[[str, str], Answer] | HostStatus
) -> Generator[PretendedHost]:
    """A host at the socket `path`, for as long as the block lasts."""
    if isinstance(answer, HostStatus):
        body = msgspec.json.encode(answer)

        def say(_method: str, _target: str) -> Answer:
            return 200, body

        host = PretendedHost(say)
    else:
        host = PretendedHost(answer)

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            host.asked.append((self.command, self.path))
            status, body = host.answer(self.command, self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _reply  # noqa: N815 - as the library calls them

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nobody reads it."""

    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield host
        finally:
            server.shutdown()
            thread.join()
            path.unlink()


def plugin(name: str, **changes: object) -> PluginStatus:
    """A plugin that is at work and well, but for `changes`."""
    busy: dict[str, object] = {
        "program": f"{name} 1.4",
        "command": [name],
        "window": 16,
        "in_flight": 1,
        "rate": Trend(10.0, [0.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]),
        "latency": Latency(0.0124, 0.34, 100),
    }
    return plugin_status(name, **{**busy, **changes})


def host(*plugins: PluginStatus, **changes: object) -> HostStatus:
    """A host that is at work and well, but for `changes`."""
    busy: dict[str, object] = {
        "plugins": list(plugins),
        "pending": PendingStatus(12, NOW - 300, NOW - 10),
        "cleared": Trend(10.0, [0.5]),
    }
    return host_status(**{**busy, **changes})
