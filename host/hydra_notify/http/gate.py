"""Who is let in at an address that others can reach, and who may act there."""

import logging
import os
import secrets
import socket
from collections.abc import Mapping
from typing import Final

import trio

from hydra_notify.backoff import worth_saying
from hydra_notify.config import HttpConfig, read_secret
from hydra_notify.errors import ConfigError
from hydra_notify.http.checks import (
    COOKIE,
    Headers,
    bearer,
    host_allowed,
    host_of,
    local_path,
    origin_allowed,
    same_secret,
    session_of,
)
from hydra_notify.http.refusal import Refusal
from hydra_notify.http.reply import Reply
from hydra_notify.http.request import Request
from hydra_notify.http.routes import Route
from hydra_notify.http.sessions import Guesses, Sessions
from hydra_notify.limits import HTTP_SESSION_TIME, HTTP_TOKEN_TIME
from hydra_notify.logs import hide

_log = logging.getLogger(__name__)

_KEY: Final = "http.token"

_READERS: Final = 4
"""Threads that read the token at once, from a disk that may hang."""


class Gate:
    """Judges what comes from anywhere but the host's own socket.

    Args:
        config: Of now; `change` replaces it.
    """

    def __init__(self, config: HttpConfig) -> None:
        self._config = config
        self._machine = _own_names()
        self._sessions = Sessions()
        self._guesses = Guesses()
        self._unread = 0
        self._reading: trio.CapacityLimiter | None = None

    @property
    def has_token(self) -> bool:
        """Whether somebody can be trusted here at all."""
        return self._config.token is not None

    @property
    def wrong_tokens(self) -> int:
        """How many were tried."""
        return self._guesses.count

    @property
    def routes(self) -> list[Route]:
        """Where browsers sign in and out."""
        return [
            Route("/session", self._sign_in, "POST"),
            Route("/session/end", self._sign_out, "POST"),
        ]

    def change(self, config: HttpConfig) -> None:
        """Judge by another configuration from now on."""
        self._config = config

    def check(self, route: Route | None, method: str, headers: Headers) -> None:
        """Whether a request may be made at all.

        Raises:
            Refusal: It is for another host, or comes from another's page.
        """
        given = self._given_names()
        host = headers.get("host", "")
        exempt = route is not None and route.open
        if not exempt and not host_allowed(host, given | self._machine):
            name = host_of(host)
            said = "no name" if name is None else repr(name.name)
            words = f"this host is asked for as {said}: if it shall answer to that, put"
            raise Refusal(421, f"{words} the name into http.hosts")
        if method == "POST" and not origin_allowed(headers, given):
            raise Refusal(
                403,
                "this comes from another page than one of this host's: use its own page"
                " (by a name that is in http.hosts), or send"
                " `Authorization: Bearer TOKEN`",
            )

    async def trusts(self, headers: Headers) -> bool:
        """Whether a request may act.

        Raises:
            Refusal: It says that it may, and may not.
        """
        given, session = bearer(headers), session_of(headers)
        if not self.has_token or (given is None and session is None):
            return False
        if given is not None:
            await self._compare(given)
            return True
        assert session is not None
        token = await self._token()
        return self._sessions.holds(session, token, trio.current_time())

    def demand_trust(self) -> Refusal:
        """What is said to whoever would act, and may not."""
        if not self.has_token:
            words = "nobody can act here: set http.token, or use the host's own socket"
            return Refusal(403, words)
        return Refusal(
            401,
            "sign in with the token of this host, or send"
            " `Authorization: Bearer TOKEN`",
            [("WWW-Authenticate", 'Bearer realm="hydra-notify"')],
        )

    async def _compare(self, given: str) -> str:
        """The token, if it is the one that is given."""
        now = trio.current_time()
        if self._guesses.too_many(now):
            words = "too many wrong tokens were tried: come again in a moment"
            raise Refusal(429, words, [("Retry-After", "1")])
        token = await self._token()
        if same_secret(given, token):
            return token
        self._guesses.wrong(now)
        if worth_saying(self._guesses.count):
            _log.warning("HTTP: a wrong token, number %d", self._guesses.count)
        raise Refusal(401, f"this is not the token that {_KEY} names")

    async def _token(self) -> str:
        source = self._config.token
        if source is None:
            raise self.demand_trust()
        if self._reading is None:
            self._reading = trio.CapacityLimiter(_READERS)
        try:
            with trio.fail_after(HTTP_TOKEN_TIME):
                token = await trio.to_thread.run_sync(
                    lambda: read_secret(source, _KEY, environ=os.environ),
                    abandon_on_cancel=True,
                    limiter=self._reading,
                )
        except (ConfigError, trio.TooSlowError) as error:
            self._unread += 1
            if worth_saying(self._unread):
                words = f"{_KEY} is not read within {HTTP_TOKEN_TIME:.0f} s"
                said = str(error) if isinstance(error, ConfigError) else words
                _log.error("HTTP: nobody can act: %s", said)
            words = f"{_KEY} cannot be read; the host's log says why"
            raise Refusal(503, words) from error
        self._unread = 0
        hide(_KEY, [token])
        return token

    async def _sign_in(self, request: Request, reply: Reply) -> None:
        if not self.has_token:
            raise self.demand_trust()
        token = await self._compare(request.form.get("token", "").strip())
        name = secrets.token_urlsafe(32)
        self._sessions.begin(name, token, trio.current_time())
        cookie = _cookie(name, int(HTTP_SESSION_TIME), request.headers)
        await reply.redirect(_back(request), [("Set-Cookie", cookie)])

    async def _sign_out(self, request: Request, reply: Reply) -> None:
        self._sessions.end(session_of(request.headers) or "")
        cookie = _cookie("", 0, request.headers)
        await reply.redirect(_back(request), [("Set-Cookie", cookie)])

    def _given_names(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self._config.hosts)


def _own_names() -> frozenset[str]:
    machine = socket.gethostname().lower()
    return frozenset({"localhost", machine, machine.partition(".")[0]})


def _cookie(value: str, seconds: int, headers: Mapping[str, str]) -> str:
    secure = headers.get("x-forwarded-proto", "").lower() == "https"
    parts = [f"{COOKIE}={value}", "Path=/", f"Max-Age={seconds}"]
    parts += ["HttpOnly", "SameSite=Strict", *(["Secure"] if secure else [])]
    return "; ".join(parts)


def _back(request: Request) -> str:
    return local_path(request.form.get("next", "/"))
