"""Signals, and one term after the other until told to stop."""

import logging
import os
import random
import signal
from collections.abc import Awaitable, Callable
from enum import IntEnum

import trio

from hydra_notify import process
from hydra_notify.config import Config
from hydra_notify.daemon.letters import Letters
from hydra_notify.daemon.now import Now
from hydra_notify.daemon.orders import orders
from hydra_notify.daemon.pages import pages
from hydra_notify.daemon.screens import Screens
from hydra_notify.daemon.service import Service
from hydra_notify.daemon.site import Site
from hydra_notify.daemon.suitable import check_database, find_database
from hydra_notify.daemon.term import Term, TermEnd
from hydra_notify.daemon.watch import Watch
from hydra_notify.database import Database
from hydra_notify.election import host_is_active
from hydra_notify.errors import (
    ConfigError,
    DatabaseUnsuitable,
    HydraNotifyError,
)
from hydra_notify.limits import SWEEP_INTERVAL
from hydra_notify.metrics import Counts
from hydra_notify.progress import Working
from hydra_notify.systemd import Systemd

_log = logging.getLogger(__name__)


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
        reread: Reads the configuration again, for a reload; None where there is no
            file to read.
        systemd: Told how the host is while it serves; None where nobody is.
        sweep_interval: Seconds between sweeps for flags without a notification.
    """

    def __init__(
        self,
        config: Config,
        counts: Counts,
        *,
        reread: Callable[[], Config] | None = None,
        systemd: Systemd | None = None,
        sweep_interval: float = SWEEP_INTERVAL,
    ) -> None:
        self._counts = counts
        self._reread = reread
        self._sweep_interval = sweep_interval
        self._stop = trio.Event()
        self._service = Service(systemd or Systemd({}), counts, self._working)
        self._now = Now(config, counts, lambda: self._service.stuck)
        self._watch = Watch(self._now)
        self._site = _site(self._now, self._watch)

    def stop(self) -> None:
        """Begin to drain; `serve` returns when that is done."""
        self._stop.set()
        self._now.stopping = True
        self._service.stop()
        if self._now.term is not None:
            self._now.term.end(TermEnd.STOPPED)

    async def serve(self) -> Exit:
        """Deliver until `stop` or a signal; a second signal ends it at once.

        *Cancellation*: everything ends at once; what is in flight is delivered again
        by the next host.
        """
        return await self._until_signalled(
            self._serve_and_finish,
            self._service.run,
            self._site.run,
            self._watch.run,
            self._watch.tell_metrics,
        )

    async def deliver_queued(self) -> Exit:
        """Deliver what is pending, each delivery tried once, and return.

        A plugin's failure leaves the flag set and is no failure of this command.
        """
        return await self._until_signalled(self._deliver_queued)

    async def reload(self) -> None:
        """Read the configuration again; one that cannot be used changes nothing."""
        if self._reread is None:
            return
        try:
            config = await trio.to_thread.run_sync(self._reread)
        except ConfigError as error:
            self._counts.config_reload_failures += 1
            self._counts.config_reload_failed = True
            for problem in error.problems:
                _log.error("the old configuration stays: %s", problem)
            return
        self._counts.config_reloads += 1
        self._counts.config_reload_failed = False
        self._now.config = config
        self._site.change()
        if self._now.term is not None:
            await self._now.term.reload(config)

    def _working(self) -> Working:
        return Working() if self._now.term is None else self._now.term.working

    async def _serve_and_finish(self) -> Exit:
        status = await self._serve()
        # Whoever looks on sees the end of the plugins, and does not delay it.
        await self._site.finish()
        return status

    async def _serve(self) -> Exit:
        while not self._stop.is_set():
            try:
                if not await find_database(self._now, self._stop):
                    break
            except DatabaseUnsuitable as error:
                _log.error("%s", error)
                return Exit.UNSUITABLE
            term = self._new_term()
            end = await term.serve()
            self._now.term = None
            self._counts.steps += 1
            if end is TermEnd.DEPOSED:
                self._site.be_active(active=False)
            if end is not TermEnd.STOPPED:
                _log.warning("starting over: %s", end.value)
        return Exit.DONE

    async def _deliver_queued(self) -> Exit:
        database = Database(self._now.config.database.url)
        try:
            await database.run(check_database)
            if await database.run(host_is_active):
                _log.error(
                    "a host is active on this database: it delivers what is pending"
                )
                return Exit.FAILED
            await self._new_term().deliver_queued()
        except DatabaseUnsuitable as error:
            _log.error("%s", error)
            return Exit.UNSUITABLE
        except HydraNotifyError as error:
            _log.error("the database cannot be read: %s", error)
            return Exit.UNREACHABLE
        finally:
            with trio.CancelScope(shield=True):
                await database.close()
        return Exit.DONE

    def _new_term(self) -> Term:
        term = Term(
            self._now.config,
            self._counts,
            random.random,
            self._sweep_interval,
            lambda: self._site.be_active(active=True),
            self._now.asked_for_metrics,
        )
        self._now.term = term
        if self._stop.is_set():
            term.end(TermEnd.STOPPED)
        return term

    async def _until_signalled(
        self,
        work: Callable[[], Awaitable[Exit]],
        *beside: Callable[[], Awaitable[None]],
    ) -> Exit:
        status = Exit.FAILED
        async with trio.open_nursery() as nursery:
            # Ends with the work; the signal tasks only wait.
            nursery.start_soon(self._stop_on_signals, nursery.cancel_scope)
            nursery.start_soon(self._reload_on_signals)
            for each in (process.reap_orphans, *beside):
                nursery.start_soon(each)
            status = await work()
            nursery.cancel_scope.cancel()
        return status

    async def _stop_on_signals(self, at_once: trio.CancelScope) -> None:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for number in signals:
                if self._stop.is_set():
                    _log.warning("second signal: ending at once")
                    at_once.cancel()
                _log.info("%s", signal.Signals(number).name)
                self.stop()

    async def _reload_on_signals(self) -> None:
        terminal = _has_terminal()
        with trio.open_signal_receiver(signal.SIGHUP) as signals:
            async for _ in signals:
                _log.info("SIGHUP")
                if self._reread is None or (terminal and not _has_terminal()):
                    # A terminal was closed, and whoever watched is gone.
                    self.stop()
                else:
                    with self._service.reloading():
                        await self.reload()


def _site(now: Now, watch: Watch) -> Site:
    """All that can be had over HTTP."""
    letters = Letters(now)
    screens = Screens(now, watch, letters)
    routes = [*screens.routes, *pages(now, watch, letters), *orders(now, letters)]
    return Site(now, routes, screens.explain)


def _has_terminal() -> bool:
    """Whether this process has a terminal that could be closed."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
