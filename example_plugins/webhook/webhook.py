#!/usr/bin/env python3
"""Posts every event to a web server, as CloudEvents 1.0 in JSON.

    [plugins.webhook]
    command = ["example_plugins/webhook/webhook.py"]
    [plugins.webhook.settings]
    url = "https://example.org/hydra"
    timeout = 10                                # seconds for one request
    [plugins.webhook.secrets]
    hmac_key = { file = "/run/keys/webhook" }   # optional: signs what is posted
    url = { file = "/run/keys/webhook-url" }    # instead of the setting, if secret

An answer of 2xx is a delivery. Outages (429, 408, 5xx, the network) are tried again,
when `Retry-After` says so if it does; what the server refuses is not.
"""

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import IO, Annotated
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from msgspec import Meta, Struct

from hydra_notify_sdk import (
    AnyEvent,
    ConfigProblem,
    Context,
    Failure,
    Permanent,
    Plugin,
    Retry,
    Unauthorized,
)

TIMEOUT = 60.0
"""Seconds for one event, as the host counts them."""


class Settings(Struct):
    """See above; the request has to end before the host stops waiting for it."""

    url: str = ""
    timeout: Annotated[float, Meta(gt=0, lt=TIMEOUT)] = 10.0


class NoRedirects(HTTPRedirectHandler):
    """A redirected POST would arrive as a GET without its body, and count as done."""

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> None:
        """Makes the redirection the answer."""


open_url = build_opener(NoRedirects).open
plugin = Plugin(
    "webhook",
    "1.0",
    config=Settings,
    include=["dependents", "evals"],
    max_in_flight=8,
    timeout=TIMEOUT,
)


@plugin.on_start
def check(context: Context[Settings]) -> None:
    """Refuses what can never work."""
    place = "secrets.url" if "url" in context.secrets else "settings.url"
    url = url_of(context)
    if not url:
        raise ConfigProblem(place, "is required", fix='url = "https://example.org/"')
    if not is_web_address(url):
        raise ConfigProblem(place, "is no web address", fix="http:// or https://")
    sign("", 0, b"", context.secrets.get("hmac_key", ""))


@plugin.on("*")
def post(event: AnyEvent, context: Context[Settings]) -> None:
    """Posts one event."""
    now = int(time.time())
    headers = {
        "Content-Type": "application/cloudevents+json",
        "User-Agent": "hydra-notify-webhook/1.0",
        # The id is the same at every attempt: what the receiver goes by.
        "webhook-id": event.id,
        "webhook-timestamp": str(now),
    }
    key = context.secrets.get("hmac_key")
    if key:
        headers["webhook-signature"] = sign(event.id, now, event.cloudevent, key)
    url = url_of(context)
    request = Request(url, event.cloudevent, headers)  # noqa: S310 - see `check`
    try:
        with open_url(request, timeout=context.config.timeout) as answer:
            context.log.debug("%s: %s", event.id, answer.status)
    except HTTPError as answer:
        with answer:
            raise failure(answer.code, answer.reason, answer.headers) from None
    except URLError as error:
        raise Retry(f"the server cannot be reached: {error.reason}") from error
    except (OSError, HTTPException) as error:
        raise Retry(f"the connection broke: {error!r}") from error


def url_of(context: Context[Settings]) -> str:
    """Where to post; often whoever knows it may post, so that it is a secret."""
    return context.secrets.get("url", context.config.url).strip()


def is_web_address(url: str) -> bool:
    """Whether urllib would ask a web server, and not open a file."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def sign(name: str, now: int, body: bytes, key: str) -> str:
    """The header `webhook-signature` of the scheme of standardwebhooks.com.

    Args:
        name: The event's id.
        now: Seconds since 1970.
        body: What is posted.
        key: `whsec_` and base64, or any other text as it stands.
    """
    key = key.strip()
    raw = key.encode()
    if key.startswith("whsec_"):
        try:
            raw = base64.b64decode(key.removeprefix("whsec_"), validate=True)
        except ValueError as error:
            problem = "has no base64 after whsec_"
            raise ConfigProblem("secrets.hmac_key", problem) from error
    digest = hmac.digest(raw, f"{name}.{now}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def failure(status: int, reason: str, headers: Message) -> Failure:
    """What an answer other than 2xx means for the event."""
    message = f"the server answered {status} {reason}"
    if status in (401, 403, 407):
        return Unauthorized(message, code=status, fix="check the webhook's secrets")
    if status in (408, 425, 429) or status >= 500:
        return Retry(message, code=status, after=seconds(headers.get("Retry-After")))
    return Permanent(message, code=status)


def seconds(retry_after: str | None) -> float | None:
    """`Retry-After`, which is a number of seconds or a date."""
    if retry_after is None:
        return None
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        wait = parsedate_to_datetime(retry_after).astimezone(UTC) - datetime.now(UTC)
    except ValueError:
        return None
    return max(0.0, wait.total_seconds())


plugin.run()
