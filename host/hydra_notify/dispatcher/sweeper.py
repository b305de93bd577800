"""Finds pending flags whose notification never came, or came to nobody.

A flag becomes visible before its notification, so in the steady state one sighting
proves nothing: only what two sweeps in a row have seen unchanged is delivered. After a
connect there is nothing to wait for: notifications of the time before are gone.
"""

import logging
import time
from collections.abc import Callable

import trio

from hydra_notify.backoff import reconnect_delay, worth_saying
from hydra_notify.bell import Bell
from hydra_notify.delivery import OpenEvents
from hydra_notify.dispatcher.store import Store
from hydra_notify.errors import HydraNotifyError
from hydra_notify.facts import PendingFlag
from hydra_notify.limits import SWEEP_PAGE
from hydra_notify.metrics import Counts

_log = logging.getLogger(__name__)


class Sweeper:
    """Reads the flags that are set, now and then.

    Args:
        store: Where the flags are.
        events: Those under way, whose flags are nobody else's business.
        found: Called with builds to deliver, and whether an earlier host may have
            delivered them already.
        quiet: Whether every notification received has been looked at; while it is
            not, a flag may belong to one of them.
        counts: Of the host.
        chance: A random number in [0, 1) at each call.
        interval: Seconds between sweeps.
    """

    def __init__(
        self,
        store: Store,
        events: OpenEvents,
        found: Callable[[list[int], bool], None],
        quiet: Callable[[], bool],
        counts: Counts,
        chance: Callable[[], float],
        interval: float,
    ) -> None:
        self._store = store
        self._events = events
        self._found = found
        self._quiet = quiet
        self._counts = counts
        self._chance = chance
        self._interval = interval
        self._bell = Bell()
        self._connected = False
        self._swept = False
        self._sighted: dict[int, PendingFlag] = {}

    def connected(self) -> None:
        """LISTEN is in place (again): sweep at once."""
        self._connected = True
        self._bell.ring()

    async def run(self) -> None:
        """Sweep at every connect and every interval, until cancelled."""
        failures = 0
        while True:
            await self._bell.wait(trio.current_time() + self._interval)
            try:
                if self._connected:
                    self._connected = False
                    await self.sweep_at_once()
                elif self._swept and self._quiet():
                    await self.sweep_again()
                failures = 0
            except HydraNotifyError as error:
                self._counts.database_errors += 1
                failures += 1
                if worth_saying(failures):
                    _log.warning("cannot sweep, trying again: %s", error)
                self._connected = True
                await trio.sleep(reconnect_delay(failures, self._chance()))
                self._bell.ring()

    async def sweep_at_once(self) -> None:
        """Deliver every flag that is set and not under way."""
        first, self._swept = not self._swept, True
        self._sighted = {}

        def visit(page: list[PendingFlag]) -> None:
            self._report([flag.build for flag in page], redelivered=first)

        await self._each_page(visit)

    async def sweep_again(self) -> None:
        """Deliver the flags that the sweep before has seen as they are now."""
        before, self._sighted = self._sighted, {}

        def visit(page: list[PendingFlag]) -> None:
            again = [flag for flag in page if before.get(flag.build) == flag]
            seen = {flag.build for flag in again}
            self._sighted |= {f.build: f for f in page if f.build not in seen}
            self._report([flag.build for flag in again], redelivered=False)

        await self._each_page(visit)

    async def _each_page(self, visit: Callable[[list[PendingFlag]], None]) -> None:
        after = count = oldest = 0
        while True:
            page = await self._store.pending_page(after, SWEEP_PAGE)
            if not page:
                self._counts.pending, self._counts.pending_since = count, oldest
                self._counts.pending_looked_at = time.time()
                return
            count += len(page)
            first = min(flag.pending for flag in page)
            oldest = min(oldest, first) if oldest else first
            visit([flag for flag in page if not self._events.covers(flag)])
            after = page[-1].build

    def _report(self, found: list[int], *, redelivered: bool) -> None:
        if found:
            self._counts.swept += len(found)
            _log.info("found %d pending builds without a notification", len(found))
            self._found(found, redelivered)
