"""Cutting an event until it fits a frame: what is least missed goes first."""

from copy import copy
from typing import Final

import msgspec

from hydra_notify.limits import SHORT_TEXT
from hydra_notify_sdk.wire import BuildEventData, EvalEventData

EventData = BuildEventData | EvalEventData

CUTS: Final = (
    "dependents",
    "dependentJobsets",
    "products",
    "metrics",
    "previousBuild.eval.inputs",
    "evals.inputs",
    "eval.inputs",
    "description",
    "jobsetInfo.errorMsg",
    "step.errorMsg",
    "homepage",
    "license",
    "releaseName",
    "nixName",
    "jobsetInfo.description",
    "evals",
    "outputs",
    "step.outputs",
    "maintainers",
)
"""Members that may be cut, first to last, as the wire names them. Lists lose their last
items, texts their ends."""

_encoder: Final = msgspec.json.Encoder()


def trimmed(data: EventData, room: int) -> EventData:
    """A copy of `data` whose JSON has at most `room` bytes; it says what was cut."""
    data = copy(data)
    truncated = list(data.truncated or ())
    for name in CUTS:
        size = _size(data)
        if size <= room:
            break
        # Its own name is not yet in the list.
        excess = size + len(name) + len(',"truncated":[""]') - room
        shorter = _cut(data, tuple(name.split(".")), excess)
        if shorter is not data:
            assert isinstance(shorter, BuildEventData | EvalEventData)
            data = shorter
            if name not in truncated:
                truncated.append(name)
            data.truncated = truncated
    return data


def _cut(value: object, path: tuple[str, ...], excess: int) -> object:
    """`value` with what is at `path` shorter by `excess` bytes, or as much as goes.

    The same object if nothing goes; what is changed is copied.
    """
    match value:
        case list() if path:
            return _cut_each(value, path, excess)
        case list() if value:
            return value[: _fitting(value, excess)]
        case str() if len(value) > SHORT_TEXT:
            # A character is at least a byte.
            return value[: max(SHORT_TEXT, len(value) - excess)]
        case msgspec.Struct() if path:
            attribute = _attribute(value, path[0])
            inner: object = getattr(value, attribute, None)
            shorter = _cut(inner, path[1:], excess)
            if shorter is inner:
                return value
            changed = copy(value)
            setattr(changed, attribute, shorter)
            return changed
        case _:
            return value


def _cut_each(items: list[object], path: tuple[str, ...], excess: int) -> object:
    changed = False
    shorter: list[object] = []
    for item in items:
        cut = item if excess <= 0 else _cut(item, path, excess)
        if cut is not item:
            changed = True
            excess -= _size(item) - _size(cut)
        shorter.append(cut)
    return shorter if changed else items


def _fitting(items: list[object], excess: int) -> int:
    """How many of `items` may stay so that `excess` bytes go."""
    kept = len(items)
    while kept and excess > 0:
        kept -= 1
        excess -= _size(items[kept]) + len(",")
    return kept


def _attribute(value: msgspec.Struct, name: str) -> str:
    """The attribute that the wire calls `name`."""
    for attribute, wired in zip(
        value.__struct_fields__, value.__struct_encode_fields__, strict=True
    ):
        if wired == name:
            return attribute
    return name


def _size(value: object) -> int:
    return len(_encoder.encode(value))
