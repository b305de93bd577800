"""Deliveries: what is owed to whom, in which order, and when a flag may be cleared.

Pure values and state: no clock, no trio, no database. `OpenEvents` knows which events
are not done with; a `Queue` holds what one plugin still owes an answer to: `Lanes` keep
the order within a build, `Retries` what failed.
"""

from hydra_notify.delivery.events import Delivery, OpenEvent, OpenEvents
from hydra_notify.delivery.queue import Fate, Queue

__all__ = ["Delivery", "Fate", "OpenEvent", "OpenEvents", "Queue"]
