"""The events a plugin has been sent and has not answered, and until when it may.

An event goes `sent --deadline--> cancelled --grace over--> expired`, and is answered
from `sent` or `cancelled`. An expired event's slot is lost: the plugin may still be at
it. There is no timer for each event: `deadline` is never later than the earliest one,
and `expire` looks at the whole window, which is at most 64 long.
"""

from collections.abc import Iterable
from typing import Generic

from msgspec import Struct

from hydra_notify import frames
from hydra_notify.session.patience import INFINITY
from hydra_notify.session.signals import D
from hydra_notify_sdk.wire import InitializeResult, limits


class _Times(Struct, gc=False):
    """Until when an answer may come (monotonic seconds); the same for a whole batch."""

    deadline: float
    latest: float
    cancelled: bool = False


class Window(Generic[D]):
    """The unanswered events of one plugin process.

    Args:
        manifest: What the plugin asked for.
        nonce: Part of every id that is made here.
        most: The operator's bound on unanswered events, or None.
        timeout_ms: The operator's bound on the milliseconds for one event, or None.

    Attributes:
        size: Events that may be without an answer at once.
        deadline: When to `expire` at the latest.
    """

    def __init__(
        self,
        manifest: InitializeResult,
        nonce: str,
        most: int | None,
        timeout_ms: int | None,
    ) -> None:
        most = limits.MAX_IN_FLIGHT if most is None else most
        self.size = min(manifest.max_in_flight, most, limits.MAX_IN_FLIGHT)
        self.deadline = INFINITY
        wanted = manifest.timeout_ms or timeout_ms or limits.EVENT_TIMEOUT_MS
        if timeout_ms is not None:
            wanted = min(wanted, timeout_ms)
        wanted = min(wanted, limits.MAX_EVENT_TIMEOUT_MS)
        self._timeout = max(wanted, limits.MIN_EVENT_TIMEOUT_MS) / 1000
        longest = min(
            self._timeout * limits.PROGRESS_FACTOR, limits.PROGRESS_TOTAL_MS / 1000
        )
        self._longest = max(longest, self._timeout)
        self._nonce = nonce
        self._numbers = 0
        self._timeout_text = frames.timeout(int(self._timeout * 1000))
        self._sent: dict[str, tuple[D, _Times]] = {}
        self._expired: dict[str, D] = {}

    def __len__(self) -> int:
        """Events without an answer."""
        return len(self._sent)

    @property
    def room(self) -> int:
        """Events that may be sent now."""
        return self.size - len(self._sent) - len(self._expired)

    @property
    def hanging(self) -> bool:
        """Whether half of the slots are lost: the process is not worth keeping."""
        return len(self._expired) * 2 >= self.size

    def send(self, deliveries: Iterable[D], now: float) -> bytes:
        """The frames of `deliveries`, no more than there is room for.

        They are put together from what was made once for everybody.
        """
        times = _Times(now + self._timeout, now + self._longest)
        parts: list[bytes] = []
        sent, timeout = self._sent, self._timeout_text
        for delivery in deliveries:
            opening = delivery.opening or self._opening(delivery)
            delivery.wire_id = opening.name
            sent[opening.name] = delivery, times
            parts += (opening.text, timeout, delivery.payload, frames.END)
        self.deadline = min(self.deadline, times.deadline)
        return b"".join(parts)

    def _opening(self, delivery: D) -> frames.Opening:
        self._numbers += 1
        return frames.opening(
            f"e{self._numbers}-{self._nonce}",
            delivery.channel,
            delivery.attempt,
            redelivered=delivery.redelivered,
        )

    def answer(self, name: str) -> D | None:
        """The delivery that id `name` answers, which is no longer in flight."""
        sent = self._sent.pop(name, None)
        return None if sent is None else sent[0]

    def answer_all(self, names: list[str]) -> list[D]:
        """As `answer`, for many at once: none if one of them is not in flight."""
        taken: list[tuple[D, _Times]] = []
        for name in names:
            sent = self._sent.pop(name, None)
            if sent is None:
                self._sent.update(zip(names, taken, strict=False))
                return []
            taken.append(sent)
        return [delivery for delivery, _ in taken]

    def answer_late(self, name: str) -> D | None:
        """The expired delivery that id `name` answers; its slot is free again."""
        return self._expired.pop(name, None)

    def find(self, name: str) -> D | None:
        """The delivery that id `name` was given, if it has no answer yet."""
        sent = self._sent.get(name)
        return self._expired.get(name) if sent is None else sent[0]

    def progress(self, name: str, now: float) -> None:
        """Start the deadline of `name` again, up to the longest it may take."""
        sent = self._sent.get(name)
        if sent is None:
            return
        delivery, times = sent
        if not times.cancelled:
            until = min(now + self._timeout, times.latest)
            self._sent[name] = delivery, _Times(until, times.latest)

    def expire(self, now: float) -> tuple[list[str], list[D]]:
        """Ids to cancel, and deliveries that are past their grace too."""
        cancel: list[str] = []
        expired: list[D] = []
        over = now + limits.CANCEL_GRACE_MS / 1000
        for name, (delivery, times) in list(self._sent.items()):
            if times.deadline > now:
                continue
            if times.cancelled:
                del self._sent[name]
                self._expired[name] = delivery
                expired.append(delivery)
            else:
                self._sent[name] = delivery, _Times(over, over, cancelled=True)
                cancel.append(name)
        deadlines = (times.deadline for _, times in self._sent.values())
        self.deadline = min(deadlines, default=INFINITY)
        return cancel, expired
