"""Writing the ledger: whole events, in batches, by the one host that may."""

from collections.abc import Sequence
from typing import Final

import msgspec

from hydra_notify.database import Connection
from hydra_notify.errors import LedgerTaken
from hydra_notify.ledger.schema import require_privileges
from hydra_notify.records import EventRecord

CLAIM: Final = "update hydra_notify.meta set host = %s"

FENCE: Final = "select host from hydra_notify.meta for share"

EVENTS: Final = """
insert into hydra_notify.event (id, channel, payload, subject, flags, open)
select * from unnest(
    %s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::boolean[])
on conflict (id) do update set flags = excluded.flags, open = excluded.open
"""

# What an operator has ordered stands until the host has taken the order.
SETTLED: Final = """
delete from hydra_notify.delivery d
where d.event = any(%s::text[]) and d.standing not in ('again', 'drop')
  and not exists (
    select from unnest(%s::text[], %s::text[]) as left_over (event, plugin)
    where left_over.event = d.event and left_over.plugin = d.plugin)
"""

DELIVERIES: Final = """
insert into hydra_notify.delivery
    (event, plugin, standing, attempts, crashes, due_at, failing_since, reason)
select event, plugin, standing, attempts, crashes,
       now() + make_interval(secs => due_in),
       now() - make_interval(secs => failing_for), reason
from unnest(%s::text[], %s::text[], %s::text[], %s::int4[], %s::int4[], %s::float8[],
            %s::float8[], %s::text[])
    as given (event, plugin, standing, attempts, crashes, due_in, failing_for, reason)
on conflict (event, plugin) do update set
    standing = excluded.standing, attempts = excluded.attempts,
    crashes = excluded.crashes, due_at = excluded.due_at,
    failing_since = excluded.failing_since, reason = excluded.reason,
    changed_at = excluded.changed_at
where delivery.standing not in ('again', 'drop')
"""

GONE: Final = "delete from hydra_notify.event where id = any(%s::text[])"

MANIFEST: Final = """
insert into hydra_notify.plugin (name, command, manifest) values (%s, %s, %s)
on conflict (name) do update set
    command = excluded.command, manifest = excluded.manifest, seen_at = now()
"""

_json: Final = msgspec.json.Encoder()


def claim(connection: Connection, host: str) -> None:
    """Make `host` the one that writes; any other is refused from now on.

    Raises:
        PermissionDenied: It could not write everything.
    """
    require_privileges(connection)
    connection.execute(CLAIM, (host,))


def write(
    connection: Connection,
    host: str,
    records: Sequence[EventRecord],
    gone: Sequence[str],
) -> None:
    """Write what is known of some events, and remove others, in one transaction.

    Args:
        connection: Autocommit.
        host: Who writes.
        records: All there is to say of these events: a delivery that is not among them
            is settled.
        gone: Ids of events that are done with.

    Raises:
        LedgerTaken: Another host has become the one that writes.
    """
    with connection.transaction():
        check(connection, host)
        if records:
            _write_records(connection, records)
        if gone:
            connection.execute(GONE, (list(gone),))


def check(connection: Connection, host: str) -> None:
    """Hold on to being the one that writes, until the end of the transaction.

    Raises:
        LedgerTaken: Another host has become that.
    """
    row = connection.execute(FENCE).fetchone()
    if row is None or row[0] != host:
        raise LedgerTaken("another host writes the ledger now")


def write_manifest(
    connection: Connection, host: str, name: str, command: Sequence[str], manifest: str
) -> None:
    """Remember what a plugin says of itself, and of which program that is true.

    Args:
        name: Of the plugin.
        command: As configured.
        manifest: Its answer to `initialize`, JSON.
    """
    with connection.transaction():
        check(connection, host)
        connection.execute(MANIFEST, (name, _text(list(command)), manifest))


def _write_records(connection: Connection, records: Sequence[EventRecord]) -> None:
    connection.execute(
        EVENTS,
        (
            [record.id for record in records],
            [record.notification.channel for record in records],
            [record.notification.payload for record in records],
            [record.subject for record in records],
            [
                _text(
                    [
                        [flag.build, flag.pending, flag.status, flag.start, flag.stop]
                        for flag in record.flags
                    ]
                )
                for record in records
            ],
            [record.open for record in records],
        ),
    )
    left = [(record.id, each) for record in records for each in record.deliveries]
    events = [id_ for id_, _ in left]
    plugins = [each.plugin for _, each in left]
    ids = [record.id for record in records]
    connection.execute(SETTLED, (ids, events, plugins))
    if not left:
        return
    connection.execute(
        DELIVERIES,
        (
            events,
            plugins,
            [each.standing.value for _, each in left],
            [each.attempts for _, each in left],
            [each.crashes for _, each in left],
            [each.due_in for _, each in left],
            [each.failing_for for _, each in left],
            [_storable(each.reason) for _, each in left],
        ),
    )


def _text(value: object) -> str:
    return _json.encode(value).decode()


def _storable(text: str) -> str:
    """`text` without what Postgres cannot hold: a plugin may say anything."""
    return text.replace("\0", "").encode(errors="replace").decode()
