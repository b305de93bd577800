"""The operators' side of the ledger: what is owed, what was given up, and orders.

An order is a row that is marked; the active host does what it says and unmarks it. So
orders can be given while the host runs, and while it does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hydra_notify.database import Connection, TupleRow
from hydra_notify.events import ORDERS_CHANNEL
from hydra_notify.records import Standing

_COLUMNS: Final = """
select d.event, d.plugin, d.standing, e.channel, e.payload, d.attempts, d.crashes,
       d.reason, e.recorded_at, d.changed_at, d.failing_since,
       case when d.standing = 'owed' and d.due_at > now() then d.due_at end
from hydra_notify.delivery d join hydra_notify.event e on e.id = d.event
"""

LETTERS: Final = (
    _COLUMNS
    + """
where d.standing = any(%(standings)s::text[])
  and (%(plugin)s::text is null or d.plugin = %(plugin)s)
  and (%(ids)s::text[] is null or d.event = any(%(ids)s))
order by e.number, d.plugin
limit %(limit)s
"""
)

COUNTS: Final = """
select plugin, standing, count(*) from hydra_notify.delivery group by 1, 2 order by 1, 2
"""

ORDER: Final = """
update hydra_notify.delivery set standing = %(order)s, changed_at = now()
where standing in ('dead', 'orphaned')
  and (%(plugin)s::text is null or plugin = %(plugin)s)
  and (%(ids)s::text[] is null or event = any(%(ids)s))
returning event, plugin
"""

TELL: Final = "select pg_notify(%s, '')"

SIZES: Final = """
select (select count(*) from hydra_notify.event where open),
       (select count(*) from hydra_notify.event where not open),
       (select coalesce(sum(pg_total_relation_size(c.oid)), 0)::int8
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'hydra_notify' and c.relkind = 'r')
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """One delivery that is not settled.

    Attributes:
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
    """

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


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much the ledger holds; `total_bytes` is what its tables take on disk."""

    open_events: int
    closed_events: int
    total_bytes: int


def letters(
    connection: Connection,
    standings: Sequence[Standing],
    *,
    plugin: str | None = None,
    ids: Sequence[str] | None = None,
    limit: int | None = None,
) -> list[Letter]:
    """Deliveries that stand so, oldest event first.

    Args:
        standings: Which ones.
        plugin: Of that plugin only.
        ids: Of these events only.
        limit: At most so many.
    """
    named = None if ids is None else list(ids)
    rows = connection.execute(
        LETTERS,
        {
            "standings": [standing.value for standing in standings],
            "plugin": plugin,
            "ids": named,
            "limit": limit,
        },
    ).fetchall()
    return [_letter(row) for row in rows]


def counts(connection: Connection) -> list[tuple[str, Standing, int]]:
    """How many deliveries of each plugin stand how."""
    rows = connection.execute(COUNTS).fetchall()
    return [(plugin, Standing(standing), number) for plugin, standing, number in rows]


def order(
    connection: Connection,
    *,
    again: bool,
    plugin: str | None = None,
    ids: Sequence[str] | None = None,
) -> list[tuple[str, str]]:
    """Have dead letters and orphans tried again, or forgotten.

    Args:
        again: Whether to try them again.
        plugin: Of that plugin only.
        ids: Of these events only.

    Returns:
        Event and plugin of each.
    """
    with connection.transaction():
        named = None if ids is None else list(ids)
        order = Standing.AGAIN if again else Standing.DROP
        given = {"order": order.value, "plugin": plugin, "ids": named}
        rows = connection.execute(ORDER, given).fetchall()
        connection.execute(TELL, (ORDERS_CHANNEL,))
    return [(event, plugin) for event, plugin in rows]


def sizes(connection: Connection) -> Sizes:
    """How much the ledger holds."""
    row = connection.execute(SIZES).fetchone()
    assert row is not None
    return Sizes(*row)


def _letter(row: TupleRow) -> Letter:
    event, plugin, standing, *rest = row
    return Letter(event, plugin, Standing(standing), *rest)
