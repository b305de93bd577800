"""What answers do: deliveries settle, events close, flags go to the clearer."""

import logging
import time
from collections.abc import Sequence

from hydra_notify.delivery import Delivery, Fate, OpenEvent, OpenEvents
from hydra_notify.dispatcher.chronicle import Chronicle
from hydra_notify.dispatcher.clearer import Clearer
from hydra_notify.dispatcher.subscriber import Subscriber, about_delivery
from hydra_notify.outcomes import Dead, Delivered, Outcome, Retry

_log = logging.getLogger(__name__)


class Settler:
    """Settles deliveries, one way or another.

    Args:
        events: Those that are not done with.
        clearer: Gets the events whose flags nobody holds any more.
        chronicle: Told of every answer.
    """

    def __init__(
        self, events: OpenEvents, clearer: Clearer, chronicle: Chronicle
    ) -> None:
        self._events = events
        self._clearer = clearer
        self._chronicle = chronicle

    @property
    def denied(self) -> bool:
        """Whether flags cannot be cleared for lack of a privilege."""
        return self._clearer.denied

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
                counts.last_error, counts.last_error_at = reason, time.time()
                _log.log(
                    logging.ERROR if fate is Fate.DEAD else logging.WARNING,
                    "failed, %s: %s",
                    fate.value,
                    reason,
                    extra=about_delivery(subscriber.config.name, delivery),
                )
                self._failed(subscriber, delivery, fate, reason)
        match fate:
            case Fate.SETTLED:
                self.settle(subscriber, event)
                name = subscriber.config.name
                self._chronicle.delivered(name, counts, [delivery])
            case Fate.SUPERSEDED:
                self.supersede(subscriber, event)
            case Fate.RETRYING:
                counts.retried += 1
                counts.requeued[delivery.channel] += 1
                self._events.try_again(delivery, subscriber.config.name)
            case Fate.DEAD:
                counts.dead += 1
                counts.dropped[delivery.channel] += 1
                if self._events.give_up(delivery, subscriber.config.name):
                    self._clearer.add(event)

    def delivered(self, subscriber: Subscriber, deliveries: Sequence[Delivery]) -> None:
        """A plugin has done these, and has nothing to say of it."""
        events = subscriber.queue.delivered(deliveries)
        subscriber.counts.delivered += len(deliveries)
        for event in self._events.settle_all(events, subscriber.config.name):
            self._clearer.add(event)
        self._chronicle.delivered(subscriber.config.name, subscriber.counts, deliveries)

    def settle(self, subscriber: Subscriber, event: OpenEvent) -> None:
        """One plugin is done with an event."""
        if self._events.settle(event, subscriber.config.name):
            self._clearer.add(event)

    def recheck(self, event: OpenEvent) -> None:
        """Who holds the flags of an event, or what remembers it, has changed."""
        if self._events.settled(event):
            self._clearer.add(event)

    def recheck_parked(self) -> None:
        """Who holds flags has changed: those of parked events, too."""
        self._clearer.add_parked(self._events.unheld())

    def crashed(self, subscriber: Subscriber, delivery: Delivery) -> None:
        """A plugin ended with a delivery in flight, which comes again."""
        delivery.reason = "the plugin ended while it was in flight"
        self._failed(subscriber, delivery, Fate.RETRYING, delivery.reason)
        self._events.try_again(delivery, subscriber.config.name)

    def drop(self, event: OpenEvent, plugin: str) -> None:
        """A dead letter is to be forgotten."""
        if self._events.drop(event, plugin):
            self._clearer.add(event)

    def orphan(self, event: OpenEvent, plugin: str) -> None:
        """A plugin that was owed an event is no longer configured."""
        if self._events.orphan(event, plugin):
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

    def _failed(
        self, subscriber: Subscriber, delivery: Delivery, fate: Fate, reason: str
    ) -> None:
        subscriber.counts.failed[delivery.channel] += 1
        self._chronicle.failed(subscriber.config.name, delivery, fate.value, reason)
