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

# It is given up again when it has failed for long enough from now on.
ORDERED: Final = """
update hydra_notify.delivery
set standing = 'owed', due_at = now(), failing_since = null, changed_at = now()
where standing = 'again'
returning event, plugin
"""

FORGOTTEN: Final = """
delete from hydra_notify.delivery where standing = 'drop' returning event, plugin
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


def take_orders(connection: Connection, host: str) -> list[Order]:
    """What operators want, which from now on is as if it had always been so.

    Raises:
        LedgerTaken: `host` is no longer the one that writes.
    """
    with connection.transaction():
        check(connection, host)
        again = connection.execute(ORDERED).fetchall()
        forgotten = connection.execute(FORGOTTEN).fetchall()
        if not again and not forgotten:
            return []
        named = [event for event, _ in again + forgotten]
        connection.execute(REOPEN, ([event for event, _ in again],))
        records = {each.id: each for each in events(connection, named)}
        connection.execute(EMPTY, (named,))
    return [
        *(Order(records[event], plugin, again=True) for event, plugin in again),
        *(Order(records[event], plugin, again=False) for event, plugin in forgotten),
    ]


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
        by_event[event].append(DeliveryRecord(plugin, Standing(standing), *rest))
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
