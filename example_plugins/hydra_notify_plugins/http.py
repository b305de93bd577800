"""Requests to a service, and what its answers mean for an event.

One client for the life of a plugin: connections are kept. Every request has a timeout
below the event's, and every answer that is no success becomes a failure that tells the
host what to do: nothing is ever taken for delivered that was not.
"""

import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from hydra_notify_sdk import ConfigProblem, Failure, Permanent, Retry, Unauthorized

if TYPE_CHECKING:
    import httpx2

TIMEOUT: Final = 20.0
"""Seconds for one request: an event has 30 unless a plugin asks for more."""

AGENT: Final = "hydra-notify-plugins/0.1"

# It logs every address at level info, and some addresses are secrets.
logging.getLogger("httpx2").setLevel(logging.WARNING)


class Service:
    """A service that is spoken to over HTTP.

    Args:
        name: For messages, such as `GitHub`.
        headers: Of every request.
        timeout: Seconds for one request.
    """

    def __init__(
        self,
        name: str,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float = TIMEOUT,
    ) -> None:
        self.name = name
        self._headers = {"User-Agent": AGENT, **(headers or {})}
        self._timeout = timeout
        self._lock = threading.Lock()
        self._client: httpx2.Client | None = None

    def _connected(self) -> "httpx2.Client":
        # It takes longer to import than a plugin without it takes to start.
        import httpx2

        with self._lock:
            if self._client is None:
                self._client = httpx2.Client(
                    headers=self._headers,
                    timeout=self._timeout,
                    # A redirected POST would arrive as a GET without its body.
                    follow_redirects=False,
                )
            return self._client

    def post(self, url: str, **content: Any) -> "httpx2.Response":
        """POST, with what `httpx2.Client.request` takes as content.

        Raises:
            Failure: The answer is no success; see `failure_of`.
        """
        return self.request("POST", url, **content)

    def request(self, method: str, url: str, **content: Any) -> "httpx2.Response":
        """Any request; see `post`."""
        import httpx2

        try:
            answer = self._connected().request(method, url, **content)
        except httpx2.TimeoutException as error:
            raise Retry(f"{self.name} does not answer in time", code=504) from error
        except httpx2.InvalidURL as error:
            raise Permanent(f"{self.name} has no good address: {error}") from error
        except httpx2.HTTPError as error:
            words = str(error) or type(error).__name__
            raise Retry(f"{self.name} cannot be reached: {words}", code=502) from error
        if not answer.is_success:
            raise failure_of(self.name, answer)
        return answer


def web_address(url: str, key: str = "settings.url") -> str:
    """A setting that is an address, without a slash at its end.

    Args:
        url: As written.
        key: Where it stands, for the error.

    Raises:
        ConfigProblem: It is no address of a web server, or has a password in it.
    """
    example = f'{key.rpartition(".")[2]} = "https://example.org"'
    if not url:
        raise ConfigProblem(key, "is required", fix=example)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        # Asked for, since a bad one raises only then.
        _ = parts.port
    except ValueError:
        raise ConfigProblem(key, "is no web address", fix=example) from None
    if not usable:
        raise ConfigProblem(key, "is no web address", fix=example)
    if "@" in parts.netloc:
        problem = "has a name or a password in it, which would be seen in logs"
        raise ConfigProblem(key, problem, fix="they belong to the plugin's secrets")
    return url.rstrip("/")


def failure_of(name: str, answer: "httpx2.Response") -> Failure:
    """What an answer other than 2xx means for the event that was sent."""
    status = answer.status_code
    message = f"{name} answered {status} {answer.reason_phrase}".rstrip()
    words = _words(answer)
    if words:
        message = f"{message}: {words}"
    wait = pause_of(answer)
    if status == 429 or (wait is not None and status in (403, 503)):
        # Some services say 403 when they mean 429.
        return Retry(message, code=429 if status == 403 else status, after=wait)
    if status in (401, 403, 407):
        return Unauthorized(message, code=status, fix="check the plugin's secrets")
    if status in (408, 425) or status >= 500:
        return Retry(message, code=status, after=wait)
    if status < 400:
        return Permanent(message, fix="name the address that it redirects to")
    return Permanent(message, code=status)


def pause_of(answer: "httpx2.Response") -> float | None:
    """Seconds that a service asks to be left alone; None if it does not.

    By `Retry-After` (seconds or a date), or by a rate limit that is used up
    (`X-RateLimit-Remaining` and `-Reset`, seconds since 1970).
    """
    after = answer.headers.get("Retry-After", "")
    if after.isdecimal():
        return float(after)
    if after:
        try:
            then = parsedate_to_datetime(after).astimezone(UTC)
        except ValueError:
            return None
        return max(0.0, (then - datetime.now(UTC)).total_seconds())
    reset = answer.headers.get("X-RateLimit-Reset", "")
    if answer.headers.get("X-RateLimit-Remaining") == "0" and reset.isdecimal():
        return max(1.0, float(reset) - time.time())
    return None


def _words(answer: "httpx2.Response") -> str:
    """What a service says to people of an error, in its body."""
    text = answer.text.strip()
    if "html" in answer.headers.get("Content-Type", ""):
        return ""
    return " ".join(text[:200].split())
