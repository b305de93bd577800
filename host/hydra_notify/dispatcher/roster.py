"""Which plugins there are, and which of them hold flags: as configured now."""

from hydra_notify.config import PluginConfig
from hydra_notify.delivery import OpenEvents, Queue
from hydra_notify.dispatcher.settler import Settler
from hydra_notify.dispatcher.subscriber import Subscriber
from hydra_notify.metrics import Counts


class Roster:
    """Adds, changes and removes subscribers, while others go on.

    Args:
        subscribers: The plugins by name; kept up to date here.
        events: Those that are not done with.
        settler: For what nobody holds any more.
        counts: Of the host.
    """

    def __init__(
        self,
        subscribers: dict[str, Subscriber],
        events: OpenEvents,
        settler: Settler,
        counts: Counts,
    ) -> None:
        self._subscribers = subscribers
        self._events = events
        self._settler = settler
        self._counts = counts

    def add(self, plugin: PluginConfig) -> None:
        """Owe `plugin` what it wants of everything from now on."""
        queue = Queue(self._events.parked, give_up_after=plugin.give_up_seconds)
        counts = self._counts.plugin(plugin.name)
        self._subscribers[plugin.name] = Subscriber(plugin, queue, counts)
        self._weigh(plugin)

    def change(self, plugin: PluginConfig) -> None:
        """Another configuration of a plugin; what it is owed stays owed."""
        subscriber = self._subscribers[plugin.name]
        unwanted = subscriber.change(plugin)
        self._weigh(plugin)
        for event in unwanted:
            self._settler.settle(subscriber, event)
        self._settler.recheck_parked()
        for event in list(self._events.by_id.values()):
            self._settler.recheck(event)

    def remove(self, plugin: str) -> None:
        """`plugin` has ended for good: what it was owed holds nothing any more."""
        subscriber = self._subscribers.pop(plugin)
        left = subscriber.queue.abandon()
        self._counts.orphaned += len(left)
        for event in left:
            self._settler.orphan(event, plugin)
        for event in list(self._events.by_id.values()):
            if plugin in event.dead:
                self._settler.orphan(event, plugin)
        self._events.required.discard(plugin)
        self._events.holding.discard(plugin)

    def _weigh(self, plugin: PluginConfig) -> None:
        """Let a plugin hold flags, or not."""
        for names, member in (
            (self._events.required, plugin.required),
            (self._events.holding, plugin.required and plugin.on_dead == "hold"),
        ):
            if member:
                names.add(plugin.name)
            else:
                names.discard(plugin.name)
