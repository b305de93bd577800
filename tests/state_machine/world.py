"""Builds and flags, as the queue runner changes them: in memory, or in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hydra_notify import ledger
from hydra_notify.database import Connection
from hydra_notify.records import Standing

CANCELLED = 4


@dataclass(frozen=True)
class Row:
    """One build; times are seconds since 1970."""

    finished: bool = False
    pending: int | None = None
    status: int | None = None
    start: int | None = None
    stop: int | None = None


@dataclass(frozen=True, order=True)
class Outcome:
    """What a build came to."""

    build: int
    status: int
    start: int
    stop: int


def outcome_of(build: int, row: Row) -> Outcome:
    assert row.status is not None
    assert row.start is not None
    assert row.stop is not None
    return Outcome(build, row.status, row.start, row.stop)


Letters = list[tuple[str, str, Standing]]
"""Event, plugin and standing of deliveries in the ledger."""


class World(Protocol):
    """What the machine needs of a database, beside the store of its hosts."""

    builds: Sequence[int]

    def row(self, build: int) -> Row | None:
        """The build, or None when it is gone."""
        ...

    def put(self, build: int, row: Row | None) -> None:
        """Make the build so; None deletes it."""
        ...

    def letters(self) -> Letters:
        """What is in the ledger."""
        ...

    def order(self, event: str, plugin: str, *, again: bool) -> None:
        """What an operator does to a dead letter."""
        ...


def finish(world: World, build: int, status: int, at: int) -> Outcome:
    """The queue runner commits an outcome and its flag."""
    world.put(build, Row(True, at, status, at - 5, at))
    return Outcome(build, status, at - 5, at)


def restart(world: World, build: int) -> None:
    """Flag, status and times stay as they were."""
    row = world.row(build)
    assert row is not None
    world.put(build, replace(row, finished=False))


def cancel(world: World, build: int, at: int) -> Outcome:
    """No flag is set; one that is left over from before a restart stays."""
    row = world.row(build)
    assert row is not None
    world.put(build, Row(True, row.pending, CANCELLED, at, at))
    return Outcome(build, CANCELLED, at, at)


READ = """
select finished = 1, notificationpendingsince, buildstatus, starttime, stoptime
from builds where id = %s
"""

WRITE = """
update builds set finished = %s, notificationpendingsince = %s, buildstatus = %s,
                  starttime = %s, stoptime = %s
where id = %s
"""

DELETE = "delete from builds where id = %s"

LETTERS = "select event, plugin, standing from hydra_notify.delivery order by 1, 2"


class PostgresWorld:
    """A real Hydra database, with a real ledger."""

    def __init__(self, connection: Connection, builds: Sequence[int]) -> None:
        self.builds = builds
        self._connection = connection

    def row(self, build: int) -> Row | None:
        found = self._connection.execute(READ, (build,)).fetchone()
        return None if found is None else Row(*found)

    def put(self, build: int, row: Row | None) -> None:
        if row is None:
            self._connection.execute(DELETE, (build,))
            return
        values = (int(row.finished), row.pending, row.status, row.start, row.stop)
        self._connection.execute(WRITE, (*values, build))

    def letters(self) -> Letters:
        rows = self._connection.execute(LETTERS).fetchall()
        return [(event, plugin, Standing(standing)) for event, plugin, standing in rows]

    def order(self, event: str, plugin: str, *, again: bool) -> None:
        ledger.order(self._connection, [(event, plugin)], again=again)
