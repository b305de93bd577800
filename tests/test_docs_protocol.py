"""docs/protocol.md says what the code says.

Its tables are made from the protocol's definition. After a change there, run this file
with HYDRA_NOTIFY_WRITE_DOCS=1 to have them written anew.
"""

import ast
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from hydra_notify_sdk.wire import (
    CancelParams,
    CloudEvent,
    Code,
    ErrorData,
    EventParams,
    EventResult,
    HostFrame,
    InitializeParams,
    InitializeResult,
    LogParams,
    PluginFrame,
    ProgressParams,
    ShutdownParams,
    Verdict,
    codes,
    data,
    limits,
    messages,
    verdict,
)

DOCS = Path(__file__).parent.parent / "docs" / "protocol.md"
BLOCK = re.compile(
    r"(<!-- (limits|codes|data|members)(.*?) -->\n).*?(<!-- end -->)", re.S
)


def written_anew(text: str) -> str:
    """The page with its tables made from the code."""
    tables: dict[str, Callable[[list[str]], Iterator[str]]] = {
        "limits": limits_table,
        "codes": codes_table,
        "members": lambda names: members_tables(messages, names),
        "data": lambda _names: members_tables(data, data_structs()),
    }

    def block(found: re.Match[str]) -> str:
        lines = tables[found[2]](found[3].split())
        return found[1] + "\n" + "\n".join(lines) + "\n\n" + found[4]

    return BLOCK.sub(block, text)


def source(module: ModuleType) -> ast.Module:
    assert module.__file__ is not None
    return ast.parse(Path(module.__file__).read_text())


def prose(docstring: str | None) -> str:
    """A docstring on one line of a table."""
    return " ".join((docstring or "").split()).replace("|", "\\|")


def documented(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Statements with the string after them, which speaks for all since the last."""
    pending: list[ast.stmt] = []
    for statement in body:
        match statement:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield from ((each, text) for each in pending)
                pending = []
            case _:
                pending.append(statement)


def limits_table(_names: list[str]) -> Iterator[str]:
    yield "| name | value | what |"
    yield "|---|---|---|"
    for statement, text in documented(source(limits).body[1:]):
        if isinstance(statement, ast.AnnAssign) and isinstance(
            statement.target, ast.Name
        ):
            name = statement.target.id
            yield f"| `{name}` | {getattr(limits, name):,} | {prose(text)} |"


def codes_table(_names: list[str]) -> Iterator[str]:
    verdicts = class_of(codes, "Verdict")
    meanings = {
        target.id.lower(): prose(text)
        for statement, text in documented(verdicts.body)
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    yield "| code | | what the host makes of it |"
    yield "|---|---|---|"
    for code in Code:
        words = code.name.lower().replace("_", " ")
        yield f"| {code.value} | {words} | {meanings[verdict(code).value]} |"
    yield f"| any other | | {meanings[Verdict.RETRY.value]} |"


def class_of(module: ModuleType, name: str) -> ast.ClassDef:
    for statement in source(module).body:
        if isinstance(statement, ast.ClassDef) and statement.name == name:
            return statement
    raise AssertionError(f"{module.__name__} has no {name}")


def data_structs() -> list[str]:
    """In reading order: the two data first, then what they are made of."""
    names = [s.name for s in source(data).body if isinstance(s, ast.ClassDef)]
    first = ["BuildDocument", "BuildEventData", "EvalEventData"]
    return first + [name for name in names if name not in first]


def members_tables(module: ModuleType, names: list[str]) -> Iterator[str]:
    for name in names:
        struct = class_of(module, name)
        summary, notes = sections(ast.get_docstring(struct) or "")
        yield f"**{name}**: {summary}"
        yield ""
        yield "| member | type | |"
        yield "|---|---|---|"
        for statement in struct.body:
            if isinstance(statement, ast.AnnAssign):
                assert isinstance(statement.target, ast.Name)
                field = statement.target.id
                kind = type_in_words(ast.unparse(statement.annotation))
                default = "" if statement.value is None else default_in_words(statement)
                member = wire_name(module, name, field)
                note = notes.get(field, "")
                yield f"| `{member}` | {kind}{default} | {note} |"
        if name != names[-1]:
            yield ""


def sections(docstring: str) -> tuple[str, dict[str, str]]:
    """What a struct is, and what its members are."""
    text, _, attributes = docstring.partition("\nAttributes:\n")
    entries = re.split(r"\n    (?=\w+: )", "\n" + attributes.rstrip())
    pairs = (entry.partition(":") for entry in entries if entry.strip())
    return prose(text), {name.strip(): prose(words) for name, _, words in pairs}


def wire_name(module: ModuleType, struct: str, field: str) -> str:
    kind = getattr(module, struct)
    fields: dict[str, str] = dict(
        zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True)
    )
    return fields[field]


def type_in_words(annotation: str) -> str:
    annotation = re.sub(r"Annotated\[(\w+), .*\]", r"\1", annotation)
    words = {
        "bool": "true or false",
        "float": "number",
        "int": "integer",
        "str": "text",
        "object": "anything",
        "None": "null",
        "Raw": "object",
        "UnsetType": "absent",
    }

    def word(part: str) -> str:
        if found := re.fullmatch(r"list\[(.*)\]", part):
            return f"list of {word(found[1])}"
        if found := re.fullmatch(r"dict\[str, (.*)\]", part):
            return f"object of {word(found[1])}"
        return words.get(part, part)

    parts = annotation.split(" | ")
    # What may be missing is said last.
    parts.sort(key=["None", "UnsetType"].count)
    return " or ".join(map(word, parts))


def default_in_words(statement: ast.AnnAssign) -> str:
    assert statement.value is not None
    match ast.unparse(statement.value):
        case "UNSET":
            return ""
        case "None" | "''" | "[]" | "{}" | "Raw()":
            return ", optional"
        case text if text.isupper():
            return f" (default {getattr(limits, text):,})"
        case text if "(" in text:
            return ", optional"
        case text:
            return f" (default `{ast.literal_eval(text)}`)"


def test_the_tables_are_those_of_the_code() -> None:
    text = DOCS.read_text()
    if os.environ.get("HYDRA_NOTIFY_WRITE_DOCS"):
        DOCS.write_text(written_anew(text))
        text = DOCS.read_text()
    assert text == written_anew(text), (
        "docs/protocol.md is behind the code: run this test with "
        "HYDRA_NOTIFY_WRITE_DOCS=1"
    )


def test_every_message_and_every_limit_is_on_the_page() -> None:
    text = DOCS.read_text()
    structs = [s.name for s in source(messages).body if isinstance(s, ast.ClassDef)]
    for name in structs:
        if name not in ("HostFrame", "PluginFrame"):
            assert f"**{name}**" in text, name
    for name in vars(limits):
        if name.isupper():
            assert f"`{name}`" in text, name


def frames() -> list[str]:
    blocks = re.findall(r"```frames\n(.*?)```", DOCS.read_text(), re.S)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize(
    "line", [pytest.param(f, id=str(n)) for n, f in enumerate(frames())]
)
def test_every_frame_on_the_page_is_one(line: str) -> None:
    text = line[2:].encode()
    match line[0]:
        case "→":
            frame = msgspec.json.decode(text, type=HostFrame)
            kinds: dict[str, type[msgspec.Struct]] = {
                "initialize": InitializeParams,
                "event": EventParams,
                "shutdown": ShutdownParams,
                "cancel": CancelParams,
            }
            params = msgspec.json.decode(frame.params, type=kinds[frame.method])
            if isinstance(params, EventParams):
                assert isinstance(params.event, CloudEvent)
            assert only_known_members(
                kinds[frame.method], json.loads(bytes(frame.params))
            )
        case "←":
            check_plugin_frame(msgspec.json.decode(text, type=PluginFrame))
        case other:
            raise AssertionError(f"{other!r} is no direction")


def check_plugin_frame(frame: PluginFrame) -> None:
    kind: type[msgspec.Struct]
    if frame.method:
        kind = ProgressParams if frame.method == "progress" else LogParams
        raw = frame.params
    elif frame.error is not None:
        kind, raw = ErrorData, frame.error.data or msgspec.Raw(b"{}")
    else:
        manifest = b"protocol_version" in bytes(frame.result)
        kind, raw = (InitializeResult if manifest else EventResult), frame.result
    msgspec.json.decode(raw, type=kind)
    assert only_known_members(kind, json.loads(bytes(raw)))


def only_known_members(kind: type[msgspec.Struct], plain: dict[str, object]) -> bool:
    return set(plain) <= set(kind.__struct_encode_fields__)
