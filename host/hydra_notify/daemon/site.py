"""Where the host can be asked, over all its terms: its socket, and `http.listen`."""

import logging
from collections.abc import Callable, Sequence

import trio

from hydra_notify.bell import Bell
from hydra_notify.daemon.now import Now
from hydra_notify.http import (
    SOCKET_NAME,
    Explain,
    Gate,
    HostSocket,
    Listen,
    Route,
    Server,
)
from hydra_notify.http.claim import Place

_log = logging.getLogger(__name__)


class Site:
    """The servers of the current configuration.

    Args:
        now: The host; its configuration says where to listen.
        routes: What there is to be had at each address.
        explain: Makes a page of a refusal.
    """

    def __init__(
        self, now: Now, routes: Sequence[Route], explain: Explain | None = None
    ) -> None:
        self._now = now
        self._gate = Gate(now.config.http)
        self._routes = [*routes, *self._gate.routes]
        self._explain = explain
        self._active = False
        self._changed = (Bell(), Bell())
        self._servers: set[Server] = set()

    @property
    def wrong_tokens(self) -> int:
        """How many were tried, at all addresses."""
        return self._gate.wrong_tokens

    def change(self) -> None:
        """Go on with the configuration of now; what is new of it takes effect."""
        self._gate.change(self._now.config.http)
        self._ring()

    def be_active(self, *, active: bool) -> None:
        """Know whether this is the active host, to which commands shall lead."""
        if self._active != active:
            self._active = active
            self._ring()

    async def run(self) -> None:
        """Answer until cancelled."""
        own, listen = self._changed
        async with trio.open_nursery() as nursery:
            # Ends when cancelled.
            nursery.start_soon(self._keep, own, self._own_place, None)
            nursery.start_soon(self._keep, listen, self._listen_place, self._gate)

    async def finish(self) -> None:
        """End streams, and wait a moment for answers that are about to end."""
        async with trio.open_nursery() as nursery:
            # Ends with the slowest; each is bounded.
            for server in self._servers:
                nursery.start_soon(server.finish)

    async def _keep(
        self, changed: Bell, wanted: Callable[[], Place | None], gate: Gate | None
    ) -> None:
        """Have one server, where one is wanted."""
        while True:
            place = wanted()
            async with trio.open_nursery() as nursery:
                # Ends when another place is wanted.
                server = None
                if place is not None:
                    self._warn(place)
                    server = Server(place, self._routes, gate, self._explain)
                    self._servers.add(server)
                    nursery.start_soon(server.run)
                while wanted() == place:
                    await changed.wait()
                if server is not None:
                    await server.finish()
                    self._servers.discard(server)
                nursery.cancel_scope.cancel()

    def _own_place(self) -> Place:
        path = self._now.config.host.state_dir / SOCKET_NAME
        return HostSocket(path, self._active)

    def _listen_place(self) -> Place | None:
        address = self._now.config.http.address
        return None if address is None else Listen(address)

    def _warn(self, place: Place) -> None:
        if isinstance(place, Listen) and (warning := self._now.config.http.warning):
            _log.warning("HTTP: %s", warning)

    def _ring(self) -> None:
        for bell in self._changed:
            bell.ring()
