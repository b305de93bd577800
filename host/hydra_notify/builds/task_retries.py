"""What Hydra's Perl daemon has left in its own table of retries.

For operators' commands alone: the host itself never looks at it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hydra_notify.database import Connection

EXISTS: Final = "select to_regclass('taskretries') is not null"

COUNT: Final = "select count(*) from taskretries"

# The time of a retry is seconds since 1970: int4, from schema 88 on int8.
PAGE: Final = """
select id, channel, pluginname, payload, attempts, retry_at::int8
from taskretries
where id > %s
order by id
limit %s
"""

REMOVE: Final = "delete from taskretries where id = any(%s::int4[]) returning id"


@dataclass(frozen=True, slots=True)
class TaskRetry:
    """One notification that a Perl plugin failed to deal with.

    Attributes:
        id: Of the row.
        channel: The event's name.
        plugin_class: Such as `Hydra::Plugin::RunCommand`.
        payload: What was announced.
        attempts: How often it was tried.
        retry_at: When it was to be tried again, seconds since 1970.
    """

    id: int
    channel: str
    plugin_class: str
    payload: str
    attempts: int
    retry_at: int


def count_task_retries(connection: Connection) -> int:
    """How many there are; none where the table is gone."""
    if connection.execute(EXISTS).fetchone() != (True,):
        return 0
    row = connection.execute(COUNT).fetchone()
    assert row is not None
    return int(row[0])


def task_retries(connection: Connection, after: int, limit: int) -> list[TaskRetry]:
    """Those with an id above `after`, ascending, at most `limit`."""
    if connection.execute(EXISTS).fetchone() != (True,):
        return []
    rows = connection.execute(PAGE, (after, limit)).fetchall()
    return [TaskRetry(*row) for row in rows]


def remove_task_retries(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Delete these rows; the ids of those that were still there."""
    rows = connection.execute(REMOVE, (list(ids),)).fetchall()
    return {id_ for (id_,) in rows}
