"""From announced to owed: events are loaded in batches, encoded once, and fanned out.

Loading is pulled by the fastest plugin: while nobody could use more, announced events
wait as ids. A plugin that is behind the fastest gets what it missed read again.
"""

import logging
import os
from collections.abc import Callable
from itertools import count

import trio

from hydra_notify import builds
from hydra_notify.backoff import reconnect_delay, worth_saying
from hydra_notify.bell import Bell
from hydra_notify.delivery import OpenEvent, OpenEvents, Queue
from hydra_notify.dispatcher.chronicle import Chronicle
from hydra_notify.dispatcher.inbox import Arrival, Inbox, Origin
from hydra_notify.dispatcher.settler import Settler
from hydra_notify.dispatcher.store import Store
from hydra_notify.dispatcher.subscriber import Subscriber
from hydra_notify.errors import HydraNotifyError
from hydra_notify.events import BuildFinished
from hydra_notify.facts import Absent, Loaded
from hydra_notify.frames import Opening, opening
from hydra_notify.limits import LOAD_BATCH
from hydra_notify.metrics import Counts
from hydra_notify_sdk.wire import Part

_log = logging.getLogger(__name__)


class Loader:
    """Loads what the inbox holds and owes it to the plugins that want it.

    Args:
        store: Where builds are.
        inbox: What was announced or found.
        events: Those that are not done with.
        subscribers: The plugins by name.
        settler: For what turns out to be owed to nobody.
        base_url: Of Hydra's pages, part of every event.
        changed: Rung when a batch is done.
        chronicle: Told of what is owed from now on.
        counts: Of the host.
        chance: A random number in [0, 1) at each call.

    Attributes:
        bell: Rung by others when there may be something to load.
        busy: Whether a batch is being read.
        recovered: Whether all that an earlier host has left is taken up: until then
            nothing new is looked at, since it may be something old.
    """

    def __init__(
        self,
        store: Store,
        inbox: Inbox,
        events: OpenEvents,
        subscribers: dict[str, Subscriber],
        settler: Settler,
        base_url: str,
        changed: Bell,
        chronicle: Chronicle,
        counts: Counts,
        chance: Callable[[], float],
    ) -> None:
        self.bell = Bell()
        self.busy = False
        self.recovered = False
        self._store = store
        self._inbox = inbox
        self._events = events
        self._subscribers = subscribers
        self._settler = settler
        self._base_url = base_url
        self._changed = changed
        self._chronicle = chronicle
        self._wanting: list[Subscriber] = []
        self._names: tuple[str, ...] = ()
        self._numbers = count(1)
        # Longer than those of sessions: no id of theirs is ever one of these.
        self._nonce = os.urandom(5).hex()
        self._opened: list[str] = []
        self._counts = counts
        self._chance = chance

    async def run(self) -> None:
        """Load until cancelled; a lost database is waited for."""
        failures = 0
        while True:
            again = self._to_read_again()
            room = LOAD_BATCH - len(again)
            new = self._inbox.take(room) if self._may_take_new() else []
            if not again and not new:
                await self.bell.wait()
                continue
            self.busy = True
            try:
                await self._load(again, new)
                failures = 0
            except HydraNotifyError as error:
                self._inbox.put_back(new)
                self._counts.database_errors += 1
                failures += 1
                if worth_saying(failures):
                    _log.warning("cannot read builds: %s", error)
                await trio.sleep(reconnect_delay(failures, self._chance()))
            finally:
                self.busy = False
            self._wake_plugins()
            self._changed.ring()

    async def _load(self, again: list[OpenEvent], new: list[Arrival]) -> None:
        events = [event.event for event in again] + [each.event for each in new]
        for event in again:
            # It is not to be parked while it is in hand.
            event.pins += 1
        try:
            results = await self._store.load(events, self._parts())
        finally:
            for event in again:
                event.pins -= 1
        self._counts.load_batches += 1
        self._counts.reloads += len(again)
        for event, result in zip(again, results[: len(again)], strict=True):
            self._read_again(event, result)
        for arrival, result in zip(new, results[len(again) :], strict=True):
            self._read(arrival.origin, result, arrival.at)
        self._chronicle.seen(self._opened)
        self._opened = []

    async def drain_inbox(self) -> None:
        """Look at everything that was announced, whether anybody could use it or not.

        Raises:
            DatabaseLost: Not now.
        """
        while new := self._inbox.take(LOAD_BATCH):
            try:
                await self._load([], new)
            except HydraNotifyError:
                self._inbox.put_back(new)
                raise

    def _may_take_new(self) -> bool:
        """Whether the fastest plugin could use more (or there is none)."""
        if not self.recovered or self._settler.denied:
            return False
        subscribers = self._subscribers.values()
        return not subscribers or any(s.queue.hungry for s in subscribers)

    def _parts(self) -> frozenset[Part]:
        parts = (s.queue.parts for s in self._subscribers.values())
        return frozenset[Part]().union(*(p for p in parts if p is not None))

    def _to_read_again(self) -> list[OpenEvent]:
        """Events whose payload was not kept, and whose turn with some plugin has come.

        At most half of a batch, so that live events always move too.
        """
        events: dict[OpenEvent, None] = {}
        for subscriber in self._subscribers.values():
            room = LOAD_BATCH // 2 - len(events)
            events.update(dict.fromkeys(subscriber.queue.unread(room)))
        return list(events)

    def _read(
        self, origin: Origin, result: Loaded | Absent, arrived: float = 0.0
    ) -> None:
        if isinstance(result, Absent):
            event = result.event
            self._counts.absent += 1
            _log.info("%s dropped: %s", event.channel, result.reason)
            if isinstance(event, BuildFinished):
                # Its dependents have outcomes, and flags, of their own.
                self._inbox.add(map(BuildFinished, event.dependents), origin)
        elif result.flags or origin is Origin.ANNOUNCED:
            again = origin is Origin.RECOVERED
            self._fan_out(result, redelivered=again, arrived=arrived)
        # Else it was cleared between the sweep and now.

    def _fan_out(self, loaded: Loaded, *, redelivered: bool, arrived: float) -> None:
        known = self._events.find(loaded.id)
        if known is not None:
            self._counts.coalesced += 1
            self._revive(known)
            return
        subscribers = self._subscribers.values()
        channel = loaded.event.channel
        wanting = [
            each for each in subscribers if channel in each.whole or each.wants(loaded)
        ]
        event = self._events.open(loaded, redelivered=redelivered, arrived=arrived)
        self._counts.events[channel] += 1
        self._opened.append(event.id)
        if wanting != self._wanting:
            # Mostly the same ones as before.
            self._wanting = wanting
            self._names = tuple([each.config.name for each in wanting])
        self._events.owe(event, self._names)
        payloads: dict[frozenset[Part], bytes] = {}
        event.payloads = payloads
        for subscriber in wanting:
            queue = subscriber.queue
            parts = queue.parts
            payload = None if parts is None else payloads.get(parts)
            if payload is None:
                payload = self._encode(event, loaded, queue)
            queue.add(event, payload)
            if queue.superseded:
                self._settler.supersede_overtaken(subscriber)
        event.forget_unpinned()
        self._counts.uninteresting += not wanting
        self._settler.recheck(event)
        self._events.park(event)

    def _read_again(self, event: OpenEvent, result: Loaded | Absent) -> None:
        """Give `event` its payload back, or replace it by what it has become."""
        if isinstance(result, Loaded) and result.id == event.id:
            # A dependent that was restarted is no longer told of: its flag stays for
            # what it will come to.
            told = set(result.flags)
            self._events.cleared(event, [f.build for f in event.flags if f not in told])
            for subscriber in self._subscribers.values():
                if event.payload(subscriber.queue.parts) is None:
                    self._encode(event, result, subscriber.queue)
            for subscriber in self._subscribers.values():
                subscriber.queue.advance(trio.current_time())
                self._settler.supersede_overtaken(subscriber)
            event.forget_unpinned()
            self._events.park(event)
            return
        for subscriber in self._subscribers.values():
            if subscriber.queue.drop(event):
                self._settler.supersede(subscriber, event)
        # Its flags are the business of whatever the build has become.
        self._events.forget_flags(event)
        self._read(Origin.ANNOUNCED, result)

    def _encode(self, event: OpenEvent, loaded: Loaded, queue: Queue) -> bytes | None:
        """Encode with the parts that a plugin asks for, if it has room for that."""
        parts = queue.parts
        # It may have said what it wants while this was being read: the next read will
        # have that.
        if parts is None or not parts <= loaded.parts or not queue.has_room:
            return None
        if event.payloads is None:
            event.payloads = {}
        if event.opening is None:
            event.opening = self._opening(event)
        payload = builds.encode(loaded, parts, self._base_url)
        event.payloads[parts] = payload
        return payload

    def _opening(self, event: OpenEvent) -> Opening:
        number = next(self._numbers)
        return opening(
            f"e{number}-{self._nonce}",
            event.event.channel,
            1,
            redelivered=event.redelivered,
        )

    def _revive(self, event: OpenEvent) -> None:
        """An event that some plugins gave up was announced again: try it again."""
        for name in self._events.revive(event, event.dead):
            self._subscribers[name].queue.add(event)

    def _wake_plugins(self) -> None:
        for subscriber in self._subscribers.values():
            if subscriber.queue.sendable or subscriber.queue.block.on:
                subscriber.wake()
