"""Pending flags: found by the sweep, cleared by comparison, looked at again."""

from collections.abc import Sequence
from enum import Enum
from typing import Final

from hydra_notify.builds.build_rows import array
from hydra_notify.database import Connection
from hydra_notify.facts import PendingFlag


class NoFlag(Enum):
    """Why a build has no flag that could be cleared."""

    GONE = "gone"
    """The row is gone or its flag is null: somebody else cleared it."""

    UNFINISHED = "unfinished"
    """It was restarted. What is left of its flag belongs to its next outcome."""


FlagState = PendingFlag | NoFlag
"""What became of a flag."""

# Locked rows belong to the queue runner for now: they are skipped, not waited for. Ids
# ascend, as the queue runner's do, so that two writers cannot wait for each other.
# With the lock in hand Postgres compares again: a build that finished anew keeps its
# flag.
CLEAR: Final = """
with seen as (
    select * from unnest(%s::int4[], %s::int8[], %s::int4[], %s::int8[], %s::int8[])
        as flags (id, pending, status, start, stop)
), locked as (
    select b.id
    from builds b
    join seen s on s.id = b.id
    where b.notificationpendingsince is not distinct from s.pending
      and b.buildstatus is not distinct from s.status
      and b.starttime is not distinct from s.start
      and b.stoptime is not distinct from s.stop
    order by b.id
    for no key update of b skip locked
)
update builds b set notificationpendingsince = null
from locked l
where b.id = l.id
returning b.id
"""


def clear(connection: Connection, flags: Sequence[PendingFlag]) -> set[int]:
    """Clear each of these flags that still stands for the outcome it was read with.

    Args:
        connection: Autocommit: the comparison needs READ COMMITTED.
        flags: At most `CLEAR_BATCH` or so, in any order.

    Returns:
        Builds whose flag is cleared. The others finished again, were restarted, are
        gone, were cleared by somebody else, or are locked: `read_flags` tells.
    """
    rows = connection.execute(
        CLEAR,
        (
            array([flag.build for flag in flags]),
            array([flag.pending for flag in flags]),
            array([flag.status for flag in flags]),
            array([flag.start for flag in flags]),
            array([flag.stop for flag in flags]),
        ),
    ).fetchall()
    return {build for (build,) in rows}


FLAGS: Final = """
select id, notificationpendingsince, buildstatus, starttime, stoptime, finished
from builds
where id = any(%s::int4[])
"""


def read_flags(connection: Connection, builds: Sequence[int]) -> dict[int, FlagState]:
    """What the flag of each of these builds is now; every one of them is in the result.

    A flag that equals the one `clear` was given was locked and can be cleared later.
    One with other values is another outcome, and an event of its own.
    """
    states: dict[int, FlagState] = dict.fromkeys(builds, NoFlag.GONE)
    rows = connection.execute(FLAGS, (list(builds),)).fetchall()
    for build, pending, status, start, stop, finished in rows:
        if pending is None:
            continue
        if finished:
            states[build] = PendingFlag(build, pending, status, start, stop)
        else:
            states[build] = NoFlag.UNFINISHED
    return states


PENDING: Final = """
select id, notificationpendingsince, buildstatus, starttime, stoptime
from builds
where notificationpendingsince is not null and finished = 1 and id > %s
order by id
limit %s
"""


def pending_page(connection: Connection, after: int, limit: int) -> list[PendingFlag]:
    """Flags of finished builds with an id above `after`, ascending, at most `limit`."""
    rows = connection.execute(PENDING, (after, limit)).fetchall()
    return [PendingFlag(*row) for row in rows]
