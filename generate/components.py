"""The schemas of structs: what msgspec makes of them, with the words of docstrings."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import NODEFAULT, UNSET, Meta, Raw, Struct, UnsetType
from msgspec.structs import fields

from generate import docstrings
from hydra_notify_sdk.wire import (
    ErrorData,
    HostFrame,
    PluginFrame,
    RpcError,
    data,
    messages,
)

Schema = dict[str, Any]

_Object = Annotated[Raw, Meta(extra_json_schema={"type": "object"})]


def components(
    *kinds: type[Struct], ref_template: str = "#/$defs/{name}"
) -> dict[str, Schema]:
    """The schemas of `kinds` and of what they refer to, by the structs' names."""
    _, made = msgspec.json.schema_components(
        [_HOLDING.get(kind, kind) for kind in kinds],
        schema_hook=_anything,
        ref_template=ref_template,
    )
    for name, schema in made.items():
        _describe(schema, *_said_of(name))
    if "RpcError" in made:
        made["RpcError"]["properties"]["code"]["anyOf"] = _known_codes()
    return made


def _holding(kind: type[Struct], **held: Any) -> type[Struct]:
    """`kind` with raw members typed as what they hold, which msgspec cannot know."""
    return msgspec.defstruct(
        kind.__name__,
        [
            (each.name, held[each.name] | UnsetType, UNSET)
            if each.name in held
            else (each.name, each.type)
            if each.default is NODEFAULT
            else (each.name, each.type, each.default)
            for each in fields(kind)
        ],
    )


_ERROR: Final = _holding(RpcError, data=ErrorData)

_HOLDING: Final[dict[type[Struct], type[Struct]]] = {
    RpcError: _ERROR,
    HostFrame: _holding(HostFrame, params=_Object),
    PluginFrame: _holding(PluginFrame, params=_Object, result=Raw, error=_ERROR),
}


def _known_codes() -> list[Schema]:
    codes = docstrings.of_codes().items()
    known = [
        {"const": code, "description": f"{words.capitalize()}. {meaning}"}
        for code, (words, meaning) in codes
    ]
    return [*known, {"description": docstrings.of_unknown_code()}]


def _anything(_kind: type) -> Schema:
    return {"description": "Anything."}


def _said_of(name: str) -> tuple[str, dict[str, str]]:
    """What the struct called `name` is, and what its members are."""
    kind = getattr(messages, name, None) or getattr(data, name)
    summary, notes = docstrings.of_struct(kind)
    for base in kind.__mro__[1:]:
        if base is not Struct and issubclass(base, Struct):
            notes = {**docstrings.of_struct(base)[1], **notes}
    return summary, notes


def _describe(schema: Schema, summary: str, notes: dict[str, str]) -> None:
    schema["description"] = summary
    for name, member in schema["properties"].items():
        if name in notes:
            member["description"] = notes[name]
        if member.get("default") == "":
            # That a text is empty when it is absent, nobody has to be told.
            del member["default"]
    if not schema["required"]:
        del schema["required"]
