"""What answers do: deliveries settle, events close, flags go to the clearer."""

import logging

from hydra_notify.delivery import Delivery, Fate, OpenEvent, OpenEvents
from hydra_notify.dispatcher.clearer import Clearer
from hydra_notify.dispatcher.subscriber import Subscriber
from hydra_notify.outcomes import Dead, Delivered, Outcome, Retry

_log = logging.getLogger(__name__)


class Settler:
    """Settles deliveries, one way or another.

    Args:
        events: Those that are not done with.
        clearer: Gets the events whose flags nobody holds any more.
    """

    def __init__(self, events: OpenEvents, clearer: Clearer) -> None:
        self._events = events
        self._clearer = clearer

    def answered(
        self, subscriber: Subscriber, delivery: Delivery, outcome: Outcome, fate: Fate
    ) -> None:
        """Take one answer and what the queue made of it."""
        counts, event = subscriber.counts, delivery.event
        match outcome:
            case Delivered():
                counts.delivered += 1
                counts.skipped += outcome.skipped
            case Retry(reason) | Dead(reason):
                counts.last_error = reason
                _log.log(
                    logging.ERROR if fate is Fate.DEAD else logging.WARNING,
                    "%s: %s failed (attempt %d, %s): %s",
                    subscriber.config.name,
                    event.id,
                    delivery.attempt,
                    fate.value,
                    reason,
                )
        match fate:
            case Fate.SETTLED:
                self.settle(subscriber, event)
            case Fate.SUPERSEDED:
                self.supersede(subscriber, event)
            case Fate.RETRYING:
                counts.retried += 1
            case Fate.DEAD:
                counts.dead += 1
                name, required = subscriber.config.name, subscriber.queue.required
                if self._events.give_up(event, name, required=required):
                    self._clearer.add(event)

    def settle(self, subscriber: Subscriber, event: OpenEvent) -> None:
        """One plugin is done with an event."""
        if self._events.settle(event, required=subscriber.queue.required):
            self._clearer.add(event)

    def settle_unwanted(self, event: OpenEvent) -> None:
        """Nobody wants an event: its flags are cleared at once."""
        if self._events.settled(event):
            self._clearer.add(event)

    def supersede(self, subscriber: Subscriber, event: OpenEvent) -> None:
        """A newer event says all that this one had to say to a plugin."""
        subscriber.counts.superseded += 1
        self.settle(subscriber, event)

    def supersede_overtaken(self, subscriber: Subscriber) -> None:
        """Settle the retries that the queue has dropped for newer events."""
        queue = subscriber.queue
        for delivery in queue.superseded:
            self.supersede(subscriber, delivery.event)
        queue.superseded.clear()
