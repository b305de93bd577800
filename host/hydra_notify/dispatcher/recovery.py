"""What the ledger remembers, made events and deliveries again.

Read when a host starts, before anything that was announced or found is looked at: an
event that some plugins have settled must not be taken for a new one. And read when an
operator has ordered something.
"""

import logging
from collections.abc import Callable, Iterable, Mapping

import msgspec
import trio

from hydra_notify.backoff import reconnect_delay, worth_saying
from hydra_notify.delivery import OpenEvent, OpenEvents, delivery_of, event_of
from hydra_notify.dispatcher.recorder import Recorder
from hydra_notify.dispatcher.settler import Settler
from hydra_notify.dispatcher.store import Store
from hydra_notify.dispatcher.subscriber import Subscriber
from hydra_notify.errors import (
    DatabaseError,
    DatabaseLost,
    PayloadError,
    PermissionDenied,
)
from hydra_notify.limits import LEDGER_PAGE
from hydra_notify.logs import about
from hydra_notify.metrics import Counts
from hydra_notify.records import DeliveryRecord, EventRecord, Order, Standing
from hydra_notify_sdk.wire import InitializeResult

_log = logging.getLogger(__name__)


class Recovery:
    """Takes up what an earlier host has left.

    Args:
        store: Where the ledger is.
        recorder: Says whether there is one.
        events: Those that are not done with.
        subscribers: The plugins by name.
        settler: For what turns out to be owed to nobody.
        counts: Of the host.
        chance: A random number in [0, 1) at each call.
    """

    def __init__(
        self,
        store: Store,
        recorder: Recorder,
        events: OpenEvents,
        subscribers: Mapping[str, Subscriber],
        settler: Settler,
        counts: Counts,
        chance: Callable[[], float],
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._events = events
        self._subscribers = subscribers
        self._settler = settler
        self._counts = counts
        self._chance = chance
        self._after = 0

    async def run(self) -> None:
        """Read the whole ledger; a lost database is waited for."""
        failures = 0
        while True:
            try:
                await self._recover()
            except (DatabaseError, PermissionDenied) as error:
                self._counts.database_errors += 1
                _log.error("cannot read the ledger, going on without: %s", error)
                return
            except DatabaseLost as error:
                failures += 1
                self._counts.database_errors += 1
                if worth_saying(failures):
                    _log.warning("cannot read the ledger: %s", error)
                await trio.sleep(reconnect_delay(failures, self._chance()))
            else:
                return

    def obey(self, orders: Iterable[Order]) -> None:
        """Do what operators have ordered."""
        for order in orders:
            event = self._events.find(order.event.id)
            verb = "tried again" if order.again else "forgotten"
            concerns = about(order.plugin, order.event.id)
            _log.info("%s is %s, as ordered", order.event.id, verb, extra=concerns)
            if event is None:
                if order.again:
                    self.restore(order.event, ordered=order.plugin)
            elif order.again:
                self._try_again(event, order)
            elif order.plugin in event.dead or order.plugin in event.orphaned:
                self._settler.drop(event, order.plugin)
            if order.again and order.plugin in self._subscribers:
                self._subscribers[order.plugin].bell.ring()

    def confirmed(self, orders: Iterable[Order]) -> None:
        """The ledger has unmarked what was obeyed; it may have changed since."""
        for order in orders:
            event = self._events.find(order.event.id)
            if event is not None:
                self._events.unwritten.note(event)

    def restore(self, record: EventRecord, *, ordered: str = "") -> None:
        """Make a record an open event again, unless it is open already.

        Args:
            record: As the ledger has it.
            ordered: The plugin whose order to be tried again is being obeyed.
        """
        if self._events.find(record.id) is not None:
            return
        try:
            event = event_of(record)
        except PayloadError as error:
            words = "%s in the ledger cannot be read: %s"
            _log.error(words, record.id, error, extra=about(event=record.id))
            return
        event.recorded = True
        self._events.add(event)
        self._counts.recovered += 1
        now = trio.current_time()
        owing = tuple(
            each.plugin
            for each in record.deliveries
            if self._restore_delivery(event, each, now, ordered=ordered)
        )
        self._events.owe(event, owing)
        self._settler.recheck(event)
        self._events.park(event)

    async def _recover(self) -> None:
        if not await self._recorder.open():
            return
        self._greet(await self._store.manifests())
        self._events.unwritten.kept |= await self._store.kept_ids()
        while True:
            after, page = await self._store.open_page(self._after, LEDGER_PAGE)
            if not page:
                break
            for record in page:
                self.restore(record)
            self._after = after
            for subscriber in self._subscribers.values():
                subscriber.bell.ring()
        if self._counts.recovered:
            _log.info(
                "took up %d events that an earlier host has left",
                self._counts.recovered,
            )

    def _greet(self, remembered: Mapping[str, tuple[tuple[str, ...], str]]) -> None:
        for name, (command, text) in remembered.items():
            subscriber = self._subscribers.get(name)
            if subscriber is None or subscriber.config.command != command:
                continue
            try:
                manifest = msgspec.json.decode(text, type=InitializeResult)
            except ValueError:
                # Of a host with another protocol: the plugin will say it again.
                continue
            subscriber.greet(manifest)

    def _restore_delivery(
        self, event: OpenEvent, record: DeliveryRecord, now: float, *, ordered: str
    ) -> bool:
        """Take up one delivery; whether it is owed."""
        subscriber = self._subscribers.get(record.plugin)
        delivery = delivery_of(event, record, now)
        if record.standing is Standing.ORPHANED or subscriber is None:
            event.orphaned = (*event.orphaned, record.plugin)
            # How often it was tried, and what it failed of: `dead list` shows it.
            event.tried = {**(event.tried or {}), record.plugin: delivery}
            if record.standing is not Standing.ORPHANED:
                words, concerns = "no longer configured, and owed %s", event.id
                extra = about(record.plugin, event.id)
                _log.warning(words, concerns, extra=extra)
                self._events.unwritten.note(event)
            return False
        # Other orders are about to be found; until then it was given up.
        given_up = record.standing is not Standing.OWED and record.plugin != ordered
        if record.attempts or record.crashes or given_up:
            event.tried = event.tried or {}
            event.tried[record.plugin] = delivery
        if given_up:
            event.dead = (*event.dead, record.plugin)
            return False
        if event.event.channel not in subscriber.channels:
            self._events.unwritten.note(event)
            return False
        if event.tried and record.plugin in event.tried:
            subscriber.queue.restore(delivery, now)
        else:
            subscriber.queue.add(event)
        return True

    def _try_again(self, event: OpenEvent, order: Order) -> None:
        """Owe an open event to a plugin that had given it up, or never had it."""
        name = order.plugin
        event.recorded = True
        self._events.unwritten.note(event)
        subscriber = self._subscribers.get(name)
        if subscriber is None:
            if name not in event.orphaned:
                self._settler.orphan(event, name)
        elif event.event.channel not in subscriber.channels:
            self._settler.drop(event, name)
        elif name not in event.owing:
            now = trio.current_time()
            (record,) = (d for d in order.event.deliveries if d.plugin == name)
            delivery = delivery_of(event, record, now)
            self._events.owe_again(delivery, name)
            subscriber.queue.restore(delivery, now)
