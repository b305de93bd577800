"""Keeps the ledger: behind the work, in batches, and only what outlives a moment.

Whether there is a ledger is looked up at the start and now and then; without one the
host goes on by the flags alone, and says so.
"""

import logging
from collections import deque
from collections.abc import Callable

import msgspec
import trio

from hydra_notify import ledger
from hydra_notify.backoff import reconnect_delay, worth_saying
from hydra_notify.delivery import OpenEvent, OpenEvents, record_of
from hydra_notify.dispatcher.settler import Settler
from hydra_notify.dispatcher.store import Store
from hydra_notify.dispatcher.subscriber import Subscriber
from hydra_notify.errors import (
    DatabaseError,
    DatabaseLost,
    LedgerTaken,
    PermissionDenied,
)
from hydra_notify.limits import LEDGER_BATCH, LEDGER_LOOK, LEDGER_TURN
from hydra_notify.metrics import Counts, LedgerState
from hydra_notify_sdk.wire import InitializeResult

_log = logging.getLogger(__name__)

_CREATE = "make it with `hydra-notify ledger create`"
_GRANT = "see `hydra-notify ledger ddl --role ROLE` for the grants"


class Recorder:
    """Writes what the ledger does not know yet.

    Args:
        store: Where the ledger is.
        events: Those that are not done with, and what is unwritten of them.
        settler: Told what the ledger remembers now: flags may have waited for it.
        taken: Called when another host has become the one that writes.
        changed: Called when something has been written.
        counts: Of the host.
        chance: A random number in [0, 1) at each call.
    """

    def __init__(
        self,
        store: Store,
        events: OpenEvents,
        settler: Settler,
        taken: Callable[[], None],
        changed: Callable[[], None],
        counts: Counts,
        chance: Callable[[], float],
    ) -> None:
        self._store = store
        self._events = events
        self._unwritten = events.unwritten
        self._settler = settler
        self._taken = taken
        self._changed = changed
        self._counts = counts
        self._chance = chance
        self._manifests: dict[str, tuple[tuple[str, ...], str]] = {}
        self._turn = trio.Lock()
        self._parked: deque[int] = deque()
        self._looked = 0.0
        self._said = ""

    @property
    def idle(self) -> bool:
        """Whether the ledger knows everything that is due."""
        return not self._unwritten.active or not (
            len(self._unwritten) or self._manifests or self._parked
        )

    def remember(self, subscriber: Subscriber, manifest: InitializeResult) -> None:
        """A plugin has said what it wants: that is known at the next start, too."""
        text = msgspec.json.encode(manifest).decode()
        self._manifests[subscriber.config.name] = (subscriber.config.command, text)

    async def open(self) -> bool:
        """Begin to use the ledger; whether there is one.

        Raises:
            DatabaseLost: Nobody can say now.
        """
        self._looked = trio.current_time()
        try:
            version = await self._store.claim_ledger()
        except (DatabaseError, PermissionDenied) as error:
            self._without(LedgerState.DENIED, f"{error}; {_GRANT}")
            return False
        if version == 0:
            self._without(LedgerState.ABSENT, f"there is none; {_CREATE}")
        elif version < ledger.VERSION:
            self._without(LedgerState.OLD, f"it is of an older host; {_CREATE}")
        elif version > ledger.VERSION:
            fix = "upgrade hydra-notify"
            self._without(LedgerState.NEWER, f"it is of a newer host; {fix}")
        else:
            self._begin()
        return self._unwritten.active

    async def run(self) -> None:
        """Write, a turn at a time, until cancelled."""
        failures = 0
        while True:
            await trio.sleep(LEDGER_TURN)
            self._rest(self._unwritten.turn())
            try:
                if not self._unwritten.active:
                    await self._look_again()
                while not self.idle:
                    await self._write_batch()
                failures = 0
            except LedgerTaken as error:
                _log.error("%s", error)
                # As if there still were a ledger: what it does not know goes on holding
                # its flags, since this host is about to end.
                self._taken()
                return
            except (DatabaseError, PermissionDenied) as error:
                self._counts.database_errors += 1
                self._without(LedgerState.DENIED, f"{error}; {_GRANT}")
            except DatabaseLost as error:
                failures += 1
                self._counts.database_errors += 1
                if worth_saying(failures):
                    _log.warning("cannot write the ledger: %s", error)
                await trio.sleep(reconnect_delay(failures, self._chance()))

    async def flush(self) -> None:
        """Return when the ledger knows everything."""
        self._unwritten.hurry()
        while not self.idle:
            await self._write_batch()

    def _begin(self) -> None:
        if self._said:
            _log.info("the ledger can be used from now on")
            self._said = ""
        self._counts.ledger = LedgerState.ACTIVE
        if not self._unwritten.active:
            self._unwritten.active = True
            # What a ledger knew that could not be used for a while may be out of date.
            for event in self._events.by_id.values():
                if event.recorded:
                    self._unwritten.note(event)
            self._parked.extend(self._events.parked.of_ledger())

    def _without(self, state: LedgerState, why: str) -> None:
        self._counts.ledger = state
        if self._unwritten.active:
            self._unwritten.active = False
            self._parked.clear()
            for event in list(self._events.by_id.values()):
                self._settler.recheck(event)
        if why != self._said:
            self._said = why
            _log.warning("the ledger is not used: %s", why)

    def _rest(self, events: list[OpenEvent]) -> None:
        """What a ledger would be told now is parked where there is none."""
        if not self._unwritten.active:
            for event in events:
                self._events.park(event)

    def _wake_parked(self) -> None:
        """What is parked is written by and by when a ledger can be used again."""
        for _ in range(min(LEDGER_BATCH, len(self._parked))):
            event = self._events.parked_one(self._parked.popleft())
            if event is not None:
                self._unwritten.expect(event)

    async def _look_again(self) -> None:
        if trio.current_time() >= self._looked + LEDGER_LOOK:
            await self.open()

    async def _write_batch(self) -> None:
        async with self._turn:
            await self._write_what_is_due()

    async def _write_what_is_due(self) -> None:
        self._wake_parked()
        events, gone = self._unwritten.take(LEDGER_BATCH)
        now = trio.current_time()
        try:
            if events or gone:
                records = [record_of(event, now) for event in events]
                await self._store.write(records, gone)
            for name, (command, manifest) in list(self._manifests.items()):
                await self._store.write_manifest(name, command, manifest)
                if self._manifests[name] == (command, manifest):
                    del self._manifests[name]
        except BaseException:
            self._unwritten.put_back(events, gone)
            raise
        self._unwritten.wrote(events, gone)
        self._counts.ledger_events += len(events)
        self._counts.ledger_batches += 1
        for event in events:
            self._written(event)
        self._changed()

    def _written(self, event: OpenEvent) -> None:
        current = self._events.find(event.id)
        if current is event:
            self._settler.recheck(event)
            self._events.park(event)
            return
        if event.left_over:
            self._unwritten.keep(event)
        if current is not None:
            # It was announced again meanwhile; the ledger's row is that event's now.
            current.recorded = True
            self._unwritten.note(current)
