"""Deliveries: what is owed to whom, in which order, and when a flag may be cleared.

Pure values and state: no clock, no trio, no database. `OpenEvents` knows which events
are not done with; a `Queue` holds what one plugin still owes an answer to: `Lanes` keep
the order within a build, `Retries` what failed. `Unwritten` is what the ledger should
say of all this and does not say yet.
"""

from hydra_notify.delivery.events import OpenEvents
from hydra_notify.delivery.open_event import Delivery, OpenEvent
from hydra_notify.delivery.queue import Fate, Queue
from hydra_notify.delivery.recording import delivery_of, event_of, record_of
from hydra_notify.delivery.unwritten import Unwritten

__all__ = [
    "Delivery",
    "Fate",
    "OpenEvent",
    "OpenEvents",
    "Queue",
    "Unwritten",
    "delivery_of",
    "event_of",
    "record_of",
]
