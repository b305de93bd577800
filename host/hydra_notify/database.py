"""The one door to Postgres: synchronous psycopg 3 in worker threads, public API only.

Statements run in a thread, one hop for a whole batch, on one connection that is opened
when it is needed and dropped when it breaks. Everything psycopg raises becomes one of
two errors here: `DatabaseLost` (try again: the next use connects anew) or
`DatabaseError` (the statement itself is refused).
"""

import os
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

import psycopg
import trio
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from hydra_notify.errors import DatabaseError, DatabaseLost
from hydra_notify.limits import (
    CONNECT_TIMEOUT,
    LOCK_TIMEOUT,
    STATEMENT_DEADLINE,
    STATEMENT_TIMEOUT,
)

__all__ = [
    "Connection",
    "Database",
    "TupleRow",
    "connect",
    "shut",
    "snapshot_transaction",
    "translated",
]

T = TypeVar("T")

_TRANSIENT_CLASSES: Final = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""SQLSTATE classes that another try can cure: connection, read-only transaction,
deadlock, resources, locks, operator intervention, system error."""

_TRANSIENT_STATES: Final = frozenset(
    {"28P01", "28000", "3D000", "42P01", "42501", "0A000"}
)
"""States an operator is about to cure: password rotation, a database or schema that
hydra-init has not made yet, a grant. And a plan that a migration has made stale, which
a new connection does not have."""

_SETTINGS: Final = (
    f"-c statement_timeout={int(STATEMENT_TIMEOUT * 1000)}"
    f" -c lock_timeout={int(LOCK_TIMEOUT * 1000)}"
    # Clearing compares again after a wait only in this one.
    r" -c default_transaction_isolation=read\ committed"
)
"""Server settings of every connection, as libpq's `options`."""


def connect(url: str, *, application_name: str = "hydra-notify") -> Connection:
    """An autocommit connection with every time limit set. Blocks; call it in a thread.

    Args:
        url: A libpq URL or connection string. An `application_name` in it wins, and
            so do `options` in it or in `PGOPTIONS`.

    Raises:
        DatabaseLost: Nobody answers, or not yet.
        DatabaseError: The URL is none.
    """
    with translated():
        options = conninfo_to_dict(url).get("options") or os.environ.get("PGOPTIONS")
        return psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT,
            fallback_application_name=application_name,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=int(STATEMENT_DEADLINE * 1000),
            # From a database without an encoding, text would come as bytes.
            client_encoding="UTF8",
            options=f"{_SETTINGS} {options or ''}",
        )


@contextmanager
def snapshot_transaction(connection: Connection) -> Generator[None]:
    """Everything read inside is as it was at one moment; nothing can be written.

    Args:
        connection: Autocommit, outside a transaction.
    """
    connection.execute("begin isolation level repeatable read, read only")
    try:
        yield
    except BaseException:
        # The error in hand says more than a failure to end what it broke.
        with suppress(psycopg.Error):
            connection.rollback()
        raise
    connection.commit()


class translated:  # noqa: N801 -- reads as a verb in `with translated():`
    """Turns psycopg's errors into ours, keeping the cause."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _tb: object) -> None:
        if isinstance(error, psycopg.Error):
            raise _translate(error) from error


def _translate(error: psycopg.Error) -> DatabaseLost | DatabaseError:
    # A terminated or restarted server gives an OperationalError without a state.
    state = error.sqlstate
    text = str(error).strip().splitlines()
    message = text[0] if text else type(error).__name__
    if (
        state is None
        and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    ) or (state and (state[:2] in _TRANSIENT_CLASSES or state in _TRANSIENT_STATES)):
        return DatabaseLost(message)
    return DatabaseError(f"{message} (SQLSTATE {state})" if state else message)


def shut(connection: Connection) -> None:
    """Cut a connection off at the socket, which frees a thread that waits on it.

    A black-holed peer answers nothing, so a polite close could wait for ever. The
    connection is still to be closed, by whoever uses it.
    """
    with suppress(OSError, psycopg.Error):
        descriptor = os.dup(connection.fileno())
        with socket.socket(fileno=descriptor) as stream:
            stream.shutdown(socket.SHUT_RDWR)


class Database:
    """Statements in worker threads, one batch at a time, on one connection."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: Connection | None = None
        self._turn = trio.Lock()

    async def run(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, run in a thread with the connection.

        *Cancellation*: the connection is cut and dropped; whether its last transaction
        was committed is then unknown.

        Raises:
            DatabaseLost: No connection, or it broke; nothing of `work` may be assumed.
            DatabaseError: A statement was refused.
        """
        async with self._turn:
            with trio.move_on_after(STATEMENT_DEADLINE + CONNECT_TIMEOUT) as scope:
                return await self._run(work)
        assert scope.cancelled_caught
        raise DatabaseLost("no answer within the deadline")

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
        self._running = True
        self._abandoned = False

    def run(self, url: str, work: Callable[[Connection], T]) -> T:
        """In the thread: connect if need be, then do the work."""
        try:
            connection = self._connect(url)
            with translated():
                return work(connection)
        finally:
            with self._lock:
                self._running = False
                if self.connection and self._abandoned:
                    self.connection.close()

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
        return connection
