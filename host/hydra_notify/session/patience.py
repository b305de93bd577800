"""How long a plugin is put up with: bad frames, and silence.

Times are monotonic seconds.
"""

from collections import deque

from hydra_notify.limits import MAX_SECRET_BYTES
from hydra_notify.session.signals import Broken, Malformed, Stray
from hydra_notify_sdk.wire import limits

INFINITY = float("inf")

_MISSED = 2
"""Pings in a row without a sign of life: one may fall into a long pause."""


class Patience:
    """With lines that make no sense: one is an accident, a stream of them is not."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._in_a_row = 0
        self._stray_bytes = 0

    def restore(self) -> None:
        """A frame made sense."""
        self._in_a_row = 0

    def bad_frame(
        self, reason: str, line: bytes, now: float
    ) -> list[Malformed | Broken]:
        """One more bad frame: what to tell the owner."""
        signals: list[Malformed | Broken] = [Malformed(reason, _text(line))]
        self._times.append(now)
        while self._times[0] <= now - 60:
            self._times.popleft()
        self._in_a_row += 1
        if (
            self._in_a_row >= limits.MALFORMED_IN_A_ROW
            or len(self._times) > limits.MALFORMED_PER_MINUTE
        ):
            last = f"too many bad frames; the last: {reason}"
            signals.append(Broken("protocol", last))
        return signals

    def stray(self, line: bytes) -> Stray:
        """A line that is no frame: what to tell the owner."""
        self._stray_bytes += len(line)
        return Stray(_text(line))

    def before_start(self, held: int) -> list[Broken]:
        """What to tell the owner of a plugin that has not answered `initialize` yet.

        Args:
            held: Bytes of the line that is not finished.
        """
        if self._stray_bytes + held <= limits.STRAY_BYTES_BEFORE_START:
            return []
        reason = "its stdout is no conversation: is this program a plugin?"
        return [Broken("protocol", reason)]


def _text(line: bytes) -> str:
    # It is masked after that: there, half a secret would not be found at its end.
    length = limits.LOG_LINE_BYTES + MAX_SECRET_BYTES
    return line[:length].decode("utf-8", "replace")


class Heartbeat:
    """Pings to a plugin that has nothing in flight: a busy one may not read them.

    Args:
        nonce: Part of every id.
        now: Monotonic seconds.

    Attributes:
        waiting: Whether a ping was sent and nothing has come since.
    """

    def __init__(self, nonce: str, now: float) -> None:
        self._nonce = nonce
        self._numbers = 0
        # The answer to a ping may come after that of the next one, and after other
        # frames: what is then on its way was written before the ping was read.
        self._asked: deque[str] = deque(maxlen=_MISSED)
        self.waiting = False
        self._missed = 0
        self._next = now + limits.PING_INTERVAL_MS / 1000

    @property
    def due(self) -> float:
        """When to `beat`."""
        return self._next

    def alive(self, now: float) -> None:
        """Something came from the plugin, or goes to it."""
        self.waiting = False
        self._missed = 0
        self._next = now + limits.PING_INTERVAL_MS / 1000

    def answered(self, name: str) -> bool:
        """Whether id `name` answers a ping; it does so once."""
        if name not in self._asked:
            return False
        self._asked.remove(name)
        return True

    def beat(self, now: float) -> str | None:
        """The id of a ping to send now; None when two have been missed in a row."""
        if self.waiting:
            self._missed += 1
            if self._missed >= _MISSED:
                return None
        self._numbers += 1
        name = f"p{self._numbers}-{self._nonce}"
        self._asked.append(name)
        self.waiting = True
        self._next = now + limits.PING_TIMEOUT_MS / 1000
        return name
