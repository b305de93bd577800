"""Answers without an end: so many at once, and all of them over when the host stops."""

from collections.abc import Generator
from contextlib import contextmanager

import trio

from hydra_notify.http.refusal import Refusal
from hydra_notify.limits import ACCEPT_RETRY, HTTP_STREAMS


class Streams:
    """Those of one address."""

    def __init__(self) -> None:
        self._scopes: set[trio.CancelScope] = set()
        self._over = False

    @contextmanager
    def one_more(self) -> Generator[None]:
        """The block is left when no more are to be.

        Raises:
            Refusal: There are enough, or the host stops.
        """
        later = [("Retry-After", f"{ACCEPT_RETRY:.0f}")]
        if self._over:
            raise Refusal(503, "the host stops", later)
        if len(self._scopes) >= HTTP_STREAMS:
            words = f"{HTTP_STREAMS} look on already: close a page that does"
            raise Refusal(503, words, later)
        with trio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)

    def end(self) -> None:
        """Let there be none any more."""
        self._over = True
        for scope in self._scopes:
            scope.cancel()
