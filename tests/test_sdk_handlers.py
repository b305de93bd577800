"""What handlers are given, and what their answers become."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.sdk_conversation import Conversation
from tests.toy_host import event_params
from tests.transcripts import Frame, sample

from hydra_notify_sdk import (
    AnyEvent,
    BuildEvent,
    Context,
    EvalEvent,
    Failure,
    Permanent,
    Plugin,
    Retry,
    Skipped,
    Unauthorized,
)
from hydra_notify_sdk.testing import drive


@pytest.fixture
def plugin() -> Plugin[dict[str, object]]:
    return Plugin("test", "1")


def answer_to(handler: Callable[[AnyEvent], Skipped | None]) -> Frame:
    plugin = Plugin("test", "1")
    plugin.on("*")(handler)
    return Conversation(plugin).event("build_finished")


def raising(error: BaseException) -> Callable[[AnyEvent], None]:
    def handler(_event: AnyEvent) -> None:
        raise error

    return handler


def test_an_event_says_what_happened_and_how_often_it_was_sent(
    plugin: Plugin[dict[str, object]],
) -> None:
    seen: list[BuildEvent] = []

    @plugin.on("build_finished")
    def handle(event: BuildEvent) -> None:
        seen.append(event)

    Conversation(plugin).ask(
        "event", event_params("build_finished", 3, redelivered=True)
    )
    (event,) = seen
    assert event.name == "build_finished"
    assert event.id == "build_finished:4711:1767607200"
    assert event.subject == "build/4711"
    assert event.source == "https://hydra.test"
    assert event.time == "2026-01-05T10:00:00Z"
    assert (event.attempt, event.redelivered, event.timeout) == (3, True, 30.0)
    assert event.data.drv_path == sample("build_finished")["drvPath"]
    assert event.data is event.data
    assert not event.cancelled
    assert json.loads(event.cloudevent) == event_params("build_finished")["event"]


def test_the_context_is_the_second_parameter_of_those_who_want_it(
    plugin: Plugin[dict[str, object]],
) -> None:
    seen: list[Context[dict[str, object]]] = []

    @plugin.on("eval_*")
    def handle(event: EvalEvent, context: Context[dict[str, object]]) -> None:
        assert event.data.project_info.owner
        seen.append(context)

    assert Conversation(plugin).event("eval_failed")["result"] == {}
    (context,) = seen
    assert context.config == {"url": "x"}
    assert context.secrets["token"] == "s3cret"
    assert context.state_dir == Path("/state")
    assert (context.instance, context.base_url) == ("test", "https://hydra.test")
    assert context.log.name == "test"
    assert "s3cret" not in f"{context} {context!r}"


def test_an_exact_name_wins_over_a_pattern_and_the_first_pattern_over_the_next(
    plugin: Plugin[dict[str, object]],
) -> None:
    def skip_as(note: str) -> Callable[[AnyEvent], Skipped]:
        return lambda _event: Skipped(note)

    plugin.on("build_*", "cached_build_queued")(skip_as("pattern"))
    plugin.on("*")(skip_as("rest"))
    plugin.on("build_finished", "eval_added")(skip_as("exact"))
    talk = Conversation(plugin)
    result = talk.hello["result"]
    assert isinstance(result, dict)
    assert result["events"] == [
        "build_*",
        "cached_build_queued",
        "*",
        "build_finished",
        "eval_added",
    ]
    for name, note in {
        "build_finished": "exact",
        "build_queued": "pattern",
        "cached_build_queued": "pattern",
        "step_finished": "rest",
        "eval_added": "exact",
    }.items():
        assert talk.event(name)["result"] == {"status": "skipped", "note": note}


def test_an_event_without_a_handler_is_skipped(
    plugin: Plugin[dict[str, object]],
) -> None:
    plugin.on("build_finished")(lambda _event: None)
    params = event_params("build_queued")
    answer = Conversation(plugin).ask("event", {**params, "name": "build_frozen"})
    assert answer["result"] == {
        "status": "skipped",
        "note": "no handler for build_frozen",
    }


def test_an_event_that_is_newer_than_the_sdk_is_skipped_when_its_data_is_not_known(
    plugin: Plugin[dict[str, object]],
) -> None:
    @plugin.on("*")
    def handler(event: AnyEvent) -> None:
        assert event.data.url

    talk = Conversation(plugin)
    params = event_params("build_finished")
    known = talk.ask("event", {**params, "name": "build_forgotten"})
    assert known["result"] == {}, "its data is that of a build"
    event = params["event"]
    assert isinstance(event, dict)
    params |= {"name": "jobset_changed", "event": {**event, "data": {"jobset": 7}}}
    assert talk.ask("event", params)["result"] == {
        "status": "skipped",
        "note": "this plugin's hydra-notify-sdk does not know jobset_changed",
    }


def test_a_name_that_does_not_exist_is_refused_with_those_that_do(
    plugin: Plugin[dict[str, object]],
) -> None:
    with pytest.raises(
        ValueError, match=r"did you mean 'build_finished'. .the events are: build_q"
    ):
        plugin.on("build_finish")(lambda _event: None)  # type: ignore[call-overload]


def test_a_second_handler_for_a_name_is_refused(
    plugin: Plugin[dict[str, object]],
) -> None:
    plugin.on("build_*")(lambda _event: None)
    with pytest.raises(ValueError, match="has a handler already"):
        plugin.on("build_*")(lambda _event: None)


def test_a_handler_with_three_parameters_is_refused(
    plugin: Plugin[dict[str, object]],
) -> None:
    def handler(_event: AnyEvent, _context: object, _more: object) -> None: ...

    with pytest.raises(TypeError, match="not 3 parameters"):
        plugin.on("*")(handler)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 65])
def test_a_window_that_no_host_grants_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        Plugin("x", "1", max_in_flight=size)


def test_the_manifest_says_what_the_author_said() -> None:
    plugin = Plugin(
        "m", "2", include=["evals"], max_in_flight=8, ordering="none", timeout=1.5
    )
    plugin.on("*")(lambda _event: None)
    hello = Conversation(plugin, limits={"max_frame_bytes": 9, "max_in_flight": 4})
    assert hello.hello["result"] == {
        "protocol_version": 1,
        "name": "m",
        "version": "2",
        "events": ["*"],
        "include": ["evals"],
        "max_in_flight": 4,
        "ordering": "none",
        "timeout_ms": 1500,
    }


@pytest.mark.parametrize(("most", "said"), [(1, 1), (3, 3), (99, 8), (0, 1)])
def test_a_start_hook_may_ask_for_fewer_events_at_a_time(most: int, said: int) -> None:
    plugin = Plugin("m", "2", max_in_flight=8)

    @plugin.on_start
    def start(context: Context[dict[str, object]]) -> None:
        plugin.limit_in_flight(most)

    plugin.on("build_finished")(lambda event: None)
    result = Conversation(plugin).hello["result"]
    assert isinstance(result, dict)
    assert result.get("max_in_flight", 1) == said


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Retry("why"), {"code": 500, "message": "why"}),
        (
            Retry("why", after=0.5),
            {"code": 500, "message": "why", "data": {"retry_after_ms": 500}},
        ),
        (Retry("why", code=503), {"code": 503, "message": "why"}),
        (
            Retry("why", code=404),
            {"code": 404, "message": "why", "data": {"retryable": True}},
        ),
        (Permanent("why"), {"code": 422, "message": "why"}),
        (Permanent("why", code=410), {"code": 410, "message": "why"}),
        (
            Permanent("why", code=418),
            {"code": 418, "message": "why", "data": {"retryable": False}},
        ),
        (
            Unauthorized("why", fix="how"),
            {"code": 401, "message": "why", "data": {"help": "how"}},
        ),
        (Failure("why", code=499), {"code": 499, "message": "why"}),
        (Retry("two\nlines"), {"code": 500, "message": "two lines"}),
        (KeyError("x"), {"code": 500, "message": "KeyError: 'x'"}),
        (TimeoutError(), {"code": 500, "message": "TimeoutError"}),
    ],
    ids=repr,
)
def test_what_a_handler_raises_is_the_error_it_answers(
    error: Exception, expected: Frame
) -> None:
    answer = answer_to(raising(error))
    assert answer == {"jsonrpc": "2.0", "id": "x1", "error": expected}


@pytest.mark.parametrize("window", [1, 2])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"after": float("inf")}, "ValueError: after is a number of seconds, not inf"),
        ({"after": "soon"}, "ValueError: could not convert string to float: 'soon'"),
        ({"code": "x"}, "ValueError: invalid literal for int() with base 10: 'x'"),
        ({"fix": None}, "why"),
    ],
    ids=["endless", "word", "code", "none"],
)
def test_a_failure_made_of_nonsense_is_still_an_answer(
    options: dict[str, Any], message: str, window: int
) -> None:
    plugin = Plugin("test", "1", max_in_flight=window)

    @plugin.on("*")
    def handle(_event: AnyEvent) -> None:
        raise Retry("why", **options)

    outcome = drive(plugin).send("build_queued")
    assert (outcome.code, outcome.message, outcome.fix) == (500, message, "")


def test_an_exception_for_a_message_or_a_note_is_taken_by_its_words() -> None:
    problem: Any = OSError("no route to host")
    error = answer_to(raising(Retry(problem)))["error"]
    assert error == {"code": 500, "message": "no route to host"}
    result = answer_to(lambda _event: Skipped(problem))["result"]
    assert result == {"status": "skipped", "note": "no route to host"}


class Broken(Failure):
    """A failure that cannot be told."""

    def __init__(self) -> None:
        super().__init__("why", code=500)
        del self.message


def test_a_failure_that_cannot_be_told_is_still_an_answer() -> None:
    error = answer_to(raising(Broken()))["error"]
    assert isinstance(error, dict)
    assert error["message"].startswith("AttributeError: ")


def test_an_exit_in_a_handler_is_an_exit_and_no_answer() -> None:
    with pytest.raises(SystemExit):
        answer_to(raising(SystemExit(78)))


def test_an_answer_that_means_nothing_is_an_error_not_a_delivery() -> None:
    """`return False` was hardly meant as a success."""
    answer = answer_to(lambda _event: False)  # type: ignore[arg-type, return-value]
    assert answer["error"] == {
        "code": 500,
        "message": "TypeError: the handler returned False, not None or Skipped",
    }


def test_data_of_another_shape_fails_where_it_is_asked_for(
    plugin: Plugin[dict[str, object]],
) -> None:
    """A forwarder, which never asks, goes on working."""

    @plugin.on("build_finished")
    def ask(event: BuildEvent) -> None:
        assert event.data.build

    @plugin.on("build_queued")
    def forward(event: BuildEvent) -> None:
        assert event.cloudevent

    talk = Conversation(plugin)
    assert talk.ask("event", with_bad_data("build_queued"))["result"] == {}
    assert talk.ask("event", with_bad_data("build_finished"))["error"] == {
        "code": -32602,
        "message": (
            "event.data of build_finished: Expected `int`, got `str` - at `$.build`"
        ),
    }


def with_bad_data(name: str) -> Frame:
    params = event_params(name)
    event = params["event"]
    assert isinstance(event, dict)
    event["data"] = {"build": "no number"}
    return params
