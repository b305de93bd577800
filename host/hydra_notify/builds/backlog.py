"""Builds whose pending flag is set, as an operator looks at them."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from hydra_notify.database import Connection

COUNT: Final = "select count(*) from builds where notificationpendingsince is not null"

# Hydra's times are whole seconds of its own clock; so is what is reckoned from them.
OLDEST: Final = """
select b.id, j.project || ':' || j.name || ':' || b.job, b.finished = 1, b.buildstatus,
       b.notificationpendingsince::int8,
       greatest(0, extract(epoch from now())::int8 - b.notificationpendingsince)
from builds b join jobsets j on j.id = b.jobset_id
where b.notificationpendingsince is not null
order by b.notificationpendingsince, b.id
limit %s
"""


ONE: Final = """
select b.id, j.project || ':' || j.name || ':' || b.job, b.finished = 1, b.buildstatus,
       b.notificationpendingsince::int8
from builds b join jobsets j on j.id = b.jobset_id
where b.id = %s
"""


class BuildNow(NamedTuple):
    """A build as it is, as in `PendingBuild`; `since` is None without a flag."""

    build: int
    job: str
    finished: bool
    status: int | None
    since: int | None


@dataclass(frozen=True, slots=True)
class PendingBuild:
    """A build whose flag is set.

    Attributes:
        build: Its id.
        job: `project:jobset:job`.
        finished: Whether it has an outcome; if not it was restarted, and the flag
            waits for the next one.
        status: `buildstatus`.
        since: When the flag was set, seconds since 1970.
        age: For how many seconds it has been set.
    """

    build: int
    job: str
    finished: bool
    status: int | None
    since: int
    age: int


def one_build(connection: Connection, build: int) -> BuildNow | None:
    """How a build is; None if there is none of that id."""
    row = connection.execute(ONE, (build,)).fetchone()
    return None if row is None else BuildNow(*row)


def oldest_pending(connection: Connection, limit: int) -> list[PendingBuild]:
    """The `limit` builds that have been pending for longest."""
    rows = connection.execute(OLDEST, (limit,)).fetchall()
    return [PendingBuild(*row) for row in rows]


def count_pending(connection: Connection) -> int:
    """How many builds are pending."""
    row = connection.execute(COUNT).fetchone()
    assert row is not None
    return int(row[0])
