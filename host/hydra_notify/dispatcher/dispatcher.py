"""The wiring of the dispatcher's parts, and what others call.

Notifications become events at once; plugins take deliveries and answer them. Nothing
here waits for a plugin, and no plugin waits for another.
"""

from collections.abc import Callable, Iterable

import trio

from hydra_notify.bell import Bell
from hydra_notify.config import Config
from hydra_notify.database import Database
from hydra_notify.delivery import Delivery, Fate, OpenEvents, Queue
from hydra_notify.dispatcher.clearer import Clearer
from hydra_notify.dispatcher.inbox import Inbox, Origin
from hydra_notify.dispatcher.loader import Loader
from hydra_notify.dispatcher.settler import Settler
from hydra_notify.dispatcher.subscriber import Subscriber
from hydra_notify.dispatcher.sweeper import Sweeper
from hydra_notify.events import BuildFinished, Notification
from hydra_notify.limits import SWEEP_INTERVAL
from hydra_notify.metrics import Counts
from hydra_notify.outcomes import Dead, Outcome
from hydra_notify_sdk.wire import InitializeResult


class Dispatcher:
    """Owes every event to the plugins that want it, and clears what they have settled.

    Args:
        config: Who wants what, and the base URL that events carry.
        database: For everything but LISTEN.
        counts: Of the host.
        chance: A random number in [0, 1) at each call, for jitter.
        sweep_interval: Seconds between sweeps.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        counts: Counts,
        chance: Callable[[], float],
        *,
        sweep_interval: float = SWEEP_INTERVAL,
    ) -> None:
        self._chance = chance
        self._subscribers = {
            name: Subscriber(
                plugin, Queue(required=plugin.required), counts.plugin(name)
            )
            for name, plugin in config.plugins.items()
        }
        events = OpenEvents()
        self._changed = Bell()
        self._inbox = Inbox(counts)
        self._clearer = Clearer(
            database, events, self._found_again, self._changed.ring, counts, chance
        )
        self._settler = Settler(events, self._clearer)
        self._loader = Loader(
            database,
            self._inbox,
            events,
            self._subscribers,
            self._settler,
            config.host.base_url,
            self._changed,
            counts,
            chance,
        )
        self._sweeper = Sweeper(
            database,
            events,
            self._found_pending,
            self._has_looked_at_everything,
            counts,
            sweep_interval,
        )

    # For the listener

    def receive(self, notifications: Iterable[Notification]) -> None:
        """Take notifications; never waits."""
        self._inbox.receive(notifications, self._is_wanted)
        self._loader.bell.ring()

    def connected(self) -> None:
        """LISTEN is in place: sweep for what was announced before."""
        self._sweeper.connected()

    # For supervisors

    def bell(self, plugin: str) -> Bell:
        """Rung when there may be something to send to `plugin`."""
        return self._subscribers[plugin].bell

    def greet(self, plugin: str, manifest: InitializeResult) -> None:
        """`plugin` has said what it wants: what it does not is settled."""
        subscriber = self._subscribers[plugin]
        for event in subscriber.greet(manifest):
            self._settler.settle(subscriber, event)
        self._loader.bell.ring()

    def take(self, plugin: str, room: int) -> list[Delivery]:
        """At most `room` deliveries for `plugin` to send now."""
        subscriber = self._subscribers[plugin]
        queue, now = subscriber.queue, trio.current_time()
        queue.advance(now)
        taken = queue.take(room, now)
        subscriber.counts.sent += len(taken)
        self._settler.supersede_overtaken(subscriber)
        if queue.hungry and (queue.waiting or len(self._inbox)):
            self._loader.bell.ring()
        return taken

    def next_due(self, plugin: str) -> float:
        """When `plugin` has something to send again without anybody ringing."""
        queue = self._subscribers[plugin].queue
        paused = trio.current_time() < queue.paused_until
        return queue.paused_until if paused else queue.next_due

    def settle(self, plugin: str, answers: Iterable[tuple[Delivery, Outcome]]) -> None:
        """Take the answers to deliveries in flight."""
        subscriber = self._subscribers[plugin]
        now = trio.current_time()
        for delivery, outcome in answers:
            fate = subscriber.queue.answer(delivery, outcome, now, self._chance())
            self._settler.answered(subscriber, delivery, outcome, fate)
        self._changed.ring()

    def crashed(self, plugin: str) -> None:
        """`plugin` has ended: what it had in flight comes first again."""
        subscriber = self._subscribers[plugin]
        for delivery in subscriber.queue.crash():
            dead = Dead(f"in flight at {delivery.crashes} crashes of the plugin")
            self._settler.answered(subscriber, delivery, dead, Fate.DEAD)

    # For the daemon

    async def run(self) -> None:
        """Load, clear and sweep: the nursery ends when its caller cancels it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._loader.run)
            nursery.start_soon(self._clearer.run)
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

    async def wait_tried(self) -> None:
        """Return when all is settled or waits for a retry."""
        while self.on_their_way:
            await self._changed.wait()

    async def flush(self) -> None:
        """Return when every flag that may be cleared is."""
        while not self._clearer.idle:
            await self._changed.wait()

    def _found_again(self, events: list[BuildFinished]) -> None:
        self._inbox.add(events, Origin.SWEPT)
        self._loader.bell.ring()

    def _found_pending(self, found: list[int], redelivered: bool) -> None:
        origin = Origin.RECOVERED if redelivered else Origin.SWEPT
        self._inbox.add(map(BuildFinished, found), origin)
        self._loader.bell.ring()

    def _has_looked_at_everything(self) -> bool:
        return not len(self._inbox) and not self._loader.busy

    def _is_wanted(self, channel: str) -> bool:
        return any(channel in each.channels for each in self._subscribers.values())
