"""The wiring: start order, stop order, signals, exit status.

Start: the schema is looked at, plugins start, LISTEN, sweep. Stop: no more events come
in, plugins finish what they have, flags that may be cleared are, and the rest stays set
for the next start.
"""

import logging
import random
import secrets
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import IntEnum

import trio

from hydra_notify import builds
from hydra_notify.backoff import reconnect_delay, worth_saying
from hydra_notify.config import Config
from hydra_notify.database import Database
from hydra_notify.dispatcher import Dispatcher, PostgresStore
from hydra_notify.errors import HydraNotifyError
from hydra_notify.limits import CLEAR_ON_EXIT, QUEUED_ONLY_STALL, SWEEP_INTERVAL
from hydra_notify.listener import Listener
from hydra_notify.metrics import Counts
from hydra_notify.supervisor import Supervisor

_log = logging.getLogger(__name__)

OLDEST_SCHEMA = 85
NEWEST_SCHEMA = 88
"""Hydra's schema versions the statements were written for."""


class Exit(IntEnum):
    """Exit statuses of the command; 2, for bad usage, is the command line's own."""

    DONE = 0
    FAILED = 1
    UNREACHABLE = 69
    UNSUITABLE = 78


class Daemon:
    """A host, not yet running.

    Args:
        config: Checked.
        counts: Filled while it runs.
        sweep_interval: Seconds between sweeps for flags without a notification.
    """

    def __init__(
        self,
        config: Config,
        counts: Counts,
        *,
        sweep_interval: float = SWEEP_INTERVAL,
    ) -> None:
        chance = random.random
        self._database = Database(config.database.url)
        store = PostgresStore(self._database, secrets.token_hex(8))
        self._dispatcher = Dispatcher(
            config.host, store, counts, chance, sweep_interval=sweep_interval
        )
        for plugin in config.plugins.values():
            self._dispatcher.add(plugin)
        self._supervisors = [
            Supervisor(
                plugin, config.host, self._dispatcher, counts.plugin(name), chance
            )
            for name, plugin in config.plugins.items()
        ]
        self._listener = Listener(
            config.database.url,
            self._dispatcher.receive,
            self._dispatcher.connected,
            counts,
            chance,
        )
        self._stop = trio.Event()

    def stop(self) -> None:
        """Begin to drain; `serve` returns when that is done."""
        self._stop.set()

    async def serve(self) -> Exit:
        """Deliver until `stop` or a signal; a second signal ends it at once.

        *Cancellation*: everything ends at once; what is in flight is delivered again
        by the next host.
        """
        return await self._until_signalled(self._serve)

    async def deliver_queued(self) -> Exit:
        """Deliver what is pending, each delivery tried once, and return.

        A plugin's failure leaves the flag set and is no failure of this command.
        """
        return await self._until_signalled(self._deliver_queued)

    async def _serve(self) -> Exit:
        version = await self._find_schema()
        if version is None or not _suits(version):
            return Exit.DONE if version is None else Exit.UNSUITABLE
        async with trio.open_nursery() as nursery:
            # Ends when everything is drained.
            self._start_delivering(nursery)
            listening = trio.CancelScope()
            nursery.start_soon(self._listen, listening)
            await self._stop.wait()
            listening.cancel()
            await self._drain()
            nursery.cancel_scope.cancel()
        return Exit.DONE

    async def _deliver_queued(self) -> Exit:
        try:
            version = await self._database.run(builds.schema_version)
            if not _suits(version):
                return Exit.UNSUITABLE
            await self._dispatcher.sweep()
        except HydraNotifyError as error:
            _log.error("the database cannot be read: %s", error)
            return Exit.UNREACHABLE
        async with trio.open_nursery() as nursery:
            # Ends when everything that is pending has been tried.
            self._start_delivering(nursery)
            await self._wait_until_tried()
            await self._drain()
            nursery.cancel_scope.cancel()
        return Exit.DONE

    def _start_delivering(self, nursery: trio.Nursery) -> None:
        nursery.start_soon(self._dispatcher.run)
        for supervisor in self._supervisors:
            nursery.start_soon(supervisor.run)

    async def _listen(self, scope: trio.CancelScope) -> None:
        with scope:
            await self._listener.run()

    async def _find_schema(self) -> int | None:
        """Hydra's schema version, as soon as there is one; None when stopped before."""
        failures = 0
        while not self._stop.is_set():
            try:
                return await self._database.run(builds.schema_version)
            except HydraNotifyError as error:
                failures += 1
                delay = reconnect_delay(failures, random.random())
                if worth_saying(failures):
                    _log.warning("waiting for Hydra's database: %s", error)
                with trio.move_on_after(delay):
                    await self._stop.wait()
        return None

    async def _wait_until_tried(self) -> None:
        """Return when every delivery was tried, or nothing has moved for a while."""
        left = -1
        while left != self._dispatcher.on_their_way:
            left = self._dispatcher.on_their_way
            with trio.move_on_after(QUEUED_ONLY_STALL):
                await self._dispatcher.wait_tried()

    async def _drain(self) -> None:
        _log.info("stopping")
        async with trio.open_nursery() as nursery:
            # Ends when every plugin has ended; each wait in it is bounded.
            for supervisor in self._supervisors:
                nursery.start_soon(supervisor.stop)
        flushed = False
        with trio.move_on_after(CLEAR_ON_EXIT), suppress(HydraNotifyError):
            await self._dispatcher.flush()
            flushed = True
        if not flushed:
            _log.warning("flags of delivered events stay set: they are delivered again")

    async def _until_signalled(self, work: Callable[[], Awaitable[Exit]]) -> Exit:
        status = Exit.FAILED
        try:
            async with trio.open_nursery() as nursery:
                # Ends with the work; the signal task only waits.
                nursery.start_soon(self._stop_on_signals, nursery.cancel_scope)
                status = await work()
                nursery.cancel_scope.cancel()
        finally:
            with trio.CancelScope(shield=True):
                await self._database.close()
        return status

    async def _stop_on_signals(self, at_once: trio.CancelScope) -> None:
        # SIGHUP: a terminal was closed, and whoever watched is gone.
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        with trio.open_signal_receiver(*numbers) as signals:
            async for number in signals:
                if self._stop.is_set():
                    _log.warning("second signal: ending at once")
                    at_once.cancel()
                _log.info("%s", signal.Signals(number).name)
                self.stop()


def _suits(version: int) -> bool:
    """Whether Hydra's schema can be read; says why not, or what may go wrong."""
    if version < OLDEST_SCHEMA:
        _log.error(
            "Hydra's schema is version %d; this host reads %d and later: upgrade Hydra",
            version,
            OLDEST_SCHEMA,
        )
        return False
    if version > NEWEST_SCHEMA:
        _log.warning(
            "Hydra's schema is version %d; this host knows up to %d and goes on",
            version,
            NEWEST_SCHEMA,
        )
    return True
