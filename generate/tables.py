"""The tables of pages in `docs/`, made from the protocol's definition.

They stand between a comment that names them and `<!-- end -->`.
"""

import re
import types
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, get_args, get_origin

from msgspec import NODEFAULT, UNSET, Raw, Struct, UnsetType
from msgspec.structs import FieldInfo, fields

from generate import docstrings
from hydra_notify.kit.check.rules import RULES
from hydra_notify_sdk.wire import EVENTS, OWN_MEMBERS, data, limits, messages

_BLOCK: Final = re.compile(
    r"(<!-- (limits|codes|events|data|members|rules)(.*?) -->\n).*?(<!-- end -->)", re.S
)

_WORDS: Final[dict[object, str]] = {
    bool: "true or false",
    float: "number",
    int: "integer",
    str: "text",
    object: "anything",
    type(None): "null",
    Raw: "object",
    UnsetType: "absent",
}


def written_anew(text: str) -> str:
    """The page with its tables made from the code."""
    tables: dict[str, Callable[[list[str]], Iterator[str]]] = {
        "limits": _limits,
        "codes": _codes,
        "events": _events,
        "members": lambda names: _members([getattr(messages, name) for name in names]),
        "data": lambda _names: _members(_data_structs()),
        "rules": _rules,
    }

    def block(found: re.Match[str]) -> str:
        lines = tables[found[2]](found[3].split())
        return found[1] + "\n" + "\n".join(lines) + "\n\n" + found[4]

    return _BLOCK.sub(block, text)


def structs(module: types.ModuleType) -> list[type[Struct]]:
    """Those that a module defines, in its order."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Struct)
        and value.__module__ == module.__name__
    ]


def _limits(_names: list[str]) -> Iterator[str]:
    yield "| name | value | what |"
    yield "|---|---|---|"
    for name, text in docstrings.of_values(limits).items():
        yield f"| `{name}` | {getattr(limits, name):,} | {_cell(text)} |"


def _codes(_names: list[str]) -> Iterator[str]:
    yield "| code | | what the host makes of it |"
    yield "|---|---|---|"
    for code, (words, meaning) in docstrings.of_codes().items():
        yield f"| {code} | {words} | {_cell(meaning)} |"
    yield f"| any other | | {_cell(docstrings.of_unknown_code())} |"


def _rules(_names: list[str]) -> Iterator[str]:
    yield "| rule | | a plugin |"
    yield "|---|---|---|"
    for rule in RULES:
        yield f"| `{rule.name}` | {rule.level.value} | {_cell(rule.title)} |"


def _events(_names: list[str]) -> Iterator[str]:
    yield "| event | when | data |"
    yield "|---|---|---|"
    for channel, when in EVENTS.items():
        about = "evaluation" if channel.startswith("eval_") else "build"
        own = "".join(f", `{member}`" for member in OWN_MEMBERS[channel])
        yield f"| `{channel}` | {when} | {about}{own} |"


def _data_structs() -> list[type[Struct]]:
    """In reading order: the two data first, then what they are made of."""
    first: list[type[Struct]] = [
        data.BuildDocument,
        data.BuildEventData,
        data.EvalEventData,
    ]
    return first + [each for each in structs(data) if each not in first]


def _members(kinds: list[type[Struct]]) -> Iterator[str]:
    for kind in kinds:
        summary, notes = docstrings.of_struct(kind)
        yield f"**{kind.__name__}**: {_cell(summary)}"
        yield ""
        yield "| member | type | |"
        yield "|---|---|---|"
        # A base class has a table of its own.
        own = (each for each in fields(kind) if each.name in kind.__annotations__)
        for member in own:
            name, note = member.encode_name, _cell(notes.get(member.encode_name, ""))
            yield f"| `{name}` | {_type(member.type)}{_default(member)} | {note} |"
        if kind is not kinds[-1]:
            yield ""


def _type(kind: Any) -> str:
    arguments = get_args(kind)
    match get_origin(kind):
        case None:
            return _WORDS.get(kind) or str(kind.__name__)
        case origin if origin is Annotated:
            return _type(arguments[0])
        case origin if origin is list:
            return f"list of {_type(arguments[0])}"
        case origin if origin is dict:
            return f"object of {_type(arguments[1])}"
        case _:
            # A union, of one of Python's two kinds.
            # What may be missing is said last.
            missing = [UnsetType, type(None)]
            present = [each for each in arguments if each not in missing]
            last = [each for each in missing if each in arguments]
            return " or ".join(map(_type, [*present, *last]))


def _default(member: FieldInfo) -> str:
    match member.default:
        case value if value is UNSET:
            return ""
        case value if value is NODEFAULT:
            return "" if member.default_factory is NODEFAULT else ", optional"
        case int(value):
            return f" (default {value:,})"
        case str(value) if value:
            return f" (default `{value}`)"
        case _:
            return ", optional"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
