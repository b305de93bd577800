"""A plugin whose credentials are refused: all waits, one delivery at a time asks.

Its queue is kept. A probe is the next delivery in turn: the credentials are the same
for all, and if only one event is refused, another one shows it.
"""

from dataclasses import dataclass

from hydra_notify.limits import BLOCK_PROBE_CAP, BLOCK_PROBE_FIRST


@dataclass(slots=True)
class Block:
    """Whether a plugin is blocked, and until when nothing is sent.

    Attributes:
        on: Whether it is.
        until: Monotonic seconds of the next probe.
    """

    on: bool = False
    until: float = float("-inf")
    _delay: float = BLOCK_PROBE_FIRST

    def refused(self, now: float, after: float | None) -> None:
        """Credentials were refused.

        Args:
            now: Monotonic seconds.
            after: Seconds until the plugin wants to be asked again, if it said.
        """
        if self.on and now < self.until:
            # It was sent before the refusal that is known already.
            return
        doubled = min(self._delay * 2, BLOCK_PROBE_CAP)
        self._delay = doubled if self.on else BLOCK_PROBE_FIRST
        self.on = True
        self.until = now + (self._delay if after is None else after)

    def failed(self, now: float) -> None:
        """The probe failed for another reason, which says nothing of credentials."""
        if self.on and now >= self.until:
            self.until = now + self._delay

    def lift(self) -> None:
        """The credentials are good."""
        self.on, self.until = False, float("-inf")

    def probe_now(self) -> None:
        """Something may have changed: ask as soon as there is something to send."""
        self.until = float("-inf")
