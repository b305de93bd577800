"""What an author can get wrong, found where it stands, and told with what to write."""

import inspect
from collections.abc import Callable, Sequence
from typing import Final, get_args

import msgspec

from hydra_notify_sdk.wire import Part
from hydra_notify_sdk.wire.limits import (
    MAX_EVENT_TIMEOUT_MS,
    MAX_IN_FLIGHT,
    MIN_EVENT_TIMEOUT_MS,
)

_PARTS: Final[tuple[str, ...]] = get_args(Part)


def check_options(
    name: str,
    version: str,
    max_in_flight: int,
    timeout: float | None,
    include: Sequence[str],
) -> None:
    """Sees to it that a plugin is made of what a host accepts.

    Raises:
        ValueError: It is not.
    """
    if not (name.strip() and version.strip()):
        raise ValueError(
            f"a plugin has a name and a version, for logs: Plugin({name!r}, "
            f"{version!r}) leaves one empty"
        )
    if not 1 <= max_in_flight <= MAX_IN_FLIGHT:
        raise ValueError(f"max_in_flight is 1 to {MAX_IN_FLIGHT}")
    shortest, longest = MIN_EVENT_TIMEOUT_MS / 1000, MAX_EVENT_TIMEOUT_MS / 1000
    if timeout is not None and not shortest <= timeout <= longest:
        raise ValueError(f"timeout is {shortest:g} to {longest:g} seconds")
    for part in include:
        if part not in _PARTS:
            raise ValueError(unknown("part", part, _PARTS))


def check_kind(kind: object) -> None:
    """Sees to it that settings can become `kind`.

    Raises:
        TypeError: It is not a class with named fields.
    """
    # Of a generic alias such as dict[str, str], the class.
    plain = getattr(kind, "__origin__", kind)
    if isinstance(plain, type) and (
        # A TypedDict is a dict, too.
        issubclass(plain, dict | msgspec.Struct)
        or hasattr(plain, "__dataclass_fields__")
        or hasattr(plain, "__attrs_attrs__")
    ):
        return
    what = repr(kind) if isinstance(kind, type) else f"a value, {kind!r}"
    raise TypeError(
        f"config is the class of the settings, a dataclass or a msgspec.Struct, not "
        f"{what}"
    )


def unknown(what: str, word: str, known: Sequence[str]) -> str:
    """That there is no `word`, which one may be meant, and those there are."""
    # Only here: it is not needed where nothing is wrong.
    from difflib import get_close_matches

    near = get_close_matches(word, known, 1)
    listed = f"the {what}s are: {', '.join(known)}"
    if near:
        return f"there is no {what} {word!r}, did you mean {near[0]!r}? ({listed})"
    return f"there is no {what} {word!r}; {listed}"


def refuse_unawaited(function: Callable[..., object]) -> None:
    """Sees to it that calling `function` runs it.

    Raises:
        TypeError: It is async or a generator, and a call would only make an object.
    """
    name = getattr(function, "__qualname__", repr(function))
    # The second is for an object that can be called.
    for called in (function, type(function).__call__):
        if inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called):
            raise TypeError(
                f"{name} is async, and nothing here would await it: write a plain "
                "`def`, which may call `asyncio.run(...)`; for several events at a "
                "time give Plugin a `max_in_flight`"
            )
        if inspect.isgeneratorfunction(called):
            raise TypeError(
                f"{name} has a `yield`, so that a call would not run it: write a plain "
                "`def` that returns None or Skipped"
            )
