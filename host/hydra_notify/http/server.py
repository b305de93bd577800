"""Connections: taken, counted, and ended."""

import logging
from collections.abc import Sequence
from contextlib import suppress

import trio

from hydra_notify.http.claim import CannotListen, Claim, Place
from hydra_notify.http.conversation import Answers, converse, turn_away
from hydra_notify.http.gate import Gate
from hydra_notify.http.refusal import Explain
from hydra_notify.http.reply import GONE
from hydra_notify.http.routes import Route
from hydra_notify.limits import (
    ACCEPT_RETRY,
    HTTP_CLOSE,
    HTTP_CONNECTIONS,
    HTTP_REFUSED,
    SOCKET_RETRY,
)

_log = logging.getLogger(__name__)


class Server:
    """Answers at one address.

    It is a convenience: where nobody can listen the host goes on, says why, and tries
    again.

    Args:
        place: Where to listen.
        routes: What there is to be had.
        gate: Who judges requests; None at the host's own socket.
        explain: Makes a page of a refusal.
    """

    def __init__(
        self,
        place: Place,
        routes: Sequence[Route],
        gate: Gate | None = None,
        explain: Explain | None = None,
    ) -> None:
        self._place = place
        self._answers = Answers(routes, gate, explain, crowded=self._crowded)
        self._connections = 0
        self._one_less = trio.lowlevel.ParkingLot()
        self._finishing = False

    async def run(self) -> None:
        """Answer until cancelled."""
        claim = await self._claim()
        try:
            listener = trio.SocketListener(trio.socket.from_stdlib_socket(claim.socket))
            async with trio.open_nursery() as nursery:
                # Ends when cancelled; each connection in it is bounded, or is cut then.
                while True:
                    while self._connections >= HTTP_CONNECTIONS + HTTP_REFUSED:
                        await self._one_less.park()
                    try:
                        stream = await listener.accept()
                    except OSError:
                        # Out of descriptors, and others have said so.
                        await trio.sleep(ACCEPT_RETRY)
                        continue
                    self._connections += 1
                    fits = self._connections <= HTTP_CONNECTIONS
                    nursery.start_soon(self._serve, stream, fits)
        finally:
            claim.release()

    async def finish(self) -> None:
        """End what has no end, and wait a moment for answers that are about to."""
        self._finishing = True
        self._answers.streams.end()
        for scope in tuple(self._answers.idle):
            scope.cancel()
        with trio.move_on_after(HTTP_CLOSE):
            while self._connections:
                await self._one_less.park()

    async def _claim(self) -> Claim:
        said = ""
        while True:
            try:
                claim = await trio.to_thread.run_sync(self._place.claim)
            except CannotListen as error:
                if str(error) != said:
                    _log.warning("%s: %s", self._place.trouble, error)
                said = str(error)
            else:
                if self._place.words:
                    _log.info("%s", self._place.words)
                return claim
            await trio.sleep(SOCKET_RETRY)

    async def _serve(self, stream: trio.SocketStream, fits: bool) -> None:
        try:
            async with stream:
                with suppress(*GONE):
                    if fits:
                        await converse(stream, self._answers)
                    else:
                        await turn_away(stream)
        finally:
            self._connections -= 1
            self._one_less.unpark_all()

    def _crowded(self) -> bool:
        return self._finishing or self._connections > HTTP_CONNECTIONS // 2
