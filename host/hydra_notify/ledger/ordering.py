"""What operators order. An order is a row that is marked.

The active host does what it says and unmarks it. So orders can be given while the host
runs, and while it does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hydra_notify.database import Connection
from hydra_notify.events import ORDERS_CHANNEL, Notification
from hydra_notify.records import Standing

ORDER: Final = """
update hydra_notify.delivery d set standing = %(order)s, changed_at = now()
from unnest(%(events)s::text[], %(plugins)s::text[]) as named (event, plugin)
where d.event = named.event and d.plugin = named.plugin
  and d.standing in ('dead', 'orphaned')
returning d.event, d.plugin
"""

# No batch of the host's can be under way then: it might remove an event of which it
# does not know yet that somebody is owed it again.
SHUT_OUT: Final = "select from hydra_notify.meta for update"

EVENTS: Final = """
insert into hydra_notify.event (id, channel, payload, subject, flags, open)
select id, channel, payload, subject, '[]', false
from unnest(%s::text[], %s::text[], %s::text[], %s::text[])
    as given (id, channel, payload, subject)
on conflict (id) do nothing
"""

DELIVERIES: Final = """
insert into hydra_notify.delivery
    (event, plugin, standing, attempts, crashes, due_at, reason)
select event, plugin, 'again', attempts, 0, now(), reason
from unnest(%s::text[], %s::text[], %s::int4[], %s::text[])
    as given (event, plugin, attempts, reason)
on conflict (event, plugin) do update set standing = 'again', changed_at = now()
where delivery.standing in ('dead', 'orphaned')
"""

TELL: Final = "select pg_notify(%s, '')"


@dataclass(frozen=True, slots=True)
class Owed:
    """A delivery that somebody else began and that is now the host's.

    Attributes:
        event: The event's id.
        notification: What announced it.
        subject: What it is about.
        plugin: Who is owed it.
        attempts: How often it was tried.
        reason: What the ledger says of it until it is tried here.
    """

    event: str
    notification: Notification
    subject: str
    plugin: str
    attempts: int
    reason: str


def order(
    connection: Connection, deliveries: Sequence[tuple[str, str]], *, again: bool
) -> list[tuple[str, str]]:
    """Have dead letters and orphans tried again, or forgotten.

    Args:
        deliveries: Event and plugin of each.
        again: Whether to try them again.

    Returns:
        Those of them that still were dead letters or orphans.
    """
    standing = Standing.AGAIN if again else Standing.DROP
    given = {
        "order": standing.value,
        "events": [event for event, _ in deliveries],
        "plugins": [plugin for _, plugin in deliveries],
    }
    with connection.transaction():
        rows = connection.execute(ORDER, given).fetchall()
        tell(connection)
    return [(event, plugin) for event, plugin in rows]


def adopt(connection: Connection, owed: Sequence[Owed]) -> None:
    """Owe plugins events that they, and perhaps only they, have not had.

    A delivery that the ledger has is left as it is, unless it was given up.

    Args:
        connection: In a transaction.
        owed: One of each event and plugin.
    """
    connection.execute(SHUT_OUT)
    connection.execute(
        EVENTS,
        (
            [each.event for each in owed],
            [each.notification.channel for each in owed],
            [each.notification.payload for each in owed],
            [each.subject for each in owed],
        ),
    )
    connection.execute(
        DELIVERIES,
        (
            [each.event for each in owed],
            [each.plugin for each in owed],
            [each.attempts for each in owed],
            [each.reason for each in owed],
        ),
    )
    tell(connection)


def tell(connection: Connection) -> None:
    """Have the active host look for orders, when this transaction is committed."""
    connection.execute(TELL, (ORDERS_CHANNEL,))
