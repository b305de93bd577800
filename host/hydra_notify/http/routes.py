"""Which page a request is for."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from hydra_notify.http.reply import Reply
from hydra_notify.http.request import Request

Handler = Callable[[Request, Reply], Awaitable[None]]
"""Answers a request, or raises `Refusal` before it has begun to."""


@dataclass(frozen=True, slots=True)
class Route:
    """A page.

    Attributes:
        path: Such as `/plugins/{name}/frames`; a part in braces is any, by that name.
        handle: Answers.
        method: Of HTTP; what is for GET is for HEAD, too.
        acts: Whether it changes something, so that the client must be trusted.
        local_only: Whether it is to be had over the host's own socket alone.
        open: Whether it answers by whatever name: for machines, which ask by one that
            nobody has told this host. It must say nothing that is not for everybody.
    """

    path: str
    handle: Handler
    method: str = "GET"
    acts: bool = False
    local_only: bool = False
    open: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The page that a request is for, and what its path says."""

    route: Route
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Lost:
    """There is no such page, or it can be had by these methods alone."""

    methods: tuple[str, ...]


def find(routes: Sequence[Route], method: str, path: str) -> Found | Lost:
    """The page for a request.

    Args:
        routes: All there are.
        method: Of the request.
        path: Of the request, without a query.
    """
    wanted = "GET" if method == "HEAD" else method
    parts = path.split("/")
    methods: list[str] = []
    for route in routes:
        values = _match(route.path.split("/"), parts)
        if values is None:
            continue
        if route.method == wanted:
            return Found(route, values)
        methods.append(route.method)
    return Lost(tuple(dict.fromkeys(methods)))


def _match(pattern: Sequence[str], parts: Sequence[str]) -> dict[str, str] | None:
    if len(pattern) != len(parts):
        return None
    values: dict[str, str] = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted.startswith("{"):
            values[wanted.strip("{}")] = unquote(part)
        elif wanted != part:
            return None
    return values
