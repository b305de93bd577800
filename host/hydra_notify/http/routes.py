"""Which page a request is for."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from hydra_notify.http.reply import Reply

Handler = Callable[[Reply, Mapping[str, str]], Awaitable[None]]
"""Answers a request, given what its path says in the places of names."""


@dataclass(frozen=True, slots=True)
class Route:
    """A page.

    Attributes:
        path: Such as `/plugins/{name}/frames`; a part in braces is any, by that name.
        handle: Answers.
        method: Of HTTP.
    """

    path: str
    handle: Handler
    method: str = "GET"


@dataclass(frozen=True, slots=True)
class Found:
    """The page that a request is for, and what its path says."""

    route: Route
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Lost:
    """There is no such page, or it can be had by these methods alone."""

    methods: tuple[str, ...]


def find(routes: Sequence[Route], method: str, target: str) -> Found | Lost:
    """The page for a request.

    Args:
        routes: All there are.
        method: Of the request.
        target: Its path, and perhaps a query, which no page has a use for.
    """
    parts = target.partition("?")[0].split("/")
    methods: list[str] = []
    for route in routes:
        values = _match(route.path.split("/"), parts)
        if values is None:
            continue
        if route.method == method:
            return Found(route, values)
        methods.append(route.method)
    return Lost(tuple(methods))


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
