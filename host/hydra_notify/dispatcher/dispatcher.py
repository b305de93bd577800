"""The wiring of the dispatcher's parts, and what others call.

Notifications become events at once; plugins take deliveries and answer them. Nothing
here waits for a plugin, and no plugin waits for another.
"""

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager

import trio

from hydra_notify.bell import Bell
from hydra_notify.config import HostConfig
from hydra_notify.delivery import Delivery, Fate, OpenEvents
from hydra_notify.dispatcher.chronicle import Chronicle
from hydra_notify.dispatcher.clearer import Clearer
from hydra_notify.dispatcher.inbox import Inbox, Origin
from hydra_notify.dispatcher.loader import Loader
from hydra_notify.dispatcher.orders import Orders
from hydra_notify.dispatcher.recorder import Recorder
from hydra_notify.dispatcher.recovery import Recovery
from hydra_notify.dispatcher.report import Report, given_up, report, story
from hydra_notify.dispatcher.roster import Roster
from hydra_notify.dispatcher.settler import Settler
from hydra_notify.dispatcher.store import Store
from hydra_notify.dispatcher.subscriber import Subscriber
from hydra_notify.dispatcher.sweeper import Sweeper
from hydra_notify.events import (
    DUMP_CHANNEL,
    ORDERS_CHANNEL,
    BuildFinished,
    Notification,
)
from hydra_notify.limits import SWEEP_INTERVAL
from hydra_notify.metrics import Counts
from hydra_notify.outcomes import DELIVERED, Dead, Outcome
from hydra_notify.progress import Working
from hydra_notify.status import DeadLetter, EventStory
from hydra_notify_sdk.wire import InitializeResult


class Dispatcher:
    """Owes every event to the plugins that want it, and clears what they have settled.

    Args:
        host: The base URL that events carry.
        store: The database, for everything but LISTEN.
        counts: Of the host.
        taken: Called when another host has become the one that writes the ledger.
        chance: A random number in [0, 1) at each call, for jitter.
        sweep_interval: Seconds between sweeps.
        asked_for_metrics: Rung when somebody wants them in the log.

    Attributes:
        roster: Which plugins there are; for whoever knows the configuration.
        recovered: Set when all that an earlier host has left is taken up.
    """

    def __init__(
        self,
        host: HostConfig,
        store: Store,
        counts: Counts,
        taken: Callable[[], None],
        chance: Callable[[], float],
        *,
        sweep_interval: float = SWEEP_INTERVAL,
        asked_for_metrics: Bell | None = None,
    ) -> None:
        self._asked_for_metrics = asked_for_metrics or Bell()
        self.recovered = trio.Event()
        self._counts = counts
        self._chance = chance
        self._subscribers: dict[str, Subscriber] = {}
        self._events = OpenEvents()
        self._changed = Bell()
        self._chronicle = Chronicle(counts)
        self._inbox = Inbox(counts)
        self._clearer = Clearer(
            store,
            self._events,
            self._found_again,
            self._changed.ring,
            self._chronicle,
            counts,
            chance,
        )
        self._settler = Settler(self._events, self._clearer, self._chronicle)
        self._loader = Loader(
            store,
            self._inbox,
            self._events,
            self._subscribers,
            self._settler,
            host.base_url,
            self._changed,
            self._chronicle,
            counts,
            chance,
        )
        self._sweeper = Sweeper(
            store,
            self._events,
            self._found_pending,
            self._has_looked_at_everything,
            counts,
            chance,
            sweep_interval,
        )
        self._recorder = Recorder(
            store,
            self._events,
            self._settler,
            taken,
            self._changed.ring,
            counts,
            chance,
        )
        self._recovery = Recovery(
            store,
            self._recorder,
            self._events,
            self._subscribers,
            self._settler,
            counts,
            chance,
        )
        self._orders = Orders(store, self._events, self._recovery, counts, chance)
        self.roster = Roster(self._subscribers, self._events, self._settler, counts)

    # For the listener

    def receive(self, notifications: Iterable[Notification]) -> None:
        """Take notifications; never waits."""
        events: list[Notification] = []
        for notification in notifications:
            if notification.channel == ORDERS_CHANNEL:
                self._orders.bell.ring()
            elif notification.channel == DUMP_CHANNEL:
                self._counts.notifications[DUMP_CHANNEL] += 1
                self._asked_for_metrics.ring()
            else:
                events.append(notification)
        channels = (each.channels for each in self._subscribers.values())
        wanted = frozenset[str]().union(*channels)
        self._inbox.receive(events, wanted, trio.current_time())
        self._counts.received_at = time.time()
        self._loader.bell.ring()

    def connected(self) -> None:
        """LISTEN is in place: sweep for what was announced before."""
        self._sweeper.connected()
        self._orders.bell.ring()

    # For supervisors

    def bell(self, plugin: str) -> Bell:
        """Rung when there may be something to send to `plugin`."""
        return self._subscribers[plugin].bell

    @contextmanager
    def spoken_by(self, plugin: str, speak: Callable[[], None]) -> Generator[None]:
        """While inside, `speak` sends `plugin` what there is to send; never waits."""
        subscriber = self._subscribers[plugin]
        subscriber.speak = speak
        try:
            yield
        finally:
            subscriber.speak = None

    def greet(self, plugin: str, manifest: InitializeResult) -> None:
        """`plugin` has said what it wants: what it does not is settled."""
        subscriber = self._subscribers[plugin]
        for event in subscriber.greet(manifest):
            self._settler.settle(subscriber, event)
        self._recorder.remember(subscriber, manifest)
        subscriber.show_block()
        self._loader.bell.ring()

    def take(self, plugin: str, room: int) -> list[Delivery]:
        """At most `room` deliveries for `plugin` to send now."""
        subscriber = self._subscribers[plugin]
        if subscriber.counts.paused:
            return []
        queue, now = subscriber.queue, trio.current_time()
        queue.advance(now)
        taken = queue.take(room, now)
        subscriber.counts.sent += len(taken)
        if queue.superseded:
            self._settler.supersede_overtaken(subscriber)
        if queue.hungry and (queue.waiting or len(self._inbox)):
            self._loader.bell.ring()
        return taken

    def next_due(self, plugin: str) -> float:
        """When `plugin` has something to send again without anybody ringing."""
        subscriber = self._subscribers[plugin]
        if subscriber.counts.paused:
            return float("inf")
        queue = subscriber.queue
        held = trio.current_time() < queue.held_until
        return queue.held_until if held else queue.next_due

    def delivered(self, plugin: str, deliveries: Sequence[Delivery]) -> None:
        """Take plain successes of deliveries in flight, many at a time."""
        subscriber = self._subscribers.get(plugin)
        if subscriber is None or not deliveries:
            # Removed, and its process outlived every limit.
            return
        blocked = subscriber.queue.block.on
        self._settler.delivered(subscriber, deliveries)
        if blocked:
            subscriber.tell_block(DELIVERED)
            subscriber.bell.ring()
        self._changed.ring()

    def answered(self, plugin: str, delivery: Delivery, outcome: Outcome) -> None:
        """Take any other answer to a delivery in flight."""
        subscriber = self._subscribers.get(plugin)
        if subscriber is None:
            return
        now, blocked = trio.current_time(), subscriber.queue.block.on
        fate = subscriber.queue.answer(delivery, outcome, now, self._chance())
        self._settler.answered(subscriber, delivery, outcome, fate)
        if blocked != subscriber.queue.block.on:
            subscriber.tell_block(outcome)
        # When it is to be sent something next is another time now.
        subscriber.bell.ring()
        self._changed.ring()

    def settle_late(self, plugin: str, deliveries: Iterable[Delivery]) -> None:
        """Take successes that came after their deadline; the rest was answered."""
        subscriber = self._subscribers.get(plugin)
        if subscriber is None:
            return
        for delivery in deliveries:
            if subscriber.queue.late(delivery):
                self._settler.answered(subscriber, delivery, DELIVERED, Fate.SETTLED)
        self._changed.ring()

    def crashed(self, plugin: str) -> None:
        """`plugin` has ended: what it had in flight comes first again."""
        subscriber = self._subscribers.get(plugin)
        if subscriber is None:
            return
        again, poisonous = subscriber.queue.crash()
        for delivery in again:
            self._settler.crashed(subscriber, delivery)
        for delivery in poisonous:
            dead = Dead(f"in flight at {delivery.crashes} crashes of the plugin")
            delivery.reason = dead.reason
            self._settler.answered(subscriber, delivery, dead, Fate.DEAD)

    # For whoever looks

    def report(self) -> Report:
        """What is under way now."""
        return report(self._subscribers.values(), self._events, len(self._inbox))

    def given_up(self) -> tuple[int, list[DeadLetter]]:
        """Dead letters as far as this host knows; a ledger may know more."""
        return given_up(self._events)

    def story(self, build: int) -> list[EventStory]:
        """What is known of a build's own events, the oldest first."""
        return story(build, self._chronicle.of(build), self._events)

    @property
    def remembered_since(self) -> float:
        """From when on stories are whole (Unix time)."""
        return self._chronicle.since

    # For operators

    def pause(self, plugin: str, *, on: bool) -> None:
        """Send `plugin` nothing until it is resumed; what it is owed is kept."""
        subscriber = self._subscribers[plugin]
        subscriber.counts.paused = on
        subscriber.bell.ring()

    # For the daemon

    async def run(self) -> None:
        """Take up what is left, then find, load, clear and record what there is.

        The nursery ends when its caller cancels it.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._loader.run)
            nursery.start_soon(self._clearer.run)
            await self._recovery.run()
            self._loader.recovered = True
            self._loader.bell.ring()
            self.recovered.set()
            nursery.start_soon(self._recorder.run)
            nursery.start_soon(self._orders.run)
            nursery.start_soon(self._sweeper.run)

    async def sweep(self) -> None:
        """Find everything that is pending now."""
        await self._sweeper.sweep_at_once()

    @property
    def on_their_way(self) -> int:
        """Events and deliveries that wait for nothing but their turn or an answer."""
        queues = (subscriber.queue for subscriber in self._subscribers.values())
        owed = sum(queue.sendable + queue.in_flight for queue in queues)
        return owed + len(self._inbox) + self._loader.busy + (not self._clearer.idle)

    @property
    def working(self) -> Working:
        """What there is to do with the database."""
        return Working(
            reading=self._loader.busy,
            clearing=not self._clearer.idle,
            recording=not self._recorder.idle,
        )

    async def wait_tried(self) -> None:
        """Return when all is settled or waits for a retry."""
        while self.on_their_way:
            await self._changed.wait()

    async def flush(self) -> None:
        """Return when what is known is in the database: flags and ledger.

        Raises:
            DatabaseLost: Not now.
        """
        if self._events.unwritten.active:
            await self._loader.drain_inbox()
        while not self._clearer.idle:
            await self._changed.wait()
        await self._recorder.flush()

    def _found_again(self, events: list[BuildFinished]) -> None:
        self._inbox.add(events, Origin.SWEPT)
        self._loader.bell.ring()

    def _found_pending(self, found: list[int], redelivered: bool) -> None:
        origin = Origin.RECOVERED if redelivered else Origin.SWEPT
        self._inbox.add(map(BuildFinished, found), origin)
        self._loader.bell.ring()

    def _has_looked_at_everything(self) -> bool:
        return not len(self._inbox) and not self._loader.busy
