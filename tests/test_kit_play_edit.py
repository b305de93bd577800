"""Sample events, edited by path as `--set` says it, and lines that ask for them."""

import json
from typing import Any

import msgspec
import pytest

from hydra_notify.errors import HydraNotifyError
from hydra_notify.kit.play.sample_event import sample_event, sending_of
from hydra_notify.kit.play.typed import Command, command_in
from hydra_notify.outcomes import DELIVERED, Retry
from hydra_notify_sdk.wire import CHANNELS, BuildEventData


def sample(event: str, *words: str, parts: tuple[str, ...] = ()) -> Any:
    """The parameters of an edited sample."""
    return sample_event(event, words, parts=parts)


def test_a_value_is_json_or_else_text() -> None:
    words = ("job=hello", "dependentIds=[1,2]", "jobsetInfo.name=x", "size=null")
    data = sample("build_finished", *words)["event"]["data"]
    assert (data["job"], data["dependentIds"]) == ("hello", [1, 2])
    assert (data["jobsetInfo"]["name"], data["size"]) == ("x", None)
    assert data["jobsetInfo"]["project"] == "nixpkgs"


@pytest.mark.parametrize("word", ["timed_out", "timed out", "7"])
def test_a_status_may_be_a_word_and_is_part_of_the_id(word: str) -> None:
    event = sample("build_finished", f"buildStatus={word}")["event"]
    assert event["data"]["buildStatus"] == 7
    assert event["id"].endswith(":7")


def test_another_build_is_another_one_throughout() -> None:
    event = sample("build_finished", "build=9")["event"]
    assert event["subject"] == "build/9"
    assert event["data"]["url"].endswith("/build/9")


def test_the_delivery_and_the_envelope_have_paths_too() -> None:
    words = ("delivery.attempt=2", "delivery.redelivered=true", "event.id=mine")
    params = sample("build_finished", *words, "event=otherEvent")
    assert params["event"]["id"] == "mine"
    assert params["event"]["data"]["event"] == "otherEvent"
    sending = sending_of(params)
    assert (sending.attempt, sending.redelivered) == (2, True)


def test_a_place_in_a_list_is_a_number() -> None:
    data = sample("build_finished", "outputs.0.path=null")["event"]["data"]
    assert data["outputs"] == [{"name": "out", "path": None}]


def test_heavy_parts_come_when_they_are_included_or_changed() -> None:
    def evals(*words: str, parts: tuple[str, ...] = ()) -> Any:
        data = sample("build_finished", *words, parts=parts)["event"]["data"]
        msgspec.convert(data, BuildEventData)
        return data.get("evals")

    assert evals() is None
    (included,) = evals(parts=("evals",))
    (changed,) = evals("evals.0.id=5")
    assert changed == {**included, "id": 5}


@pytest.mark.parametrize("event", CHANNELS)
def test_another_number_is_another_event_of_every_kind(event: str) -> None:
    ids = {sample_event(event, (), number=n)["event"]["id"] for n in range(3)}  # type: ignore[index]
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("event", "word", "says"),
    [
        ("build_finish", "", "did you mean build_finished?"),
        ("build_finished", "buildstatus=1", "did you mean buildStatus?"),
        ("build_finished", "jobsetInfo.nam=1", "jobsetInfo has no nam; did you mean"),
        ("build_finished", "outputs.1.path=x", "outputs has no 1; known are 0"),
        ("build_finished", "job.name=x", "set it as a whole: job=VALUE"),
        ("build_finished", "buildStatus=fialed", "did you mean failed?"),
        ("build_finished", "buildStatus", "write PATH=VALUE"),
        ("build_finished", "=1", "write PATH=VALUE"),
        ("build_finished", "delivery.attempt=zero", "attempt is a number from 1"),
        ("build_finished", "delivery=1", "attempt is a number from 1"),
        ("build_finished", "delivery.timeout_ms=1", "the plugin's manifest says it"),
        ("build_finished", 'job="\\ud800"', "is no value for JSON"),
        ("eval_added", "buildStatus=1", "the sample has no buildStatus"),
    ],
)
def test_what_leads_nowhere_is_an_error_with_a_fix(
    event: str, word: str, says: str
) -> None:
    with pytest.raises(HydraNotifyError) as caught:
        sample(event, *([word] if word else []))
    assert says in str(caught.value)


def test_a_sending_goes_on_as_the_daemon_would_mark_it() -> None:
    sending = sending_of(sample("build_finished"))
    sending.settle(Retry("not yet"))
    asked_for = sending.again()
    assert (asked_for.attempt, asked_for.redelivered) == (2, False)
    asked_for.settle(Retry("no answer in time", unanswered=True))
    unanswered = asked_for.again()
    assert (unanswered.attempt, unanswered.redelivered) == (3, True)
    unanswered.settle(DELIVERED)
    assert unanswered.again().redelivered
    assert json.loads(unanswered.payload)["type"] == "hydra.build_finished"


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("", None),
        ("# nothing", None),
        ("again", Command("again")),
        ("reload", Command("restart")),
        (
            "build_finished buildStatus=0 'job=a b'",
            Command("send", "build_finished", ("buildStatus=0", "job=a b")),
        ),
    ],
)
def test_a_line_is_an_event_or_a_command(line: str, command: Command | None) -> None:
    assert command_in(line) == command


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("agian", "did you mean again?"),
        ("xyzzy", "type help"),
        ("quit now", "quit stands alone"),
        ("build_finished 'job=x", "close the quotes"),
    ],
)
def test_a_line_that_asks_for_nothing_is_an_error_with_a_fix(
    line: str, says: str
) -> None:
    with pytest.raises(HydraNotifyError, match=says.replace("?", r"\?")):
        command_in(line)
