"""The life of a host's connection for LISTEN: proved, elected, pinged, replaced.

Nothing downstream can block it. Its own NOTIFY has to come back every few seconds: a
dead link, a failed-over server and a pooler that lost our LISTEN all look alike, and
nothing else proves that notifications still arrive.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterable
from functools import partial

import trio

from hydra_notify.backoff import reconnect_delay, worth_saying
from hydra_notify.election import Attempt, Result, contend
from hydra_notify.errors import HydraNotifyError
from hydra_notify.events import Notification
from hydra_notify.limits import LISTEN_SLICE, RECONNECT_BASE
from hydra_notify.listener.link import PING_CHANNEL, Link, open_link
from hydra_notify.listener.timing import Timing
from hydra_notify.metrics import Counts, Role

_log = logging.getLogger(__name__)

TIMING = Timing()


class Listener:
    """Receives notifications while this host is the active one on its database.

    One host is: who holds the lock of `election`. Another one is a standby, which hears
    the active host's pings and takes over when there is no holder any more, or when it
    falls silent. Where LISTEN does not work there is no election: a lock would stay
    with a pooler's backend. Such a host is active and sweeps all the time instead.

    Args:
        url: Of Hydra's database.
        receive: Called with notifications as they arrive; must not wait.
        connected: Called when this host is active and LISTEN is in place (again): what
            was announced before is lost. Also called at every poll.
        counts: Of the host.
        chance: A random number in [0, 1) at each call.

    Attributes:
        elected: Set when this host became the active one.
    """

    def __init__(
        self,
        url: str,
        receive: Callable[[Iterable[Notification]], None],
        connected: Callable[[], None],
        counts: Counts,
        chance: Callable[[], float],
    ) -> None:
        self.elected = trio.Event()
        self._url = url
        self._receive = receive
        self._connected = connected
        self._counts = counts
        self._chance = chance
        self._timing = TIMING
        self._serving = False
        self._own = 0
        """The backend with which this host was elected; 0 before."""
        self._rival: int | None = None
        """The backend that held the lock when last looked at."""
        self._heard = 0.0
        """When a ping of an active host arrived last, or its silence began to count."""

    async def run(self, timing: Timing | None = None) -> None:
        """Listen, whatever happens to Postgres, until cancelled.

        Returns:
            When this host is deposed: it was active, lost its connection, and another
            host has become active meanwhile.
        """
        self._timing = timing or TIMING
        failures = 0
        while True:
            connects = self._counts.connects
            try:
                if await self._listen():
                    return
            except HydraNotifyError as error:
                failures = 0 if self._counts.connects > connects else failures + 1
                self._counts.link_error = str(error)
                if worth_saying(failures):
                    _log.warning("not listening, trying again: %s", error)
                self._counts.steps += 1
                await trio.sleep(reconnect_delay(failures, self._chance()))

    async def _listen(self) -> bool:
        """Use one connection to its end; whether this host is deposed."""
        async with open_link(self._url, self._take) as link:
            self._heard, self._rival = trio.current_time(), None
            if await link.prove(_payload(Role.STANDBY), self._timing.deadline):
                self._counts.connects += 1
                self._counts.listening = True
                self._counts.link_changed_at = time.time()
                self._listens_again()
                try:
                    if not await self._is_elected(link):
                        return True
                    await self._serve(link)
                finally:
                    self._counts.listening = False
                    self._counts.link_changed_at = time.time()
        await self._poll()
        return False

    async def _is_elected(self, link: Link) -> bool:
        """Stand by until this host is the active one; False when it is deposed."""
        while True:
            attempt = await self._contend(link)
            self._counts.steps += 1
            if attempt.result is Result.WON:
                self._own = link.pid
                return True
            if attempt.result is Result.ENDED:
                await link.hear(RECONNECT_BASE)
                continue
            if (
                self.elected.is_set()
                and attempt.holder is not None
                and attempt.holder != self._own
            ):
                self._become(Role.STANDBY, "another host has become active meanwhile")
                return False
            self._become(Role.STANDBY, "standby: another host is active")
            await link.hear(self._timing.retry)

    async def _contend(self, link: Link) -> Attempt:
        # Our own old session outlives a link that was cut without a word.
        dead = {self._own}
        if self._is_overdue():
            # Its pings come before ours, if there are any and we can hear.
            await link.ping(_payload(Role.STANDBY), self._timing.deadline)
            if self._is_overdue():
                assert self._rival is not None
                dead.add(self._rival)
        attempt = await link.ask(partial(contend, dead=dead), self._timing.deadline)
        if attempt.holder in dead:
            _log.warning(
                "backend %d holds the lock for a host that is gone or silent: %s",
                attempt.holder,
                attempt.refusal or "ending it",
            )
        if attempt.holder != self._rival or attempt.holder in dead:
            # A new one has its time to be heard, and so has one that was told to end.
            self._rival, self._heard = attempt.holder, trio.current_time()
        return attempt

    def _is_overdue(self) -> bool:
        silence = trio.current_time() - self._heard
        return self._rival is not None and silence > self._timing.silence

    async def _serve(self, link: Link) -> None:
        """Hand on what arrives, until the connection is lost."""
        self._become(Role.ACTIVE, "active: this host delivers")
        _log.info("listening")
        self._serving = True
        try:
            self.elected.set()
            self._connected()
            while True:
                await link.ping(_payload(Role.ACTIVE), self._timing.deadline)
                self._counts.steps += 1
                await link.hear(self._timing.ping)
        finally:
            self._serving = False

    async def _poll(self) -> None:
        """Have the database swept for a while instead."""
        if not self._counts.polling:
            self._counts.polling = True
            self._counts.link_changed_at = time.time()
            _log.warning(
                "LISTEN does not work, as behind a pooler that pools transactions:"
                " looking for finished builds every %g s, other events are not seen;"
                " give the host a direct connection to Postgres (database.url)",
                self._timing.poll,
            )
        self._become(Role.ACTIVE, "active: this host delivers, without an election")
        self.elected.set()
        until = trio.current_time() + self._timing.relisten
        while trio.current_time() < until:
            self._connected()
            self._counts.steps += 1
            await trio.sleep(self._timing.poll)

    def _listens_again(self) -> None:
        if self._counts.polling:
            self._counts.polling = False
            _log.info("LISTEN works again: no polling any more")

    def _become(self, role: Role, words: str) -> None:
        if self._counts.role is not role:
            self._counts.role = role
            _log.info("%s", words)

    async def _take(self, arrived: list[Notification]) -> None:
        events: list[Notification] = []
        for notification in arrived:
            if notification.channel != PING_CHANNEL:
                events.append(notification)
            elif notification.payload.startswith(Role.ACTIVE):
                self._heard = trio.current_time()
        if not self._serving:
            # The sweep that `connected` starts makes them good.
            return
        for start in range(0, len(events), LISTEN_SLICE):
            self._receive(events[start : start + LISTEN_SLICE])
            await trio.lowlevel.checkpoint()


def _payload(role: Role) -> str:
    return f"{role} {secrets.token_hex(8)}"
