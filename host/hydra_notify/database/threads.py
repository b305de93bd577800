"""Statements in worker threads, which a caller may walk away from at any time."""

import threading
from collections.abc import Callable
from typing import TypeVar

import trio
from psycopg import Connection

from hydra_notify.database.connection import (
    connect,
    prepare_nothing_behind_a_pooler,
    shut,
    translated,
)
from hydra_notify.errors import DatabaseLost
from hydra_notify.limits import CONNECT_TIMEOUT, STATEMENT_DEADLINE

T = TypeVar("T")


class Database:
    """Statements in worker threads, one batch at a time, on one connection."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: Connection | None = None
        self._turn = trio.Lock()
        self._under_way: trio.CancelScope | None = None

    async def run(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, run in a thread with the connection.

        *Cancellation*: the connection is cut and dropped; whether its last transaction
        was committed is then unknown.

        Raises:
            DatabaseLost: No connection, or it broke; nothing of `work` may be assumed.
            DatabaseError: A statement was refused.
        """
        try:
            # Nearly always it is free, and waiting for it would be a turn of the loop.
            self._turn.acquire_nowait()
        except trio.WouldBlock:
            await self._turn.acquire()
        try:
            with trio.move_on_after(STATEMENT_DEADLINE + CONNECT_TIMEOUT) as scope:
                self._under_way = scope
                return await self._run(work)
        finally:
            self._under_way = None
            self._turn.release()
        assert scope.cancelled_caught
        raise DatabaseLost("no answer within the deadline")

    def renew(self) -> None:
        """Do nothing more with the connection there is: it may lead nowhere.

        Work that is under way ends with `DatabaseLost`.
        """
        self.drop()
        if self._under_way is not None:
            self._under_way.cancel()

    async def _run(self, work: Callable[[Connection], T]) -> T:
        connection, self._idle = self._idle, None
        self._idle, result = await in_thread(self._url, connection, work)
        return result

    def drop(self) -> None:
        """Close the connection unless it is in use; the next use opens another."""
        if self._idle is not None:
            self._idle.close()
            self._idle = None

    async def close(self) -> None:
        """Say goodbye to the server, when what is under way has ended."""
        with trio.move_on_after(STATEMENT_DEADLINE):
            async with self._turn:
                self.drop()


async def in_thread(
    url: str, connection: Connection | None, work: Callable[[Connection], T]
) -> tuple[Connection, T]:
    """Run `work` in a worker thread, on a new connection if there is none.

    When this raises, or is cancelled, the connection is lost: it is cut off at once and
    closed by whichever of thread and caller leaves last.

    Returns:
        The connection, to be used again, and what `work` returned.

    Raises:
        DatabaseLost: No connection, or it broke.
        DatabaseError: A statement was refused.
    """
    hop = _Hop(connection)
    try:
        result = await trio.to_thread.run_sync(
            hop.run, url, work, abandon_on_cancel=True
        )
    except BaseException:
        hop.abandon()
        raise
    assert hop.connection is not None
    return hop.connection, result


class _Hop:
    """One batch of statements in a worker thread, which its caller may walk away from.

    Whichever of the two leaves last closes a connection that is not to be used again.
    """

    def __init__(self, connection: Connection | None) -> None:
        self.connection = connection
        self._lock = threading.Lock()
        self._running = False
        self._abandoned = False

    def run(self, url: str, work: Callable[[Connection], T]) -> T:
        """In the thread: connect if need be, then do the work."""
        self._begin()
        try:
            connection = self._connect(url)
            with translated():
                return work(connection)
        finally:
            with self._lock:
                self._running = False
                if self.connection and self._abandoned:
                    self.connection.close()

    def _begin(self) -> None:
        with self._lock:
            if self._abandoned:
                raise DatabaseLost("nobody waits for this work any more")
            self._running = True

    def abandon(self) -> None:
        """In the caller: the connection is lost, whatever the thread does or did."""
        with self._lock:
            self._abandoned = True
            if self.connection and self._running:
                shut(self.connection)
            elif self.connection:
                self.connection.close()

    def _connect(self, url: str) -> Connection:
        if self.connection is not None:
            return self.connection
        connection = connect(url)
        with self._lock:
            self.connection = connection
            if self._abandoned:
                raise DatabaseLost("nobody waits for this connection any more")
        # Only now can a peer that falls silent be cut off.
        prepare_nothing_behind_a_pooler(connection)
        return connection
