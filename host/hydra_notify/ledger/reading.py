"""Reading the ledger: when a host starts, and what operators have ordered since."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from hydra_notify.database import Connection, TupleRow
from hydra_notify.events import Notification
from hydra_notify.facts import PendingFlag
from hydra_notify.ledger.writing import check
from hydra_notify.records import DeliveryRecord, EventRecord, Order, Standing

OPEN: Final = """
select number, id, channel, payload, subject, flags::text, open
from hydra_notify.event
where open and number > %s
order by number
limit %s
"""

DELIVERIES: Final = """
select event, plugin, standing, attempts, crashes,
       greatest(0, extract(epoch from due_at - now()))::float8,
       extract(epoch from now() - failing_since)::float8, reason
from hydra_notify.delivery
where event = any(%s::text[])
order by event, plugin
"""

KEPT: Final = "select id from hydra_notify.event where not open"

MANIFESTS: Final = "select name, command::text, manifest::text from hydra_notify.plugin"

ORDERED: Final = """
select event, plugin, standing from hydra_notify.delivery
where standing in ('again', 'drop')
order by changed_at, event, plugin
"""

# It is given up again when it has failed for long enough from now on.
TRIED_AGAIN: Final = """
update hydra_notify.delivery d
set standing = 'owed', due_at = now(), failing_since = null, changed_at = now()
from unnest(%s::text[], %s::text[]) as named (event, plugin)
where d.event = named.event and d.plugin = named.plugin and d.standing = 'again'
"""

FORGOTTEN: Final = """
delete from hydra_notify.delivery d
using unnest(%s::text[], %s::text[]) as named (event, plugin)
where d.event = named.event and d.plugin = named.plugin and d.standing = 'drop'
"""

REOPEN: Final = "update hydra_notify.event set open = true where id = any(%s::text[])"

NAMED: Final = """
select number, id, channel, payload, subject, flags::text, open
from hydra_notify.event
where id = any(%s::text[])
"""

EMPTY: Final = """
delete from hydra_notify.event e
where id = any(%s::text[]) and not open
  and not exists (select from hydra_notify.delivery d where d.event = e.id)
"""

PRUNE: Final = """
delete from hydra_notify.event e
where not open and not exists (
    select from hydra_notify.delivery d
    where d.event = e.id and (
        d.standing not in ('dead', 'orphaned')
        or d.changed_at > now() - make_interval(secs => %s)))
returning id
"""

_flags: Final = msgspec.json.Decoder(
    list[tuple[int, int, int | None, int | None, int | None]]
)
_command: Final = msgspec.json.Decoder(tuple[str, ...])


def open_page(
    connection: Connection, after: int, limit: int
) -> tuple[int, list[EventRecord]]:
    """Open events in the order in which they were recorded.

    Args:
        after: Where the page before ended; 0 for the first.
        limit: Events at most.

    Returns:
        Where this page ends, and the events; none when there are no more.
    """
    rows = connection.execute(OPEN, (after, limit)).fetchall()
    return (rows[-1][0] if rows else after), _with_deliveries(connection, rows)


def events(connection: Connection, ids: Sequence[str]) -> list[EventRecord]:
    """What the ledger has of these events; those that it does not know are left out."""
    rows = connection.execute(NAMED, (list(ids),)).fetchall()
    return _with_deliveries(connection, rows)


def kept_ids(connection: Connection) -> set[str]:
    """Ids of events of which only dead letters and orphans are left."""
    return {id_ for (id_,) in connection.execute(KEPT).fetchall()}


def manifests(connection: Connection) -> dict[str, tuple[tuple[str, ...], str]]:
    """What plugins last said of themselves: command and manifest (JSON), by name."""
    rows = connection.execute(MANIFESTS).fetchall()
    return {name: (_command.decode(command), text) for name, command, text in rows}


def orders(connection: Connection) -> list[Order]:
    """What operators want. It stays an order until it is `confirm`ed."""
    rows = connection.execute(ORDERED).fetchall()
    records = {each.id: each for each in events(connection, [row[0] for row in rows])}
    return [
        Order(records[event], plugin, again=standing == Standing.AGAIN)
        for event, plugin, standing in rows
        # It may have been settled between the two statements.
        if event in records
    ]


def confirm(connection: Connection, host: str, obeyed: Sequence[Order]) -> None:
    """These orders are obeyed: from now on it is as if it had always been so.

    Raises:
        LedgerTaken: `host` is no longer the one that writes.
    """
    again = [order for order in obeyed if order.again]
    forgotten = [order for order in obeyed if not order.again]
    with connection.transaction():
        check(connection, host)
        connection.execute(TRIED_AGAIN, _pairs(again))
        connection.execute(FORGOTTEN, _pairs(forgotten))
        connection.execute(REOPEN, ([order.event.id for order in again],))
        connection.execute(EMPTY, ([order.event.id for order in forgotten],))


def _pairs(obeyed: Sequence[Order]) -> tuple[list[str], list[str]]:
    return [order.event.id for order in obeyed], [order.plugin for order in obeyed]


def prune(connection: Connection, keep: float) -> list[str]:
    """Forget dead letters and orphans that hold nothing and are `keep` seconds old.

    Returns:
        The ids of the events that are gone.
    """
    return [id_ for (id_,) in connection.execute(PRUNE, (keep,)).fetchall()]


def _with_deliveries(
    connection: Connection, rows: Iterable[TupleRow]
) -> list[EventRecord]:
    by_event: dict[str, list[DeliveryRecord]] = {row[1]: [] for row in rows}
    found = connection.execute(DELIVERIES, (list(by_event),)).fetchall()
    for event, plugin, standing, *rest in found:
        by_event[event].append(_delivery(plugin, Standing(standing), *rest))
    return [
        EventRecord(
            id_,
            Notification(channel, payload),
            subject,
            tuple(PendingFlag(*flag) for flag in _flags.decode(flags)),
            open_,
            tuple(by_event[id_]),
        )
        for _, id_, channel, payload, subject, flags, open_ in rows
    ]


def _delivery(
    plugin: str,
    standing: Standing,
    attempts: int,
    crashes: int,
    due_in: float,
    failing_for: float | None,
    reason: str,
) -> DeliveryRecord:
    if standing is Standing.AGAIN:
        due_in, failing_for = 0.0, None
    return DeliveryRecord(
        plugin, standing, attempts, crashes, due_in, failing_for, reason
    )
