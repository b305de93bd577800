"""Why a plugin is asked to stop."""

from typing import Final, Literal

import trio

StopReason = Literal["host_stop", "reload"]
"""As `shutdown` tells the plugin."""

STOP_WORDS: Final[dict[StopReason, str]] = {
    "host_stop": "the host stops",
    "reload": "its configuration was changed",
}


class Stopping:
    """Set once, with a reason; waited for by whoever keeps the plugin alive."""

    def __init__(self) -> None:
        self._reason: StopReason = "host_stop"
        self._set = trio.Event()

    def set(self, reason: StopReason) -> None:
        """Ask for the end; the first reason stays."""
        if not self._set.is_set():
            self._reason = reason
            self._set.set()

    def is_set(self) -> bool:
        return self._set.is_set()

    async def wait(self) -> StopReason:
        """Return when it is set."""
        await self._set.wait()
        return self._reason
