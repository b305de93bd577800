"""Whether a request is one of ours: by its Host, its Origin, its credentials.

A name that an attacker has pointed at this machine (DNS rebinding) does not get past
the first; a page of somebody else's that posts here not past the second.
"""

import hmac
import re
from collections.abc import Collection, Mapping
from ipaddress import ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

Headers = Mapping[str, str]
"""By their names in small letters."""

COOKIE: Final = "hydra-notify-session"

_HOST: Final = re.compile(
    r"(?:\[(?P<six>[^\]]+)\]|(?P<name>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?"
)

_PORTS: Final = {"http": 80, "https": 443}


class HostHeader(NamedTuple):
    """What a Host header says: a name or address, and a port if it says one."""

    name: str
    port: int | None


def host_of(header: str) -> HostHeader | None:
    """A Host header, in small letters; None where it is none."""
    found = _HOST.fullmatch(header.strip())
    if found is None:
        return None
    name = (found["six"] or found["name"]).lower().removesuffix(".")
    return HostHeader(name, int(found["port"]) if found["port"] else None)


def host_allowed(header: str, names: Collection[str]) -> bool:
    """Whether a request may be for this host.

    Args:
        header: Its Host.
        names: That this host has, in small letters. Addresses always are: nobody can
            point them elsewhere.
    """
    host = host_of(header)
    return host is not None and (host.name in names or _is_address(host.name))


def origin_allowed(headers: Headers, names: Collection[str]) -> bool:
    """Whether something that is posted comes from a page of this host.

    Args:
        headers: Of the request.
        names: That the operator has given to this host, in small letters. A proxy
            in front may not pass on what it was called.
    """
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        # No browser posts without, so it is none; a cookie would be a browser's.
        return bearer(headers) is not None
    try:
        parts = urlsplit(origin)
        name, port = (parts.hostname or "").removesuffix("."), parts.port
    except ValueError:
        return False
    default = _PORTS.get(parts.scheme)
    if default is None or not name:
        return False
    host = host_of(headers.get("host", ""))
    if host is not None and host.name == name:
        return (host.port or default) == (port or default)
    return name in names and port is None


def bearer(headers: Headers) -> str | None:
    """The token of an Authorization header; None if there is none of that kind."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def session_of(headers: Headers) -> str | None:
    """The session that a cookie names, if any."""
    for each in headers.get("cookie", "").split(";"):
        name, _, value = each.strip().partition("=")
        if name == COOKIE:
            return value
    return None


def same_secret(given: str, secret: str) -> bool:
    """Whether they are equal, in a time that does not tell how much of them is."""
    return hmac.compare_digest(_bytes(given), _bytes(secret))


def local_path(target: str) -> str:
    """`target` if it is a path of this host, else `/`: where a form leads back to."""
    return target if re.fullmatch(r"/(?!/)[\w.~%/?=&-]*", target, re.A) else "/"


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
