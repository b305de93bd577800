"""One time as a host: standing by, delivering, handing in what is in hand.

Start: LISTEN, be elected, take up what is left, start the plugins, sweep. Stop: no more
events come in, plugins finish what they have, flags that may be cleared are, the ledger
is written, and the rest is there for the next host.
"""

import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import TypeVar

import trio

from hydra_notify import process
from hydra_notify.bell import Bell
from hydra_notify.config import Config
from hydra_notify.daemon.plugins import Plugins
from hydra_notify.database import Connection, Database
from hydra_notify.dispatcher import Dispatcher, PostgresStore, Report
from hydra_notify.errors import HydraNotifyError
from hydra_notify.limits import CLEAR_ON_EXIT, QUEUED_ONLY_STALL
from hydra_notify.listener import Listener
from hydra_notify.metrics import Counts
from hydra_notify.progress import Working
from hydra_notify.status import DeadLetter, EventStory

T = TypeVar("T")

_log = logging.getLogger(__name__)


class TermEnd(Enum):
    """Why a term is over."""

    STOPPED = "told to stop"
    DEPOSED = "another host is active"
    RELOADED = "database or host are configured anew"


class Term:
    """One host at work, from its election to its end.

    Args:
        config: Checked.
        counts: Filled while it goes on.
        chance: A random number in [0, 1) at each call.
        sweep_interval: Seconds between sweeps for flags without a notification.
        elected: Called when it becomes the active one.
        asked_for_metrics: Rung when somebody wants them in the log.
    """

    def __init__(
        self,
        config: Config,
        counts: Counts,
        chance: Callable[[], float],
        sweep_interval: float,
        elected: Callable[[], None],
        asked_for_metrics: Bell,
    ) -> None:
        self._config = config
        self._elected = elected
        self._counts = counts
        self._database = Database(config.database.url)
        self._ledger = Database(config.database.url)
        store = PostgresStore(self._database, self._ledger, secrets.token_hex(8))
        self._dispatcher = Dispatcher(
            config.host,
            store,
            counts,
            self._depose,
            chance,
            sweep_interval=sweep_interval,
            asked_for_metrics=asked_for_metrics,
        )
        self._plugins = Plugins(config.host, self._dispatcher, counts, chance)
        self._plugins.add(config.plugins)
        self._listener = Listener(
            config.database.url,
            self._dispatcher.receive,
            self._connected,
            counts,
            chance,
        )
        self._active = False
        self._end: TermEnd | None = None
        self._over = trio.Event()

    @property
    def plugins(self) -> Plugins | None:
        """Its plugins; None unless it delivers."""
        return self._plugins if self._active else None

    @property
    def working(self) -> Working:
        """What there is to do with the database."""
        if self._active and not self._dispatcher.recovered.is_set():
            return Working(recording=True)
        return self._dispatcher.working

    # For whoever looks

    def report(self) -> Report:
        """What is under way now."""
        return self._dispatcher.report()

    def given_up(self) -> tuple[int, list[DeadLetter]]:
        """Dead letters as far as this host knows."""
        return self._dispatcher.given_up()

    def story(self, build: int) -> list[EventStory]:
        """What is known of a build's own events."""
        return self._dispatcher.story(build)

    @property
    def remembered_since(self) -> float:
        """From when on stories are whole (Unix time)."""
        return self._dispatcher.remembered_since

    async def ask(self, work: Callable[[Connection], T]) -> T:
        """What the database says, over the connection that no event waits for.

        Raises:
            DatabaseLost: Nobody answers.
            DatabaseError: It refuses.
        """
        return await self._ledger.run(work)

    def end(self, why: TermEnd) -> None:
        """Begin to hand in; `serve` returns when that is done."""
        self._end = self._end or why
        self._over.set()

    async def serve(self) -> TermEnd:
        """Stand by, deliver when elected, and hand in at the end.

        *Cancellation*: everything ends at once; what is in flight is delivered again
        by the next host.
        """
        try:
            async with trio.open_nursery() as nursery:
                # Ends when everything is handed in, or nothing ever was at hand.
                nursery.start_soon(self._listen)
                nursery.start_soon(self._deliver_once_elected, nursery)
                await self._over.wait()
                if self._active:
                    await self._hand_in()
                nursery.cancel_scope.cancel()
        finally:
            with trio.CancelScope(shield=True):
                await self._database.close()
                await self._ledger.close()
        assert self._end is not None
        return self._end

    async def reload(self, config: Config) -> None:
        """Go on with another configuration; plugins that are in both notice nothing."""
        ours = (self._config.database, self._config.host)
        if not self._active or ours != (config.database, config.host):
            self.end(TermEnd.RELOADED)
            return
        self._config = config
        await self._plugins.change(config.plugins)

    async def deliver_queued(self) -> None:
        """Deliver what is pending, each delivery tried once.

        Raises:
            DatabaseLost: Nobody answers.
            DatabaseError: The flags cannot be read.
        """
        try:
            async with trio.open_nursery() as nursery:
                # Ends when everything that is pending has been tried.
                nursery.start_soon(self._dispatcher.run)
                with trio.CancelScope() as trying:
                    nursery.start_soon(self._cancel_when_over, trying)
                    await self._dispatcher.recovered.wait()
                    await self._dispatcher.sweep()
                    self._plugins.start(nursery)
                    await self._wait_until_tried()
                await self._hand_in()
                nursery.cancel_scope.cancel()
        finally:
            with trio.CancelScope(shield=True):
                await self._database.close()
                await self._ledger.close()

    def _connected(self) -> None:
        if not self._counts.polling:
            # Whatever ended the other connection may have swallowed this one.
            self._database.renew()
            self._ledger.renew()
        self._dispatcher.connected()

    def _depose(self) -> None:
        self.end(TermEnd.DEPOSED)

    async def _listen(self) -> None:
        async with trio.open_nursery() as nursery:
            # Ends when the listener does: deposed, or because the term is over.
            nursery.start_soon(self._cancel_when_over, nursery.cancel_scope)
            await self._listener.run()
            self._depose()

    async def _deliver_once_elected(self, nursery: trio.Nursery) -> None:
        await self._listener.elected.wait()
        if self._over.is_set():
            return
        self._active = True
        self._elected()
        await process.end_leftovers(self._plugins.directories)
        nursery.start_soon(self._dispatcher.run)
        self._plugins.start(nursery)

    async def _cancel_when_over(self, scope: trio.CancelScope) -> None:
        await self._over.wait()
        scope.cancel()

    async def _wait_until_tried(self) -> None:
        """Return when every delivery was tried, or nothing has moved for a while."""
        left = -1
        while left != self._dispatcher.on_their_way:
            left = self._dispatcher.on_their_way
            with trio.move_on_after(QUEUED_ONLY_STALL):
                await self._dispatcher.wait_tried()

    async def _hand_in(self) -> None:
        _log.info("stopping")
        await self._plugins.stop()
        done = False
        with trio.move_on_after(CLEAR_ON_EXIT), suppress(HydraNotifyError):
            await self._dispatcher.flush()
            done = True
        if not done:
            _log.warning("flags of delivered events stay set: they are delivered again")
