"""Why a request is not answered."""

from collections.abc import Awaitable, Callable, Sequence

from hydra_notify.errors import HydraNotifyError

Headers = Sequence[tuple[str, str]]

Explain = Callable[[int, str], Awaitable[bytes]]
"""Makes a page of a refusal, for people: of its status of HTTP, and its words."""


class Refusal(HydraNotifyError):
    """Raised by whoever handles a request, before its answer has begun.

    Args:
        status: Of HTTP, from 400.
        words: What is wrong, and the fix.
        headers: More of them.
    """

    def __init__(self, status: int, words: str, headers: Headers = ()) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.headers = headers
