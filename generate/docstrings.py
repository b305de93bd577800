"""What the protocol's definition says of its parts, as text on one line."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from msgspec import Struct
from msgspec.structs import fields

from hydra_notify_sdk.wire import Code, codes, verdict


def of_struct(struct: type[Struct]) -> tuple[str, dict[str, str]]:
    """What a struct is, and what its members are, by their names on the wire."""
    text, _, attributes = inspect.cleandoc(struct.__doc__ or "").partition(
        "\nAttributes:\n"
    )
    names = {field.name: field.encode_name for field in fields(struct)}
    entries = re.split(r"\n    (?=\w+: )", "\n" + attributes.rstrip())
    pairs = (entry.partition(":") for entry in entries if entry.strip())
    notes = {names[name.strip()]: _as_on_wire(words, names) for name, _, words in pairs}
    return _as_on_wire(text, names), notes


def of_values(module: ModuleType, name: str = "") -> dict[str, str]:
    """What the values of a module, or of a class in it, are: the strings after them.

    Such a string speaks for all values since the last one.
    """
    assert module.__file__ is not None
    body = ast.parse(Path(module.__file__).read_text()).body[1:]
    for statement in body:
        if isinstance(statement, ast.ClassDef) and statement.name == name:
            body = statement.body
    return dict(_documented(body))


def of_codes() -> dict[int, tuple[str, str]]:
    """The name of every error code in words, and what the host makes of it."""
    meanings = of_values(codes, "Verdict")
    return {
        code.value: (code.name.lower().replace("_", " "), meanings[verdict(code).name])
        for code in Code
    }


def of_unknown_code() -> str:
    """What the host makes of an error code that it does not know."""
    return of_values(codes, "Verdict")[verdict(0).name]


def one_line(text: str) -> str:
    """Without line breaks and indentation."""
    return " ".join(text.split())


def _documented(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    pending: list[str] = []
    for statement in body:
        match statement:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield from ((each, one_line(text)) for each in pending)
                pending = []
            case (
                ast.AnnAssign(target=ast.Name(id=name))
                | ast.Assign(targets=[ast.Name(id=name)])
            ):
                pending.append(name)
            case _:
                pass


def _as_on_wire(text: str, names: dict[str, str]) -> str:
    """`text` with members called as on the wire where it says `build_status`."""

    def name(found: re.Match[str]) -> str:
        return f"`{names.get(found[1], found[1])}`"

    return re.sub(r"`(\w+)`", name, one_line(text))
