"""A host that says what a test wants it to, at a socket where commands ask it."""

import socketserver
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import msgspec

from hydra_notify.metrics import LedgerState, PluginState, Role
from hydra_notify.status import (
    DatabaseStatus,
    Health,
    HostStatus,
    Latency,
    Link,
    PendingStatus,
    PluginStatus,
    Trend,
)

NOW = 1_790_000_000.0

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


def plugin(name: str, **changes: Any) -> PluginStatus:
    """A plugin that is well, but for `changes`."""
    well = PluginStatus(
        name=name,
        state=PluginState.READY,
        paused=False,
        required=True,
        program=f"{name} 1.4",
        command=[name],
        pid=4711,
        started_at=NOW - 3600,
        next_start_at=None,
        held_until=None,
        window=16,
        in_flight=1,
        queued=0,
        retrying=0,
        next_retry_at=None,
        dead=0,
        delivered=100,
        failed=0,
        rate=Trend(10.0, [0.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]),
        latency=Latency(0.0124, 0.34, 100),
        restarts=0,
        ends={},
        last_error="",
        last_error_at=None,
        stderr=[],
        enforced=[],
        degraded=[],
    )
    return msgspec.structs.replace(well, **changes)


def host(*plugins: PluginStatus, **changes: Any) -> HostStatus:
    """A host that is well, but for `changes`."""
    well = HostStatus(
        version="0.1.0",
        machine="build01",
        base_url="https://hydra.test",
        now=NOW,
        started_at=NOW - 3 * 86_400,
        health=Health.OK,
        words="Everything is delivered.",
        problems=[],
        role=Role.ACTIVE,
        stopping=False,
        database=DatabaseStatus(
            address="postgresql:///hydra",
            link=Link.LISTENING,
            since=NOW - 3 * 3600,
            connects=1,
            errors=0,
            last_error="",
        ),
        ledger=LedgerState.ACTIVE,
        inbox=0,
        open_events=3,
        pending=PendingStatus(12, NOW - 300, NOW - 10),
        events=Trend(10.0, [0.5]),
        deliveries=Trend(10.0, [1.0]),
        cleared=Trend(10.0, [0.5]),
        plugins=list(plugins),
        in_flight=[],
        in_flight_count=1,
        retrying=[],
        retrying_count=0,
        dead=[],
        dead_count=0,
        config_reloads=0,
        config_reload_failures=0,
    )
    return msgspec.structs.replace(well, **changes)
