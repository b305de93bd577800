"""A connection: how it is made, cut off, and what its errors become."""

import os
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict

from hydra_notify.config import passwords
from hydra_notify.errors import DatabaseError, DatabaseLost, PermissionDenied
from hydra_notify.limits import (
    CONNECT_TIMEOUT,
    LOCK_TIMEOUT,
    STATEMENT_DEADLINE,
    STATEMENT_TIMEOUT,
)
from hydra_notify.plugin_log import masker

_TRANSIENT_CLASSES: Final = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""SQLSTATE classes that another try can cure: connection, read-only transaction,
deadlock, resources, locks, operator intervention, system error."""

_TRANSIENT_STATES: Final = frozenset(
    {"28P01", "28000", "3D000", "42P01", "0A000", "26000", "42P05"}
)
"""States an operator is about to cure: password rotation, a database or schema that
hydra-init has not made yet. And what a new connection does not have: a plan that a
migration has made stale, a prepared statement that a pooler has left behind."""

_DENIED: Final = "42501"

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
            so do `options` in it or in `PGOPTIONS`, and a `target_session_attrs`.
            Without one a server that cannot be written to is none: of several hosts,
            the primary is found.

    Raises:
        DatabaseLost: Nobody answers, or not yet.
        DatabaseError: The URL is none.
    """
    with _without(url), translated():
        told = conninfo_to_dict(url)
        options = told.get("options") or os.environ.get("PGOPTIONS")
        target = told.get("target_session_attrs")
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
            target_session_attrs=(
                target or os.environ.get("PGTARGETSESSIONATTRS") or "read-write"
            ),
            options=f"{_SETTINGS} {options or ''}",
        )


@contextmanager
def _without(url: str) -> Generator[None]:
    """Keeps the passwords of `url`, which libpq may quote, out of our errors."""
    try:
        yield
    except (DatabaseLost, DatabaseError) as error:
        mask = masker(passwords(url))
        raise type(error)(mask(str(error))) from error.__cause__


_BACKEND: Final = "select pg_backend_pid()"


def prepare_nothing_behind_a_pooler(connection: Connection) -> None:
    """Do without prepared statements where the next one may go to another backend.

    It may know none, or one of that name that another client has made of another text.
    A pooler gives itself away by the process id it names: not that of the backend.
    """
    with translated():
        row = connection.execute(_BACKEND).fetchone()
    if row != (connection.info.backend_pid,):
        connection.prepare_threshold = None


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
    if state == _DENIED:
        return PermissionDenied(message)
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
