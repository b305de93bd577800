"""A connection that LISTENs: open, ask, hear.

Drain, then wait: what arrived together with another reply is already in libpq's memory,
and the socket is silent.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, TypeVar

import trio

from hydra_notify.database import Connection, in_thread, translated
from hydra_notify.errors import DatabaseLost
from hydra_notify.events import DUMP_CHANNEL, ORDERS_CHANNEL, Notification
from hydra_notify.limits import CONNECT_TIMEOUT, STATEMENT_DEADLINE
from hydra_notify_sdk.wire import CHANNELS

T = TypeVar("T")

PING_CHANNEL: Final = "hydra_notify_ping"
"""Ours alone; a payload tells the role of a host, and one ping from another."""

# A channel is an identifier, which cannot be bound; these are all there are. One round
# trip for all of them: links can be slow.
LISTEN: Final = ";".join(
    f'listen "{channel}"'
    for channel in (*CHANNELS, ORDERS_CHANNEL, DUMP_CHANNEL, PING_CHANNEL)
).encode()

BACKEND: Final = "select pg_backend_pid()"

PING: Final = "select pg_notify(%s, %s)"


class Link:
    """A connection in use by one task.

    Args:
        url: Where it leads.
        connection: It listens already.
        pid: Of the backend at its other end, behind whatever pooler.
        take: Called with what arrives, pings included.
    """

    def __init__(
        self,
        url: str,
        connection: Connection,
        pid: int,
        take: Callable[[list[Notification]], Awaitable[None]],
    ) -> None:
        self.pid = pid
        self._url = url
        self._connection = connection
        self._take = take
        self._given_away = False

    async def ask(self, work: Callable[[Connection], T], seconds: float) -> T:
        """What `work` returns, run in a thread with the connection.

        Raises:
            DatabaseLost: The connection broke, or took longer than `seconds`.
            DatabaseError: A statement was refused.
        """
        # A thread that is left behind closes the connection itself.
        self._given_away = True
        with trio.move_on_after(seconds):
            _, result = await in_thread(self._url, self._connection, work)
            self._given_away = False
            return result
        raise DatabaseLost("no answer on the connection that listens")

    async def hear(self, seconds: float, pong: str = "") -> bool:
        """Take what arrives for so long; at once True when a ping `pong` is among it.

        What is there already is taken, however little time is left.
        """
        deadline = trio.current_time() + seconds
        awaited = Notification(PING_CHANNEL, pong)
        while True:
            arrived = _arrived(self._connection)
            if arrived:
                await self._take(arrived)
                await trio.lowlevel.checkpoint()
                if awaited in arrived:
                    return True
            if trio.current_time() >= deadline:
                return False
            if not arrived:
                with trio.move_on_at(deadline):
                    await trio.lowlevel.wait_readable(self._connection.fileno())

    async def ping(self, payload: str, seconds: float) -> None:
        """Prove that notifications still arrive.

        Raises:
            DatabaseLost: They do not.
        """
        await self.ask(partial(_notify, payload=payload), seconds)
        if not await self.hear(seconds, payload):
            raise DatabaseLost("a NOTIFY to ourselves did not come back")

    async def prove(self, payload: str, seconds: float) -> bool:
        """Whether notifications arrive here at all.

        The ping is sent from elsewhere. What is sent from here comes back with the
        reply to its statement, even through a pooler that drops what comes at any other
        time.

        Raises:
            DatabaseLost: The connection itself does not work.
        """
        with trio.move_on_after(CONNECT_TIMEOUT + seconds) as scope:
            send = partial(_notify, payload=payload)
            elsewhere, _ = await in_thread(self._url, None, send)
            elsewhere.close()
        if scope.cancelled_caught:
            raise DatabaseLost("no answer to a NOTIFY")
        if await self.hear(seconds, payload):
            return True
        await self.ask(_backend, seconds)
        return False

    def close(self) -> None:
        """Close the connection, unless a thread that still uses it will."""
        if not self._given_away:
            self._connection.close()


@asynccontextmanager
async def open_link(
    url: str, take: Callable[[list[Notification]], Awaitable[None]]
) -> AsyncGenerator[Link]:
    """A connection that LISTENs to everything; closed at the end.

    Raises:
        DatabaseLost: There is none to be had.
        DatabaseError: The URL is none.
    """
    connection, pid = await _connect(url)
    link = Link(url, connection, pid, take)
    try:
        yield link
    finally:
        link.close()


async def _connect(url: str) -> tuple[Connection, int]:
    with trio.move_on_after(CONNECT_TIMEOUT + STATEMENT_DEADLINE):
        return await in_thread(url, None, _listen)
    raise DatabaseLost("no answer within the deadline")


def _listen(connection: Connection) -> int:
    connection.execute(LISTEN)
    return _backend(connection)


def _backend(connection: Connection) -> int:
    row = connection.execute(BACKEND).fetchone()
    assert row is not None
    pid: int = row[0]
    return pid


def _notify(connection: Connection, payload: str) -> None:
    connection.execute(PING, (PING_CHANNEL, payload))


def _arrived(connection: Connection) -> list[Notification]:
    """What has arrived; never blocks. A list, since the generator holds a lock."""
    with translated():
        return [
            Notification(notify.channel, notify.payload)
            for notify in connection.notifies(timeout=0)
        ]
