"""Looks for what operators have ordered: at once when told, and now and then."""

import logging
from collections.abc import Callable

import trio

from hydra_notify.backoff import reconnect_delay
from hydra_notify.bell import Bell
from hydra_notify.delivery import OpenEvents
from hydra_notify.dispatcher.recovery import Recovery
from hydra_notify.dispatcher.store import Store
from hydra_notify.errors import HydraNotifyError, LedgerTaken
from hydra_notify.limits import KEEP_DEAD, LEDGER_LOOK, LEDGER_PRUNE
from hydra_notify.metrics import Counts

_log = logging.getLogger(__name__)


class Orders:
    """Orders in the ledger, and what has lain there for too long.

    Args:
        store: Where the ledger is.
        events: Those that are not done with; says whether there is a ledger.
        recovery: Obeys.
        counts: Of the host.
        chance: A random number in [0, 1) at each call.

    Attributes:
        bell: Rung when an operator has ordered something.
    """

    def __init__(
        self,
        store: Store,
        events: OpenEvents,
        recovery: Recovery,
        counts: Counts,
        chance: Callable[[], float],
    ) -> None:
        self.bell = Bell()
        self._store = store
        self._unwritten = events.unwritten
        self._recovery = recovery
        self._counts = counts
        self._chance = chance

    async def run(self) -> None:
        """Obey and prune until cancelled."""
        pruned, failures = -LEDGER_PRUNE, 0
        while True:
            look = LEDGER_LOOK
            try:
                if self._unwritten.active:
                    await self._obey()
                if self._unwritten.active and trio.current_time() > pruned:
                    pruned = trio.current_time() + LEDGER_PRUNE
                    await self._prune()
                failures = 0
            except LedgerTaken:
                # Orders are the other host's now.
                return
            except HydraNotifyError as error:
                # Somebody waits for that; the recorder says if this goes on.
                self._counts.database_errors += 1
                failures += 1
                look = reconnect_delay(failures, self._chance())
                _log.info("cannot look for orders: %s", error)
            await self.bell.wait(trio.current_time() + look)

    async def _obey(self) -> None:
        orders = await self._store.orders()
        if orders:
            # Obeyed twice rather than never: nobody knows whether what follows arrives.
            self._recovery.obey(orders)
            await self._store.confirm(orders)
            self._recovery.confirmed(orders)

    async def _prune(self) -> None:
        gone = await self._store.prune(KEEP_DEAD)
        self._unwritten.kept.difference_update(gone)
        if gone:
            _log.warning("forgot %d dead letters: they were too old", len(gone))
