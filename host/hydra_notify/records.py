"""What the ledger says of events that are not done with: values, as read and written.

Times are seconds from the moment of reading or writing, never a clock's: the database's
clock and the host's need not agree, and neither need run straight.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hydra_notify.events import Notification
from hydra_notify.facts import PendingFlag


class Standing(StrEnum):
    """How a delivery stands that is not settled; a settled one is not in the ledger."""

    OWED = "owed"
    """It is to be sent, now or when it is due."""

    DEAD = "dead"
    """It was given up: a dead letter."""

    ORPHANED = "orphaned"
    """Its plugin is no longer configured."""

    AGAIN = "again"
    """An operator wants it tried again; the active host makes it owed."""

    DROP = "drop"
    """An operator wants it forgotten; the active host settles it."""


GIVEN_UP: Final = (Standing.DEAD, Standing.ORPHANED)
"""What nobody tries again unless an operator says so."""


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One delivery that is not settled.

    Attributes:
        plugin: Its name in the configuration.
        standing: How it stands.
        attempts: How often it was sent and failed, or is known to have been sent.
        crashes: Crashes of the plugin while this was in flight.
        due_in: Seconds until the next attempt; 0 when it waits for nothing.
        failing_for: Seconds since its first failure; None if it never failed.
        reason: The latest failure, for people.
    """

    plugin: str
    standing: Standing = Standing.OWED
    attempts: int = 0
    crashes: int = 0
    due_in: float = 0.0
    failing_for: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event and its deliveries that are not settled.

    Attributes:
        id: The idempotency key.
        notification: What announced it; enough to read everything else again.
        subject: What it is about.
        flags: Pending flags to clear when nobody holds them any more.
        open: Whether a host still has to do with it; false when dead letters are all
            that is left of it.
        deliveries: Those that are not settled.
    """

    id: str
    notification: Notification
    subject: str
    flags: tuple[PendingFlag, ...]
    open: bool
    deliveries: tuple[DeliveryRecord, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """What an operator wants of one delivery.

    Attributes:
        event: The event, with all its deliveries as the ledger has them now.
        plugin: Whose delivery.
        again: Whether it is to be tried again; else it is to be forgotten.
    """

    event: EventRecord
    plugin: str
    again: bool
