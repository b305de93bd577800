"""Hydra's JSON form: `{"includes": [...], "settings": {...}}`.

Files are merged: lists are appended, maps are merged, and a value that two files set is
an error.
"""

import json
from pathlib import Path
from typing import Final, cast

from hydra_notify.hydra_conf.values import (
    Block,
    Entry,
    HydraConfError,
    Item,
    Place,
    Scalar,
)

_PARTS: Final = ("includes", "settings")

_SHAPE: Final = 'write {"includes": ["file"], "settings": {...}}'


def parse_json(text: str, file: Path) -> tuple[list[str], Block]:
    """The files that a file includes, and what it says itself.

    Raises:
        HydraConfError: It is not JSON, or not of this form.
    """
    place = Place(file)
    try:
        document: object = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        where = Place(file, error.lineno)
        raise HydraConfError(where, f"is not JSON ({error.msg})", "mend it") from None
    except RecursionError:
        raise HydraConfError(place, "is nested too deeply", "mend it") from None
    except _Twice:
        problem = "a key is written twice in one map"
        raise HydraConfError(place, problem, "leave one out") from None
    if not isinstance(document, dict):
        raise HydraConfError(place, "is not a JSON object", _SHAPE)
    parts = cast(dict[str, object], document)
    for name in parts:
        if name not in _PARTS:
            problem = f"{name} stands beside includes and settings"
            raise HydraConfError(place, problem, f"put it into settings: {_SHAPE}")
    includes = parts.get("includes", [])
    if not isinstance(includes, list) or not all(
        isinstance(each, str) for each in cast(list[object], includes)
    ):
        raise HydraConfError(place, "includes is not a list of files", _SHAPE)
    settings = parts.get("settings", {})
    if not isinstance(settings, dict):
        raise HydraConfError(place, "settings is not a map", _SHAPE)
    return cast(list[str], includes), _block(cast(dict[str, object], settings), place)


class _Twice(Exception):
    """A key that one map has two times."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _Twice
        found[key] = value
    return found


def _block(table: dict[str, object], place: Place) -> Block:
    return Block(place, {key: _entry(value, place) for key, value in table.items()})


def _entry(value: object, place: Place) -> Entry:
    if isinstance(value, list):
        return [_item(each, place) for each in cast(list[object], value)]
    return _item(value, place)


def _item(value: object, place: Place) -> Item:
    if isinstance(value, dict):
        return _block(cast(dict[str, object], value), place)
    if isinstance(value, list):
        problem = "has a list within a list"
        raise HydraConfError(place, problem, "write one list")
    if value is None or isinstance(value, str):
        return Scalar(value, place)
    if isinstance(value, bool):
        # As Perl has it: Hydra compares with 1.
        return Scalar("1" if value else "0", place)
    return Scalar(str(value), place)


def merge(into: Block, more: Block, path: str) -> None:
    """Add what a file says to what others have said.

    Args:
        into: What they have said; changed.
        more: What it says.
        path: The key of both, for messages.

    Raises:
        HydraConfError: A value is set by both, or is of two kinds.
    """
    for key, entry in more.entries.items():
        name = f"{path}.{key}" if path else key
        found = into.entries.get(key)
        if found is None:
            into.entries[key] = entry
        elif isinstance(found, list) and isinstance(entry, list):
            into.entries[key] = [*found, *entry]
        elif isinstance(found, Block) and isinstance(entry, Block):
            merge(found, entry, name)
        else:
            first, second = _place(found), _place(entry)
            problem = f"sets {name}, which {first} sets too"
            raise HydraConfError(second, problem, "leave one out")


def _place(entry: Entry) -> Place:
    item = entry[0] if isinstance(entry, list) else entry
    return item.place
