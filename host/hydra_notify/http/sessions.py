"""Browsers that are signed in, and how often a wrong token may be tried."""

import hashlib
from collections import deque
from dataclasses import dataclass

from hydra_notify.limits import HTTP_SESSION_TIME, HTTP_SESSIONS, HTTP_WRONG_TOKENS


@dataclass(frozen=True, slots=True)
class _Session:
    until: float
    token: bytes


class Sessions:
    """Who has shown the token; forgotten when the host ends. Times are of one clock."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}

    def begin(self, name: str, token: str, now: float) -> None:
        """Remember a session by a name that nobody can guess.

        Args:
            name: Random.
            token: That was shown. A session ends when that is replaced.
            now: Seconds.
        """
        if len(self._sessions) >= HTTP_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[name] = _Session(now + HTTP_SESSION_TIME, _digest(token))

    def holds(self, name: str, token: str, now: float) -> bool:
        """Whether a session goes on, given the token of now."""
        session = self._sessions.get(name)
        if session is None:
            return False
        if now < session.until and session.token == _digest(token):
            return True
        del self._sessions[name]
        return False

    def end(self, name: str) -> None:
        """Forget a session, if it is one."""
        self._sessions.pop(name, None)


class Guesses:
    """Wrong tokens: counted, and bounded.

    Attributes:
        count: How many there were.
    """

    def __init__(self) -> None:
        self.count = 0
        self._lately: deque[float] = deque(maxlen=HTTP_WRONG_TOKENS)

    def too_many(self, now: float) -> bool:
        """Whether no token is to be looked at now."""
        full = len(self._lately) == self._lately.maxlen
        return full and now - self._lately[0] < 1.0

    def wrong(self, now: float) -> None:
        """One more."""
        self.count += 1
        self._lately.append(now)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
