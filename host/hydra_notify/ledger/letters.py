"""What operators see of the ledger: what is owed or was given up, how much it holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hydra_notify.database import Connection, TupleRow
from hydra_notify.records import Standing

_COLUMNS: Final = """
select e.number, d.event, d.plugin, d.standing, e.channel, e.payload, d.attempts,
       d.crashes, d.reason, e.recorded_at, d.changed_at, d.failing_since,
       case when d.standing = 'owed' and d.due_at > now() then d.due_at end, now()
from hydra_notify.delivery d join hydra_notify.event e on e.id = d.event
"""

LETTERS: Final = (
    _COLUMNS
    + """
where d.standing = any(%(standings)s::text[])
  and (%(plugin)s::text is null or d.plugin = %(plugin)s)
  and (%(ids)s::text[] is null or d.event = any(%(ids)s))
order by e.number, d.plugin
"""
)

LATEST: Final = (
    _COLUMNS
    + """
where d.standing in ('dead', 'orphaned')
order by d.changed_at desc, e.number, d.plugin
limit %s
"""
)

COUNT_LEFT_OVER: Final = """
select count(*) from hydra_notify.delivery where standing in ('dead', 'orphaned')
"""

OF_SUBJECT: Final = (
    _COLUMNS
    + """
where e.subject = %s
order by e.number, d.plugin
limit %s
"""
)

OF_BUILDS: Final = (
    _COLUMNS
    + """
where e.open and exists (
    select from jsonb_array_elements(e.flags) as flag
    where (flag ->> 0)::int8 = any(%s::int8[]))
order by e.number, d.plugin
"""
)

FLAGGED: Final = """
select e.id, (flag ->> 0)::int8
from hydra_notify.event e, jsonb_array_elements(e.flags) as flag
where e.id = any(%s::text[])
"""

# No flag remembers these: without the ledger they would be forgotten.
UNFLAGGED: Final = (
    _COLUMNS
    + """
where d.standing in ('owed', 'again', 'drop') and e.flags = '[]'
order by e.number, d.plugin
limit %s
"""
)

COUNT_UNFLAGGED: Final = """
select count(*)
from hydra_notify.delivery d join hydra_notify.event e on e.id = d.event
where d.standing in ('owed', 'again', 'drop') and e.flags = '[]'
"""

IDS: Final = """
select id, number::text from hydra_notify.event
where id = any(%(names)s::text[]) or number::text = any(%(names)s::text[])
"""

COUNTS: Final = """
select plugin, standing, count(*) from hydra_notify.delivery group by 1, 2 order by 1, 2
"""

SIZES: Final = """
select (select count(*) from hydra_notify.event where open),
       (select count(*) from hydra_notify.event where not open),
       (select coalesce(sum(pg_total_relation_size(c.oid)), 0)::int8
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'hydra_notify' and c.relkind = 'r')
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """One delivery that is not settled. All times are by the database's clock.

    Attributes:
        number: The event's in the ledger: quicker to type than its id.
        event: The event's id.
        plugin: Who is owed it.
        standing: How it stands.
        channel: The event's name.
        payload: What was announced.
        attempts: How often it was tried.
        crashes: Crashes of the plugin while this was in flight.
        reason: The latest failure.
        since: When the ledger heard of the event.
        changed: When the ledger heard of this last.
        failing_since: When it failed first, if it did.
        due: When it is tried again; None where that is not a question of time.
        read: When all this was so.
    """

    number: int
    event: str
    plugin: str
    standing: Standing
    channel: str
    payload: str
    attempts: int
    crashes: int
    reason: str
    since: datetime
    changed: datetime
    failing_since: datetime | None
    due: datetime | None
    read: datetime


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much the ledger holds; `total_bytes` is what its tables take on disk."""

    open_events: int
    closed_events: int
    total_bytes: int


def letters(
    connection: Connection,
    standings: Iterable[Standing],
    *,
    plugin: str | None = None,
    ids: Sequence[str] | None = None,
) -> list[Letter]:
    """Deliveries that stand so, oldest event first.

    Args:
        standings: Which ones.
        plugin: Of that plugin only.
        ids: Of these events only.
    """
    rows = connection.execute(
        LETTERS,
        {
            "standings": [standing.value for standing in standings],
            "plugin": plugin,
            "ids": None if ids is None else list(ids),
        },
    ).fetchall()
    return [_letter(row) for row in rows]


def latest_given_up(connection: Connection, limit: int) -> tuple[int, list[Letter]]:
    """Dead letters and orphans.

    Returns:
        How many there are, and `limit` of them, the latest first.
    """
    row = connection.execute(COUNT_LEFT_OVER).fetchone()
    assert row is not None
    rows = connection.execute(LATEST, (limit,)).fetchall()
    return int(row[0]), [_letter(row) for row in rows]


def letters_of_subject(
    connection: Connection, subject: str, limit: int
) -> list[Letter]:
    """What is not settled of the events about `subject`, at most `limit`."""
    rows = connection.execute(OF_SUBJECT, (subject, limit)).fetchall()
    return [_letter(row) for row in rows]


def letters_of_builds(
    connection: Connection, builds: Sequence[int]
) -> dict[int, list[Letter]]:
    """What is not settled of the open events that hold the flags of these builds."""
    rows = connection.execute(OF_BUILDS, (list(builds),)).fetchall()
    found = [_letter(row) for row in rows]
    flagged: dict[str, list[int]] = {}
    ids = list({letter.event for letter in found})
    for id_, build in connection.execute(FLAGGED, (ids,)).fetchall():
        flagged.setdefault(id_, []).append(build)
    of_builds: dict[int, list[Letter]] = {build: [] for build in builds}
    for letter in found:
        for build in flagged.get(letter.event, ()):
            if build in of_builds:
                of_builds[build].append(letter)
    return of_builds


def unflagged(connection: Connection, limit: int) -> tuple[int, list[Letter]]:
    """Deliveries that are still to be made and that no pending flag stands for.

    Returns:
        How many there are, and the oldest `limit`.
    """
    row = connection.execute(COUNT_UNFLAGGED).fetchone()
    assert row is not None
    rows = connection.execute(UNFLAGGED, (limit,)).fetchall()
    return int(row[0]), [_letter(row) for row in rows]


def event_ids(connection: Connection, names: Sequence[str]) -> dict[str, str]:
    """Ids of the events that are named by id or number; unknown names are left out."""
    given = set(names)
    rows = connection.execute(IDS, {"names": list(names)}).fetchall()
    return {
        name: id_ for id_, number in rows for name in (id_, number) if name in given
    }


def counts(connection: Connection) -> list[tuple[str, Standing, int]]:
    """How many deliveries of each plugin stand how."""
    rows = connection.execute(COUNTS).fetchall()
    return [(plugin, Standing(standing), number) for plugin, standing, number in rows]


def sizes(connection: Connection) -> Sizes:
    """How much the ledger holds."""
    row = connection.execute(SIZES).fetchone()
    assert row is not None
    return Sizes(*row)


def _letter(row: TupleRow) -> Letter:
    number, event, plugin, standing, *rest = row
    return Letter(number, event, plugin, Standing(standing), *rest)
