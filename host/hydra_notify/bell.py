"""A wake-up that is never lost: rung before anyone waits, it is heard at once."""

import trio


class Bell:
    """Rung by anyone, waited for by one task."""

    def __init__(self) -> None:
        self._rung = trio.Event()

    def ring(self) -> None:
        """Wake the waiter, or let its next wait return at once."""
        self._rung.set()

    async def wait(self, until: float = float("inf")) -> None:
        """Return when the bell has been rung, or at `until` (trio's clock)."""
        with trio.move_on_at(until):
            await self._rung.wait()
        self._rung = trio.Event()
