"""LISTEN, on a connection of its own that nothing downstream can block.

Drain, then wait: what arrived together with another reply is already in libpq's memory,
and the socket is silent. The only statement here is the self-ping, a NOTIFY that has to
come back: a dead link, a failed-over server and a pooler that lost our LISTEN all look
alike, and nothing else proves that notifications still arrive.
"""

import logging
import secrets
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import trio

from hydra_notify.backoff import reconnect_delay, worth_saying
from hydra_notify.database import Connection, in_thread, translated
from hydra_notify.errors import DatabaseLost, HydraNotifyError
from hydra_notify.events import ORDERS_CHANNEL, Notification
from hydra_notify.limits import (
    LISTEN_SLICE,
    SELF_PING_DEADLINE,
    SELF_PING_INTERVAL,
)
from hydra_notify.metrics import Counts
from hydra_notify_sdk.wire import CHANNELS

_log = logging.getLogger(__name__)

PING_CHANNEL: Final = "hydra_notify_ping"
"""Ours alone; the payload tells one listener's pings from another's."""

_PING: Final = "SELECT pg_notify(%s, %s)"

_LISTENS: Final = tuple(
    f'LISTEN "{channel}"'.encode()
    for channel in (*CHANNELS, ORDERS_CHANNEL, PING_CHANNEL)
)
"""A channel is an identifier, which cannot be bound; these are all there are."""


class Listener:
    """Receives notifications for as long as it runs, whatever happens to Postgres.

    Args:
        url: Of Hydra's database.
        receive: Called with notifications as they arrive; must not wait.
        connected: Called when LISTEN is in place; what was announced before is lost.
        counts: Of the host.
        chance: A random number in [0, 1) at each call.
    """

    def __init__(
        self,
        url: str,
        receive: Callable[[Iterable[Notification]], None],
        connected: Callable[[], None],
        counts: Counts,
        chance: Callable[[], float],
    ) -> None:
        self._url = url
        self._receive = receive
        self._connected = connected
        self._counts = counts
        self._chance = chance

    async def run(self, *, ping_interval: float = SELF_PING_INTERVAL) -> None:
        """Connect, LISTEN, receive; connect again when that ends; until cancelled."""
        failures = 0
        while True:
            connects = self._counts.connects
            try:
                await self._listen(ping_interval)
            except HydraNotifyError as error:
                failures = 0 if self._counts.connects > connects else failures + 1
                if worth_saying(failures):
                    _log.warning("not listening, trying again: %s", error)
                await trio.sleep(reconnect_delay(failures, self._chance()))

    async def _listen(self, ping_interval: float) -> None:
        connection, _ = await in_thread(self._url, None, _listen_to_all)
        pinging = False
        try:
            self._counts.connects += 1
            _log.info("listening")
            self._connected()
            while True:
                await self._receive_for(ping_interval, connection)
                nonce = secrets.token_hex(8)
                pinging = True
                with trio.move_on_after(SELF_PING_DEADLINE):
                    ping = partial(_ping, nonce=nonce)
                    await in_thread(self._url, connection, ping)
                    pinging = False
                if pinging:
                    raise DatabaseLost("no answer to a NOTIFY to ourselves")
                if not await self._receive_for(SELF_PING_DEADLINE, connection, nonce):
                    raise DatabaseLost("a NOTIFY to ourselves did not come back")
        finally:
            if not pinging:
                connection.close()

    async def _receive_for(
        self, seconds: float, connection: Connection, nonce: str = ""
    ) -> bool:
        """Hand on what arrives; whether our ping with `nonce` was among it."""
        deadline = trio.current_time() + seconds
        pong = Notification(PING_CHANNEL, nonce)
        while trio.current_time() < deadline:
            arrived = _arrived(connection)
            if arrived:
                await self._hand_on(arrived)
                if pong in arrived:
                    return True
                continue
            with trio.move_on_at(deadline):
                await trio.lowlevel.wait_readable(connection.fileno())
        return False

    async def _hand_on(self, arrived: list[Notification]) -> None:
        events = [n for n in arrived if n.channel != PING_CHANNEL]
        for start in range(0, len(events), LISTEN_SLICE):
            self._receive(events[start : start + LISTEN_SLICE])
            await trio.lowlevel.checkpoint()


def _listen_to_all(connection: Connection) -> None:
    for statement in _LISTENS:
        connection.execute(statement)


def _ping(connection: Connection, nonce: str) -> None:
    connection.execute(_PING, (PING_CHANNEL, nonce))


def _arrived(connection: Connection) -> list[Notification]:
    """What has arrived; never blocks. A list, since the generator holds a lock."""
    with translated():
        return [
            Notification(notify.channel, notify.payload)
            for notify in connection.notifies(timeout=0)
        ]
