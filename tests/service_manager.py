"""A service manager's end of sd_notify: a real datagram socket that remembers."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

PATIENCE = 30.0
"""Seconds: what has not been told by then is not told."""


@dataclass(eq=False)
class Manager:
    """What a service has told.

    Attributes:
        address: What `$NOTIFY_SOCKET` has to be.
        told: Every assignment, in order.
    """

    address: str
    told: list[str] = field(default_factory=list)
    _arrived: trio.Event = field(default_factory=trio.Event)

    async def hears(self, words: str, since: int = 0) -> int:
        """Return when an assignment that begins so has come; where the next will be.

        Args:
            since: How many assignments were there before.
        """
        return await self.hears_that(lambda said: said.startswith(words), since)

    async def hears_that(self, wanted: Callable[[str], bool], since: int = 0) -> int:
        """The same for an assignment of which something is true."""
        with trio.fail_after(PATIENCE):
            while True:
                for index, said in enumerate(self.told[since:], since):
                    if wanted(said):
                        return index + 1
                await self._arrived.wait()

    def without_repeats(self) -> list[str]:
        """What was told, signs of life aside."""
        signs = ("WATCHDOG=", "EXTEND_TIMEOUT_USEC=")
        return [said for said in self.told if not said.startswith(signs)]

    async def listen(self, socket: trio.socket.SocketType) -> None:
        """Remember what comes, until cancelled."""
        while True:
            datagram = await socket.recv(65_536)
            self.told += datagram.decode().split("\n")
            self._arrived.set()
            self._arrived = trio.Event()


@asynccontextmanager
async def service_manager(directory: Path) -> AsyncGenerator[Manager]:
    """One that listens at a socket in `directory`."""
    with trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_DGRAM) as socket:
        await socket.bind(str(directory / "notify"))
        manager = Manager(str(directory / "notify"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(manager.listen, socket)
            try:
                yield manager
            finally:
                nursery.cancel_scope.cancel()
