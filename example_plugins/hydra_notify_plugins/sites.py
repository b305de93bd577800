"""Where a forge is: its address in the settings, and its names elsewhere."""

from collections.abc import Iterable

import httpx2
from msgspec import Struct

from hydra_notify_plugins.revisions import hosts_of
from hydra_notify_sdk import ConfigProblem


class Site(Struct, frozen=True):
    """A forge.

    Attributes:
        url: Without a trailing slash.
        hosts: As inputs and flakes name it, in lower case.
    """

    url: str
    hosts: frozenset[str]


def site_at(url: str, hosts: Iterable[str], *, key: str) -> Site:
    """The forge at an address in the settings.

    No token is ever sent elsewhere: who may write a jobset could have it sent home.

    Args:
        url: As written.
        hosts: Further names that the operator gives it.
        key: Where `url` stands, for the error.

    Raises:
        ConfigProblem: It is no address of the web.
    """
    url = url.strip().rstrip("/")
    try:
        parsed = httpx2.URL(url)
        own = hosts_of(url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise ConfigProblem(key, f"is no web address: {error}") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        problem = "is no web address" if url else "is required"
        raise ConfigProblem(key, problem, fix="write https://HOST")
    own |= {each.removeprefix("api.") for each in own}
    return Site(url, own | {each.lower() for each in hosts})
