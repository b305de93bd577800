"""The OpenRPC document: what docs/protocol.md says, and examples that fit."""

import json
import re
from typing import Any

import pytest
from generate.files import PAGE
from jsonschema import Draft202012Validator

from hydra_notify import schema
from hydra_notify_sdk.wire import CHANNELS, Code

DOCUMENT: dict[str, Any] = json.loads(schema.text_of("openrpc"))
METHODS: dict[str, dict[str, Any]] = {m["name"]: m for m in DOCUMENT["methods"]}
HEADING = re.compile(r"^### `(\w+)`( \(notification\))?:", re.M)

MEMBERS = {
    "document": {"openrpc", "info", "methods", "components"},
    "method": {"name", "summary", "paramStructure", "params", "result", "errors"}
    | {"examples", "x-direction", "x-notification"},
    "parameter": {"name", "description", "required", "schema"},
    "error": {"code", "message"},
    "example": {"name", "description", "params", "result"},
}
"""Those of OpenRPC 1.3 that are used; it forbids any others."""


def fits(value: Any, part: dict[str, Any]) -> bool:
    """Whether `value` fits a schema of the document."""
    whole = {**part, "components": DOCUMENT["components"]}
    return bool(Draft202012Validator(whole).is_valid(value))


def test_it_has_the_members_of_openrpc_and_no_others() -> None:
    assert set(DOCUMENT) == MEMBERS["document"]
    assert DOCUMENT["openrpc"].startswith("1.")
    assert {"title", "version"} <= set(DOCUMENT["info"])
    for method in METHODS.values():
        assert {"name", "params"} <= set(method) <= MEMBERS["method"]
        for parameter in method["params"]:
            assert {"name", "schema"} <= set(parameter) <= MEMBERS["parameter"]
        for error in method.get("errors", ()):
            assert set(error) == MEMBERS["error"]
        names = [example["name"] for example in method["examples"]]
        assert len(set(names)) == len(names)
        for example in method["examples"]:
            assert {"name", "params"} <= set(example) <= MEMBERS["example"]


def test_its_methods_are_those_of_the_page() -> None:
    told = {name: bool(told) for name, told in HEADING.findall(PAGE.read_text())}
    assert {n: m["x-notification"] for n, m in METHODS.items()} == told
    sent = PAGE.read_text().split("## 4.")[0]
    by_host = {name for name, _ in HEADING.findall(sent)}
    for name, method in METHODS.items():
        direction = "host->plugin" if name in by_host else "plugin->host"
        assert method["x-direction"] == direction


def test_a_request_has_a_result_and_errors_and_a_notification_neither() -> None:
    for method in METHODS.values():
        assert method["paramStructure"] == "by-name"
        replied = {"result", "errors"} & set(method)
        assert replied == (set() if method["x-notification"] else {"result", "errors"})


def test_every_code_says_what_it_means_for_an_event() -> None:
    errors = {e["code"]: e["message"] for e in METHODS["event"]["errors"]}
    assert set(errors) == set(Code)
    assert errors[409] == "Conflict. Already done upstream: as good as success."
    start = {e["code"]: e["message"] for e in METHODS["initialize"]["errors"]}
    assert set(start) == {422, 424, 426}


@pytest.mark.parametrize("name", METHODS)
def test_every_example_of_a_method_fits_it(name: str) -> None:
    method = METHODS[name]
    parameters = {each["name"]: each for each in method["params"]}
    required = {n for n, each in parameters.items() if each["required"]}
    assert method["examples"]
    for example in method["examples"]:
        given = {each["name"]: each["value"] for each in example["params"]}
        assert required <= set(given) <= set(parameters)
        for each, value in given.items():
            assert fits(value, parameters[each]["schema"]), (example["name"], each)
        assert ("result" in example) == ("result" in method)
        if "result" in method:
            assert fits(example["result"]["value"], method["result"]["schema"])


def test_there_is_an_example_of_every_event() -> None:
    examples = METHODS["event"]["examples"]
    assert {example["name"] for example in examples} == {*CHANNELS, "skipped"}


def test_everything_it_refers_to_is_there() -> None:
    references = set(re.findall(r'"\$ref": "([^"]+)"', schema.text_of("openrpc")))
    schemas = DOCUMENT["components"]["schemas"]
    assert references <= {f"#/components/schemas/{name}" for name in schemas}
    for part in schemas.values():
        Draft202012Validator.check_schema(part)
