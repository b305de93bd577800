"""What the database knows where no host can be asked."""

from dataclasses import dataclass
from typing import Final

from hydra_notify import builds
from hydra_notify.database import Connection
from hydra_notify.election import holder

BACKEND: Final = """
select coalesce(host(client_addr), ''), backend_start is not null
from pg_stat_activity where pid = %s
"""
"""Of other roles Postgres shows neither."""


@dataclass(frozen=True, slots=True)
class Active:
    """The host that is active on a database.

    Attributes:
        pid: Of its backend.
        address: Where it connects from; "" for the database's own machine, None if
            Postgres does not tell.
    """

    pid: int
    address: str | None

    def __str__(self) -> str:
        if self.address is None:
            return f"backend {self.pid}"
        place = f"from {self.address}" if self.address else "on the database's machine"
        return f"backend {self.pid}, {place}"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A database without a host to be asked.

    Attributes:
        active: The active host, if there is one.
        pending: Builds whose flag is set.
    """

    active: Active | None
    pending: int


def active_host(connection: Connection) -> Active | None:
    """The host that is active on this database; one that polls does not show."""
    pid = holder(connection)
    if pid is None:
        return None
    row = connection.execute(BACKEND, (pid,)).fetchone()
    return Active(pid, row[0] if row is not None and row[1] else None)


def look(connection: Connection) -> Elsewhere:
    """Who is active, and what waits."""
    return Elsewhere(active_host(connection), builds.count_pending(connection))
