"""Where a forge is: its address in the settings, and its names elsewhere."""

from collections.abc import Iterable

from msgspec import Struct

from hydra_notify_plugins.http import web_address
from hydra_notify_plugins.revisions import hosts_of


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
        ConfigProblem: See `web_address`.
    """
    url = web_address(url.strip(), key)
    own = hosts_of(url)
    own |= {each.removeprefix("api.") for each in own}
    return Site(url, own | {each.lower() for each in hosts})
