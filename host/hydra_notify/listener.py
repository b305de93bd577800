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

from hydra_notify.backoff import reconnect_delay
from hydra_notify.database import Connection, connect, shut, translated
from hydra_notify.errors import DatabaseLost, HydraNotifyError
from hydra_notify.events import Notification
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

LISTEN_TO: Final = {name: f'LISTEN "{name}"' for name in (*CHANNELS, PING_CHANNEL)}
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
                delay = reconnect_delay(failures, self._chance())
                _log.warning("not listening: %s; again in %.1f s", error, delay)
                await trio.sleep(delay)

    async def _listen(self, ping_interval: float) -> None:
        connection = await trio.to_thread.run_sync(
            partial(_connect_and_listen, self._url), abandon_on_cancel=True
        )
        try:
            self._counts.connects += 1
            _log.info("listening")
            self._connected()
            await self._drain(connection, ping_interval)
        finally:
            shut(connection)
            connection.close()

    async def _drain(self, connection: Connection, ping_interval: float) -> None:
        ping_at = trio.current_time() + ping_interval
        nonce = ""
        while True:
            arrived = _arrived(connection)
            if arrived:
                if nonce and Notification(PING_CHANNEL, nonce) in arrived:
                    nonce = ""
                    ping_at = trio.current_time() + ping_interval
                await self._hand_on(arrived)
                continue
            with trio.move_on_at(ping_at) as scope:
                await trio.lowlevel.wait_readable(connection.fileno())
            if not scope.cancelled_caught:
                continue
            if nonce:
                raise DatabaseLost("a NOTIFY to ourselves did not come back")
            nonce = secrets.token_hex(8)
            ping_at = trio.current_time() + SELF_PING_DEADLINE
            await self._ping(connection, nonce)

    async def _hand_on(self, arrived: list[Notification]) -> None:
        events = [n for n in arrived if n.channel != PING_CHANNEL]
        for start in range(0, len(events), LISTEN_SLICE):
            self._receive(events[start : start + LISTEN_SLICE])
            await trio.lowlevel.checkpoint()

    async def _ping(self, connection: Connection, nonce: str) -> None:
        with trio.move_on_after(SELF_PING_DEADLINE) as scope:
            await trio.to_thread.run_sync(
                _execute_ping, connection, nonce, abandon_on_cancel=True
            )
        if scope.cancelled_caught:
            raise DatabaseLost("no answer to a NOTIFY to ourselves")


def _connect_and_listen(url: str) -> Connection:
    connection = connect(url, application_name="hydra-notify listener")
    with translated():
        for channel in (*CHANNELS, PING_CHANNEL):
            connection.execute(LISTEN_TO[channel])
    return connection


def _execute_ping(connection: Connection, nonce: str) -> None:
    with translated():
        connection.execute(_PING, (PING_CHANNEL, nonce))


def _arrived(connection: Connection) -> list[Notification]:
    """What has arrived; never blocks. A list, since the generator holds a lock."""
    with translated():
        return [
            Notification(notify.channel, notify.payload)
            for notify in connection.notifies(timeout=0)
        ]
