"""The JSON Schemas: valid, whole, and true of all that is sent."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from tests.event_samples import ALL_PARTS, BASE, NO_PARTS, failed, finished
from tests.toy_host import event_params
from tests.transcripts import Frame, fill, load

from hydra_notify import builds, schema
from hydra_notify_sdk.wire import CHANNELS, Channel
from hydra_notify_sdk.wire.samples import PARTS, sample_params

ILL_FORMED = {
    ("bad_cancel", 4): "a cancel without id",
    ("bad_cancel", 5): "a cancel without parameters",
    ("bad_error_data", 5): "a negative time to wait",
    ("bad_params", 4): "an event without its delivery",
    ("bad_progress", 5): "progress without id",
    ("bad_progress", 6): "a log without parameters",
    ("initialize_without_params", 2): "no parameters",
    ("malformed", 6): "neither result nor error",
    ("request_of_plugin", 5): "a request of a plugin",
}
"""Frames of the golden conversations that are wrong on purpose."""

BAD_RESULTS = {"bad_manifest", "careless_results", "null_result"}
"""Conversations with results that are wrong on purpose, in frames that are right."""


@cache
def document(name: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(schema.text_of(name))
    return made


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(document(name))


def fits(name: str, value: Any) -> bool:
    """Whether `value` fits the schema called `name`."""
    return bool(validator(name).is_valid(value))


def check(name: str, value: Any) -> None:
    """Fails with what is wrong when `value` does not fit the schema called `name`."""
    validator(name).validate(value)


SCHEMAS = [name for name in schema.names() if name != "openrpc"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one_and_says_what_it_is(name: str) -> None:
    made = document(name)
    Draft202012Validator.check_schema(made)
    assert made["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert made["$id"] == f"urn:hydra-notify:v1:{name}"
    assert made["title"]
    assert made["description"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_refers_to_nothing_outside_and_forbids_no_member(name: str) -> None:
    made = document(name)
    used = set()
    for part in parts(made):
        assert part.get("additionalProperties") is not False
        assert "unevaluatedProperties" not in part
        if "$ref" in part:
            where, target = part["$ref"].rsplit("/", 1)
            assert where == "#/$defs"
            used.add(target)
    assert used == set(made.get("$defs", ()))


def parts(value: object) -> Iterator[dict[str, Any]]:
    """Every object in a document."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from parts(each)


def frames() -> Iterator[tuple[str, int, str, Frame]]:
    """Conversation, number of the line, sender, and what is sent."""
    seen = set()
    for side in ("host", "plugin"):
        for transcript in load(side):
            for line in transcript.lines:
                place = (transcript.name, line.number)
                if line.frame is not None and place not in seen:
                    seen.add(place)
                    frame = fill(line.frame)
                    assert isinstance(frame, dict)
                    yield *place, line.sender, frame


def test_every_frame_of_the_golden_conversations_fits_its_schema() -> None:
    wrong = {
        (name, number)
        for name, number, sender, frame in frames()
        if not fits(f"frame.{sender}", frame)
    }
    assert wrong == set(ILL_FORMED)


def test_every_result_of_the_golden_conversations_fits_its_schema() -> None:
    methods: dict[tuple[str, object], object] = {}
    wrong = set()
    for name, _, sender, frame in frames():
        place = (name, frame.get("id"))
        if sender == "host":
            methods[place] = frame["method"]
        elif frame.get("result", "$any") != "$any" and place in methods:
            kind = f"{methods[place]}.result"
            wrong |= set() if fits(kind, frame["result"]) else {name}
    assert wrong == BAD_RESULTS


def test_members_that_nobody_knows_are_allowed_everywhere() -> None:
    for name, number, sender, frame in frames():
        if (name, number) not in ILL_FORMED:
            check(f"frame.{sender}", with_more(frame))


def with_more(value: object) -> object:
    """`value` with a member that nobody knows in each of its objects.

    Not in `secrets`, whose members are the operator's and all text.
    """
    match value:
        case dict():
            more = {k: v if k == "secrets" else with_more(v) for k, v in value.items()}
            return {**more, "x-future": [{"deep": None}]}
        case list():
            return [with_more(each) for each in value]
        case _:
            return value


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_sample_of_every_event_fits_its_schemas(channel: str) -> None:
    params = event_params(channel)
    event = params["event"]
    assert isinstance(event, dict)
    kind = "eval" if channel.startswith("eval_") else "build"
    for more in (lambda same: same, with_more):
        check(f"event.{channel}", more(params))
        check("event.params", more(params))
        check("cloudevent", more(event))
        check(f"data.{kind}", more(event["data"]))
    others = set(CHANNELS) - {channel}
    assert not any(fits(f"event.{c}", params) for c in others)


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_samples_for_tools_fit_their_schemas(channel: Channel) -> None:
    for parts in (PARTS, ()):
        params = msgspec.json.encode(sample_params(channel, parts=parts))
        check(f"event.{channel}", json.loads(params))


@pytest.mark.parametrize("parts", [ALL_PARTS, NO_PARTS], ids=["all parts", "no parts"])
def test_what_the_host_makes_fits_its_schemas(parts: frozenset[Any]) -> None:
    for loaded in (finished(), failed()):
        params = event_params(loaded.event.channel)
        params["event"] = json.loads(builds.encode(loaded, parts, BASE))
        check(f"event.{loaded.event.channel}", params)


WRONG: list[tuple[str, str, object]] = [
    ("frame.host", "method", "missing"),
    ("frame.host", "jsonrpc", "1.0"),
    ("frame.host", "id", "missing"),
    ("frame.host", "id", 7),
    ("frame.host", "id", ""),
    ("frame.host", "id", "e" * 65),
    ("frame.host", "id", "e 1"),
    ("frame.host", "params", [1]),
    ("frame.host", "params", "missing"),
    ("frame.host", "params.delivery", "missing"),
    ("frame.host", "params.delivery.timeout_ms", -1),
    ("frame.host", "params.delivery.attempt", 0),
    ("frame.host", "params.delivery.redelivered", "no"),
    ("frame.host", "params.event.id", "missing"),
    ("frame.host", "params.event.specversion", "0.3"),
    ("frame.host", "params.event.data.build", "4711"),
    ("frame.host", "params.event.data.jobsetInfo.id", None),
    ("event.build_finished", "name", "build_started"),
    ("event.build_finished", "event.type", "hydra.build_started"),
    ("event.build_finished", "event.data.dependentIds", "missing"),
    ("event.build_finished", "event.data.event", "buildStarted"),
    ("initialize.params", "protocol_versions", "1"),
    ("initialize.params", "secrets", {"token": 5}),
    ("initialize.result", "protocol_version", "missing"),
    ("initialize.result", "events", "*"),
    ("initialize.result", "events", ["*_finished"]),
    ("initialize.result", "events", [""]),
    ("initialize.result", "max_in_flight", 0),
    ("initialize.result", "timeout_ms", -1),
    ("initialize.result", "ordering", 1),
    ("event.result", "status", None),
    ("frame.plugin", "id", "missing"),
    ("frame.plugin", "id", None),
    ("frame.plugin", "result", "missing"),
    ("frame.plugin", "error", {"code": 500}),
    ("frame.plugin", "method", "log"),
    ("error", "code", "500"),
    ("error.data", "retry_after_ms", -1),
    ("error.data", "retryable", "yes"),
    ("progress.params", "percent", 101),
    ("log.params", "message", "missing"),
    ("shutdown.params", "grace_ms", -1),
    ("cancel.params", "id", "missing"),
]


def right(name: str) -> dict[str, Any]:
    """What fits the schema called `name`."""
    event = event_params("build_finished")
    examples: dict[str, dict[str, Any]] = {
        "frame.host": {
            "jsonrpc": "2.0",
            "id": "e1",
            "method": "event",
            "params": event,
        },
        "event.build_finished": event,
        "initialize.params": {
            "protocol_versions": [1],
            "host": {"name": "h", "version": "1"},
            "instance": "chat",
        },
        "initialize.result": {
            "protocol_version": 1,
            "name": "chat",
            "version": "1",
            "events": ["*", "build_*", "jobset_changed"],
        },
        "frame.plugin": {"id": "e1", "result": {}},
        "error": {"code": 500},
        "progress.params": {"id": "e1", "percent": 100},
        "log.params": {"message": "m"},
        "shutdown.params": {"reason": "host_stop", "grace_ms": 0},
        "cancel.params": {"id": "e1", "reason": "deadline"},
    }
    return examples.get(name, {})


@pytest.mark.parametrize(("name", "path", "value"), WRONG)
def test_what_is_wrong_does_not_fit(name: str, path: str, value: object) -> None:
    given = json.loads(json.dumps(right(name)))
    check(name, given)
    *way, last = path.split(".")
    place = given
    for step in way:
        place = place[step]
    if value == "missing":
        del place[last]
    else:
        place[last] = value
    assert not fits(name, given)


def test_words_that_nobody_knows_fit_and_known_ones_are_described() -> None:
    for word in ("none", "project"):
        manifest = {**right("initialize.result"), "ordering": word}
        check("initialize.result", manifest)
    words = document("initialize.result")["properties"]["ordering"]["anyOf"]
    assert [word.get("const") for word in words] == ["subject", "none", None]
    assert all(word["description"] for word in words)


def test_every_member_of_the_docs_is_described_in_the_schemas() -> None:
    manifest = document("initialize.result")["properties"]
    assert manifest["timeout_ms"]["description"].startswith("Milliseconds it needs")
    build = document("data.build")["properties"]
    assert build["dependentIds"]["description"].startswith("Builds that finished")
