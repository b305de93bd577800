"""Open events to what the ledger says of them, and back."""

from hydra_notify.delivery.open_event import Delivery, OpenEvent
from hydra_notify.events import notification_of, parse
from hydra_notify.records import DeliveryRecord, EventRecord, Standing


def record_of(event: OpenEvent, now: float) -> EventRecord:
    """What there is to say of an event.

    Args:
        event: Open, or closed with something left over.
        now: Monotonic seconds.
    """
    standings = (
        *((name, Standing.OWED) for name in event.owing),
        *((name, Standing.DEAD) for name in event.dead),
        *((name, Standing.ORPHANED) for name in event.orphaned),
    )
    tried = event.tried or {}
    return EventRecord(
        event.id,
        notification_of(event.event),
        event.subject,
        event.flags,
        bool(event.owing or event.flags),
        tuple(
            _delivery_record(name, standing, tried.get(name), now)
            for name, standing in standings
        ),
    )


def _delivery_record(
    plugin: str, standing: Standing, delivery: Delivery | None, now: float
) -> DeliveryRecord:
    if delivery is None:
        return DeliveryRecord(plugin, standing)
    since = delivery.failing_since
    return DeliveryRecord(
        plugin,
        standing,
        delivery.attempt,
        delivery.crashes,
        max(0.0, delivery.due - now),
        None if since is None else now - since,
        delivery.reason,
    )


def event_of(record: EventRecord) -> OpenEvent:
    """The event that a record is of, owed to nobody yet.

    Raises:
        PayloadError: It was written by a host that knew more channels.
    """
    event = parse(record.notification)
    return OpenEvent(event, record.id, record.subject, record.flags, redelivered=True)


def delivery_of(event: OpenEvent, record: DeliveryRecord, now: float) -> Delivery:
    """The delivery that a record is of.

    Args:
        event: Its event.
        record: As it was read at `now`.
        now: Monotonic seconds.
    """
    since = None if record.failing_for is None else now - record.failing_for
    return Delivery(
        event,
        record.attempts,
        # What became of it since it was written is not known.
        redelivered=True,
        crashes=record.crashes,
        due=now + record.due_in if record.due_in > 0 else 0.0,
        failing_since=since,
        reason=record.reason,
    )
