"""Clears the pending flags of settled events: compared, batched, patient with locks.

While one batch is with Postgres the next one gathers, and longer the larger the batch
was: a single event is not delayed, and a burst costs few statements.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable

import trio

from hydra_notify.backoff import reconnect_delay, worth_saying
from hydra_notify.bell import Bell
from hydra_notify.delivery import OpenEvent, OpenEvents
from hydra_notify.dispatcher.chronicle import Chronicle
from hydra_notify.dispatcher.store import Store
from hydra_notify.errors import HydraNotifyError, PermissionDenied
from hydra_notify.events import BuildFinished
from hydra_notify.facts import PendingFlag
from hydra_notify.limits import (
    CLEAR_BATCH,
    CLEAR_DENIED,
    CLEAR_LONGEST_PAUSE,
    CLEAR_PAUSE,
    CLEAR_RETRY,
)
from hydra_notify.metrics import Counts

_log = logging.getLogger(__name__)


class Clearer:
    """Flags that nobody holds any more, on their way to be cleared.

    Args:
        store: Where the flags are.
        events: Told what became of the flags.
        found: Called with events that were found instead of the expected flag: a
            build that has finished again meanwhile.
        cleared: Called when nothing is left to clear.
        chronicle: Told of what is cleared.
        counts: Of the host.
        chance: A random number in [0, 1) at each call.

    Attributes:
        denied: Whether the privilege to clear flags is missing: what would be
            delivered now would be delivered again and again.
    """

    def __init__(
        self,
        store: Store,
        events: OpenEvents,
        found: Callable[[list[BuildFinished]], None],
        cleared: Callable[[], None],
        chronicle: Chronicle,
        counts: Counts,
        chance: Callable[[], float],
    ) -> None:
        self._store = store
        self._events = events
        self._found = found
        self._cleared = cleared
        self._chronicle = chronicle
        self._counts = counts
        self._chance = chance
        self._due: dict[OpenEvent, None] = {}
        self._parked: deque[int] = deque()
        self._busy = False
        self.denied = False
        self._bell = Bell()

    @property
    def idle(self) -> bool:
        """Whether nothing is left to clear."""
        return not self._due and not self._parked and not self._busy

    def add(self, event: OpenEvent) -> None:
        """Clear the flags of `event`."""
        self._due[event] = None
        self._bell.ring()

    def add_parked(self, numbers: Iterable[int]) -> None:
        """Clear the flags of parked events, which are woken a batch at a time."""
        self._parked.extend(numbers)
        self._bell.ring()

    async def run(self) -> None:
        """Clear what is added, until cancelled."""
        failures = 0
        while True:
            if not self._due and not self._parked:
                self._busy = False
                self._cleared()
                await self._bell.wait()
                continue
            self._busy = True
            batch = self._next_batch()
            size = sum(len(event.flags) for event in batch)
            try:
                locked = await self._clear(batch)
            except PermissionDenied as error:
                self._due = batch | self._due
                self._counts.database_errors += 1
                if not self.denied:
                    _log.error(
                        "%s; nothing new is delivered until this is mended", error
                    )
                self.denied = True
                await trio.sleep(CLEAR_DENIED)
                continue
            except HydraNotifyError as error:
                # What was acknowledged stays in memory and is cleared when it can be.
                self._due = batch | self._due
                self._counts.database_errors += 1
                failures += 1
                if worth_saying(failures):
                    _log.warning("cannot clear pending flags: %s", error)
                await trio.sleep(reconnect_delay(failures, self._chance()))
                continue
            failures = 0
            if self.denied:
                self.denied = False
                _log.info("flags can be cleared again: going on")
                self._found([])
            if locked:
                self._due |= locked
                await self._bell.wait(trio.current_time() + CLEAR_RETRY)
            elif len(self._due) < CLEAR_BATCH:
                await trio.sleep(min(CLEAR_PAUSE * size, CLEAR_LONGEST_PAUSE))

    def _wake_parked(self) -> None:
        while self._parked and len(self._due) < CLEAR_BATCH:
            event = self._events.parked_one(self._parked.popleft())
            if event is not None and self._events.clearable(event):
                self._due[event] = None

    def _next_batch(self) -> dict[OpenEvent, None]:
        self._wake_parked()
        batch: dict[OpenEvent, None] = {}
        size = 0
        for event in list(self._due):
            if batch and size + len(event.flags) > CLEAR_BATCH:
                break
            del self._due[event]
            # Somebody may hold it again: it was announced anew.
            if self._events.clearable(event):
                batch[event] = None
                size += len(event.flags)
        return batch

    async def _clear(self, batch: Iterable[OpenEvent]) -> dict[OpenEvent, None]:
        """Clear once; returns the events with a flag whose row was locked."""
        flags = [flag for event in batch for flag in event.flags]
        if not flags:
            await trio.lowlevel.checkpoint()
            return {}
        cleared, now = await self._store.clear(flags)
        self._counts.cleared += len(cleared)
        self._counts.clear_batches += 1
        if len(cleared) == len(flags):
            self._chronicle.cleared(batch)
            self._settle_cleared(batch)
            return {}
        self._chronicle.cleared(
            event
            for event in batch
            if any(flag.build in cleared for flag in event.flags)
        )
        locked: dict[OpenEvent, None] = {}
        found: list[BuildFinished] = []
        for event in batch:
            done: list[int] = []
            for flag in event.flags:
                current = None if flag.build in cleared else now.get(flag.build)
                if current == flag:
                    locked[event] = None
                    continue
                done.append(flag.build)
                if isinstance(current, PendingFlag):
                    # It finished again between our reading it and clearing it.
                    found.append(BuildFinished(flag.build))
            self._events.cleared(event, done)
            self._events.park(event)
        self._found(found)
        return locked

    def _settle_cleared(self, batch: Iterable[OpenEvent]) -> None:
        """All flags of a batch were cleared, as they nearly always are."""
        self._events.cleared_all(batch)
        for event in batch:
            if event.owing:
                self._events.park(event)
