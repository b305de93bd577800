"""A member of a sample event changed by its path, as `--set PATH=VALUE` says it."""

import json
from collections.abc import Collection, Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import cast

import msgspec

from hydra_notify.config import STATUSES
from hydra_notify.config.wording import did_you_mean, quoted
from hydra_notify.errors import HydraNotifyError

Json = dict[str, object]


class EditError(HydraNotifyError):
    """An edit cannot be made; the message names it, what is wrong, and the fix."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change.

    Attributes:
        path: Names of members and places in lists, the outermost first.
        value: What is put there.
    """

    path: tuple[str, ...]
    value: object

    def __str__(self) -> str:
        return ".".join(self.path)


def edit_of(text: str) -> Edit:
    """What `text` asks for: a dotted path, `=`, and JSON or else text.

    Where a build's status is asked for it may be a word, as in a configuration.

    Raises:
        EditError: There is no path, or no `=`.
    """
    path, equals, value = text.partition("=")
    names = tuple(path.strip().split("."))
    if not equals or "" in names:
        raise EditError(
            f"{quoted(text)} says not what to change; write PATH=VALUE, such as "
            "buildStatus=0 or jobsetInfo.name=staging"
        )
    return Edit(names, _value(names[-1], value))


def _value(name: str, text: str) -> object:
    if name == "buildStatus":
        word = text.strip().replace(" ", "_")
        if word in STATUSES:
            return STATUSES[word]
        if word[:1].isalpha() and word != "null":
            raise EditError(
                f"buildStatus={word} names no build status; "
                f"{did_you_mean(word, STATUSES)}"
            )
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    try:
        msgspec.json.encode(value)
    except (ValueError, RecursionError) as error:
        raise EditError(
            f"{name}={quoted(text)} is no value for JSON ({error}); "
            "write whole characters, and not too deep"
        ) from error
    return value


def apply(edits: Iterable[Edit], params: Json, full: Json) -> None:
    """Change the parameters of an event.

    A path starts in the event's data, but for `delivery.*` and `event.*`: those are
    what they are in the frame.

    Args:
        edits: One after the other.
        params: Of `event`; changed.
        full: The same with every heavy part: what a path may name.

    Raises:
        EditError: A path leads nowhere.
    """
    for edit in edits:
        _apply(edit, params, full)


def _apply(edit: Edit, params: Json, full: Json) -> None:
    path = edit.path
    # The data has a member `event` too, which is a word and has nothing below it.
    if path[0] == "delivery" or (path[0] == "event" and len(path) > 1):
        here: object = params
        known: object = full
    else:
        here, known = _data(params), _data(full)
    for depth, name in enumerate(path):
        last = depth == len(path) - 1
        match here:
            case dict():
                here = cast(Json, here)
                members = cast(Json, known) if isinstance(known, dict) else here
                if name not in here and name not in members:
                    raise EditError(_unknown(edit, depth, {**here, **members}))
                if last:
                    here[name] = edit.value
                    return
                # A heavy part is there only for those who include it, and here.
                here = here.setdefault(name, deepcopy(members.get(name)))
                known = members.get(name)
            case list():
                here = cast(list[object], here)
                places = [str(place) for place in range(len(here))]
                if name not in places:
                    raise EditError(_unknown(edit, depth, places))
                if last:
                    here[int(name)] = edit.value
                    return
                here = here[int(name)]
                known = here
            case _:
                above = ".".join(path[:depth])
                raise EditError(
                    f"{edit}: {above} is {json.dumps(here)}, which has no members; "
                    f"set it as a whole: {above}=VALUE"
                )


def _data(params: Json) -> object:
    return cast(Json, params["event"])["data"]


def _unknown(edit: Edit, depth: int, known: Collection[str]) -> str:
    above = ".".join(edit.path[:depth]) or "the sample"
    fix = did_you_mean(edit.path[depth], known) if known else "it is empty"
    return (
        f"{edit}: {above} has no {edit.path[depth]}; {fix} "
        "(to add a member, set the whole object that shall have it)"
    )
