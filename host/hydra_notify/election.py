"""Which host on a database is the active one: who holds an advisory lock.

The lock belongs to a session and ends with it, also when the host dies or its server
does. It needs no table and no grant. Two hosts that both believe to be active for a
while only deliver twice: every clear of a flag is a comparison.
"""

from collections.abc import Collection
from enum import Enum
from typing import Final, NamedTuple

from hydra_notify.database import Connection, translated
from hydra_notify.errors import PermissionDenied

LOCK_CLASS: Final = 0x68796E6F
"""`hyno`: advisory locks have numbers, which all programs on a database share."""

ACTIVE_HOST: Final = 1
"""The one lock of this class that there is so far."""

TAKE: Final = "select pg_try_advisory_lock(%s::int4, %s::int4)"

# `objsubid` 2 marks locks of two numbers.
HOLDER: Final = """
select pid from pg_locks
where locktype = 'advisory' and granted and objsubid = 2
  and database = (select oid from pg_database where datname = current_database())
  and classid = %s::int8::oid and objid = %s::int8::oid
"""

TERMINATE: Final = "select pg_terminate_backend(%s::int4)"


def take_lock(connection: Connection) -> bool:
    """Become the active host if there is none; the session keeps the lock."""
    row = connection.execute(TAKE, (LOCK_CLASS, ACTIVE_HOST)).fetchone()
    return row == (True,)


def holder(connection: Connection) -> int | None:
    """The process id of the active host's backend; None when no host is active."""
    row = connection.execute(HOLDER, (LOCK_CLASS, ACTIVE_HOST)).fetchone()
    return None if row is None else int(row[0])


def host_is_active(connection: Connection) -> bool:
    """Whether some host is at work on this database; one that polls does not show."""
    return holder(connection) is not None


def terminate(connection: Connection, pid: int) -> None:
    """End the backend `pid`; it is gone a moment later. One that is gone is fine.

    Raises:
        PermissionDenied: It belongs to another role.
    """
    try:
        with translated():
            connection.execute(TERMINATE, (pid,))
    except PermissionDenied as error:
        raise PermissionDenied(
            f"may not end the session of another host, backend {pid} ({error});"
            " let both hosts log in as one role, or run:"
            f" GRANT pg_signal_backend TO {connection.info.user}"
        ) from error


class Result(Enum):
    """What an attempt to become the active host came to."""

    WON = "won"
    HELD = "held"
    ENDED = "ended"
    """It was held, by a backend that is being ended now."""


class Attempt(NamedTuple):
    """An attempt to become the active host, and the backend that holds the lock."""

    result: Result
    holder: int | None
    refusal: str = ""


def contend(connection: Connection, dead: Collection[int]) -> Attempt:
    """Try to become the active host.

    Args:
        dead: Backends whose hosts are known to be dead: one that holds the lock is
            ended. The `refusal` says why it could not be.
    """
    if take_lock(connection):
        return Attempt(Result.WON, None)
    pid = holder(connection)
    if pid is None or pid not in dead:
        return Attempt(Result.HELD, pid)
    try:
        terminate(connection, pid)
    except PermissionDenied as error:
        return Attempt(Result.HELD, pid, str(error))
    return Attempt(Result.ENDED, pid)
