"""Posts events to a web server: CloudEvents 1.0 in JSON, signed if there is a key.

    [plugins.webhook]
    command = ["hydra-notify-webhook"]

    [plugins.webhook.settings]
    url = "https://example.org/hydra"
    jobs = "nixpkgs:.*:hello-.*"   # a regular expression; without it, all
    timeout = 20                   # seconds for one request, 45 at most
    [plugins.webhook.settings.headers]
    X-Team = "builds"              # more headers of every request

    [plugins.webhook.secrets]
    url = { file = "/run/keys/url" }          # instead of the setting, if it is secret
    hmac_key = { file = "/run/keys/key" }     # signs what is posted
    authorization = { file = "/run/keys/a" }  # the whole header: "Bearer ..."

Which events are posted is the host's to say (`[plugins.webhook.match]`); `jobs` is for
what its globs cannot. It has to match the whole of `project:jobset:job`, of the build
or of one that ended with it. The events of evaluations are posted whatever it says.

The signature is that of standardwebhooks.com: `webhook-id`, the event's id, equal at
every attempt, so that a receiver can tell a repetition; `webhook-timestamp`;
`webhook-signature`. The key is `whsec_` and base64, or any other text as it stands.
While keys change there may be two, each on a line of its own: both sign.

An answer of 2xx is a delivery. Outages (429, 408, 5xx, the network) are tried again,
when the server says if it does. What the server refuses is not, and a redirection is
not followed.
"""

import base64
import hashlib
import hmac
import re
import time
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from hydra_notify_plugins.http import TIMEOUT, Service
from hydra_notify_plugins.jobs import compile_jobs, wanted
from hydra_notify_sdk import (
    AnyEvent,
    BuildEventData,
    ConfigProblem,
    Context,
    Plugin,
    Skipped,
)

EVENT_TIMEOUT = 60.0
"""Seconds for one event, as the host counts them."""

MOST_TIMEOUT = 45.0
"""Seconds: a request has to end before the host stops waiting for it."""

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEADER_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")

OURS = {
    "content-length",
    "content-type",
    "host",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
}
"""Headers that settings cannot set."""


class Settings(Struct):
    """See above."""

    url: str = ""
    jobs: str = ""
    timeout: Annotated[float, Meta(gt=0, le=MOST_TIMEOUT)] = TIMEOUT
    headers: dict[str, str] = msgspec.field(default_factory=dict)


class Receiver(Struct, frozen=True):
    """Where to post.

    Attributes:
        keys: Each makes a signature of its own.
    """

    service: Service
    url: str
    jobs: re.Pattern[str] | None
    keys: tuple[bytes, ...]


plugin = Plugin(
    "webhook",
    "1.0",
    config=Settings,
    include=["dependents", "evals"],
    max_in_flight=8,
    timeout=EVENT_TIMEOUT,
)
receivers: dict[Path, Receiver] = {}
"""By state directory: in a process there is one."""


@plugin.on_start
def start(context: Context[Settings]) -> None:
    """Refuses what can never work."""
    config = context.config
    receivers[context.state_dir] = Receiver(
        Service("the server", headers_of(context), timeout=config.timeout),
        url_of(context),
        compile_jobs(config.jobs) if config.jobs else None,
        tuple(
            raw_key(line.strip())
            for line in context.secrets.get("hmac_key", "").splitlines()
            if line.strip()
        ),
    )


@plugin.on("*")
def post(event: AnyEvent, context: Context[Settings]) -> Skipped | None:
    """Posts one event."""
    receiver = receivers[context.state_dir]
    if (
        receiver.jobs is not None
        and isinstance(event.data, BuildEventData)
        and not wanted(receiver.jobs, event.data)
    ):
        return Skipped("no job of it matches settings.jobs")
    now = int(time.time())
    headers = {
        "Content-Type": "application/cloudevents+json",
        "webhook-id": event.id,
        "webhook-timestamp": str(now),
    }
    if receiver.keys:
        headers["webhook-signature"] = " ".join(
            sign(event.id, now, event.cloudevent, key) for key in receiver.keys
        )
    receiver.service.post(receiver.url, content=event.cloudevent, headers=headers)
    return None


def url_of(context: Context[Settings]) -> str:
    """Where to post; often whoever knows it may post, so that it is a secret.

    Raises:
        ConfigProblem: It is no address of a web server.
    """
    place = "secrets.url" if "url" in context.secrets else "settings.url"
    url = context.secrets.get("url", context.config.url).strip()
    if not url:
        raise ConfigProblem(place, "is required", fix='url = "https://example.org/"')
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        # Asked for, since a bad one raises only then.
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise ConfigProblem(place, "is no web address", fix="http:// or https://")
    return url


def headers_of(context: Context[Settings]) -> dict[str, str]:
    """What every request says besides.

    Raises:
        ConfigProblem: A header is none, or not the operator's to set.
    """
    for name, value in context.config.headers.items():
        key = f"settings.headers.{name}"
        if not HEADER_NAME.fullmatch(name) or not HEADER_VALUE.fullmatch(value):
            raise ConfigProblem(key, "is no header of HTTP", fix="name and plain text")
        if name.lower() == "authorization":
            raise ConfigProblem(key, "is a secret", fix="set secrets.authorization")
        if name.lower() in OURS:
            raise ConfigProblem(key, "is set by the plugin", fix="leave it out")
    headers = dict(context.config.headers)
    authorization = context.secrets.get("authorization", "").strip()
    if not HEADER_VALUE.fullmatch(authorization):
        raise ConfigProblem("secrets.authorization", "is no header of HTTP")
    if authorization:
        headers["Authorization"] = authorization
    return headers


def raw_key(key: str) -> bytes:
    """The bytes of a key of standardwebhooks.com, or of any other text.

    Raises:
        ConfigProblem: What follows `whsec_` is no base64.
    """
    if not key.startswith("whsec_"):
        return key.encode()
    try:
        return base64.b64decode(key.removeprefix("whsec_"), validate=True)
    except ValueError:
        problem = "has no base64 after whsec_"
        fix = "copy the whole key, or write any other text"
        raise ConfigProblem("secrets.hmac_key", problem, fix=fix) from None


def sign(name: str, now: int, body: bytes, key: bytes) -> str:
    """One signature of what is posted.

    Args:
        name: The event's id.
        now: Seconds since 1970.
        body: What is posted.
        key: The bytes of the key.
    """
    digest = hmac.digest(key, f"{name}.{now}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def main() -> None:
    """Works for the host."""
    plugin.run()


if __name__ == "__main__":
    main()
