"""Somebody who hears what a listener hears."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from hydra_notify.events import Notification
from hydra_notify.listener import Listener, Timing
from hydra_notify.metrics import Counts, Role

PATIENCE = 20.0
"""Seconds; for what takes milliseconds."""


async def until(true: Callable[[], bool]) -> None:
    """Return when it is true. Much of what is waited for here announces itself nowhere,
    so this looks again and again."""
    with trio.fail_after(PATIENCE):
        while not true():  # noqa: ASYNC110 -- see above
            await trio.sleep(0.005)


@dataclass(eq=False)
class Ear:
    """What a listener has heard, and where it stands."""

    url: str
    heard: list[Notification] = field(default_factory=list)
    connects: int = 0
    counts: Counts = field(default_factory=Counts)
    deposed: bool = False
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    listener: Listener = field(init=False)

    def __post_init__(self) -> None:
        self.listener = Listener(
            self.url, self._receive, self._connected, self.counts, lambda: 0.0
        )

    async def run(self, timing: Timing) -> None:
        """Until it is deposed, or `scope` is cancelled."""
        with self.scope:
            await self.listener.run(timing)
            self.deposed = True

    async def until_heard(self, count: int) -> None:
        await until(lambda: len(self.heard) >= count)

    async def until_connected(self, times: int) -> None:
        await until(lambda: self.connects >= times)

    async def until_role(self, role: Role) -> None:
        await until(lambda: self.counts.role is role)

    def _receive(self, notifications: Iterable[Notification]) -> None:
        self.heard += notifications

    def _connected(self) -> None:
        self.connects += 1


DEFAULT = Timing()


@asynccontextmanager
async def listening(url: str, timing: Timing = DEFAULT) -> AsyncGenerator[Ear]:
    """A listener that is active; ended at the end."""
    ear = Ear(url)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ear.run, timing)
        await ear.until_connected(1)
        yield ear
        nursery.cancel_scope.cancel()
