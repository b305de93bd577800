"""The host as a service: whether it gets on, and what the service manager is told."""

import logging
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import trio

from hydra_notify.limits import KEEPALIVE, LOOK_GAP, SERVICE_TURN, START_EXTENSION
from hydra_notify.metrics import Counts, Role
from hydra_notify.progress import Progress, Working, signs, status
from hydra_notify.systemd import Systemd, microseconds

_log = logging.getLogger(__name__)

_EXTEND = f"EXTEND_TIMEOUT_USEC={microseconds(START_EXTENSION)}"


class Service:
    """Tells the service manager how the host is, for as long as it runs.

    Args:
        systemd: Who is told.
        counts: Of the host.
        working: What it has to do with the database.
    """

    def __init__(
        self, systemd: Systemd, counts: Counts, working: Callable[[], Working]
    ) -> None:
        self._systemd = systemd
        self._counts = counts
        self._working = working
        self._between = min((systemd.watchdog or KEEPALIVE * 2) / 2, KEEPALIVE)
        # Where nobody is told, there is only to look.
        turn = SERVICE_TURN if systemd.listens else LOOK_GAP
        self._turn = min(turn, self._between)
        self._alive_next = 0.0
        self._ready = False
        self._reloading = False
        self._stopping = False
        self._stuck = ""
        self._status = ""

    @property
    def stuck(self) -> str:
        """What stands still for longer than it can take; empty if all goes on."""
        return self._stuck

    async def run(self) -> None:
        """Look, and tell what has changed, until cancelled."""
        progress = Progress(trio.current_time())
        while True:
            self._look(progress)
            self._tell()
            await trio.sleep(self._turn)

    @contextmanager
    def reloading(self) -> Generator[None]:
        """The configuration is read again, and what follows from it is done."""
        # Who is not ready yet is not told to be so again.
        if not self._ready:
            yield
            return
        now = microseconds(time.clock_gettime(time.CLOCK_MONOTONIC))
        self._systemd.tell("RELOADING=1", f"MONOTONIC_USEC={now}")
        self._reloading = True
        self._tell()
        try:
            yield
        finally:
            self._reloading = self._ready = False
            self._tell()

    def stop(self) -> None:
        """The host has been told to stop."""
        if not self._stopping:
            self._stopping = True
            self._systemd.tell("STOPPING=1")
            self._tell()

    def _look(self, progress: Progress) -> None:
        # Nobody but threads for statements and new processes uses these.
        limiter = trio.to_thread.current_default_thread_limiter()
        threads = limiter.available_tokens > 0
        seen = signs(self._counts, self._working(), threads=threads)
        stuck = progress.stuck(seen, trio.current_time())
        if stuck and not self._stuck:
            _log.critical("%s: no progress; the watchdog is not told any more", stuck)
        elif self._stuck and not stuck:
            _log.warning("%s: goes on again", self._stuck)
        self._stuck = stuck

    def _tell(self) -> None:
        words = self._words()
        if words != self._status and self._systemd.tell(f"STATUS={words}"):
            self._status = words
        started = self._counts.role is not Role.STARTING
        if started and not (self._ready or self._reloading or self._stopping):
            self._ready = self._systemd.tell("READY=1")
        if not self._stuck and trio.current_time() >= self._alive_next:
            self._tell_alive()

    def _tell_alive(self) -> None:
        alive = ["WATCHDOG=1"] if self._systemd.watchdog else []
        if not (self._ready or self._stopping or self._reloading):
            alive.append(_EXTEND)
        if not alive or self._systemd.tell(*alive):
            self._alive_next = trio.current_time() + self._between

    def _words(self) -> str:
        if self._stuck:
            return f"stuck: {self._stuck}"
        if self._stopping:
            return "stopping"
        if self._reloading:
            return "reloading"
        return status(self._counts)
