"""What notifications say. The docstrings name the case of Hydra's own tests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_notify.errors import PayloadError
from hydra_notify.events import (
    BuildEvent,
    BuildFinished,
    CachedBuildEvent,
    EvalEvent,
    Event,
    Notification,
    StepFinished,
    parse,
)
from hydra_notify_sdk.wire import CHANNELS, Channel

BUILD_CHANNELS = ("build_queued", "build_started")
CACHED_CHANNELS = ("cached_build_queued", "cached_build_finished")


def parsed(channel: str, payload: str) -> Event:
    return parse(Notification(channel, payload))


def refusal(channel: str, payload: str) -> str:
    with pytest.raises(PayloadError) as caught:
        parsed(channel, payload)
    return str(caught.value)


def test_an_event_knows_its_channel_and_its_build() -> None:
    """Hydra: Event.t, `build_started` "19"."""
    event = parsed("build_started", "19")
    assert event == BuildEvent("build_started", 19)
    assert event.channel == "build_started"


@pytest.mark.parametrize("channel", ["bogus", "", "hydra_notify_dump_metrics"])
def test_a_channel_that_is_none_of_ours_is_refused_by_name(channel: str) -> None:
    """Hydra: Event.t, `bogus` ""."""
    assert refusal(channel, "") == f"no such channel: {channel!r}"


# build_finished


def test_a_build_finished_without_fields_is_refused() -> None:
    """Hydra: BuildFinished.t, ""."""
    assert "at least one build" in refusal("build_finished", "")


@pytest.mark.parametrize("payload", ["abc123", "123\tabc123", "123\t\t456", "\t123"])
def test_a_build_finished_takes_integers_only(payload: str) -> None:
    """Hydra: BuildFinished.t, "abc123" and "123 abc123"."""
    assert "not an integer" in refusal("build_finished", payload)


@pytest.mark.parametrize(
    ("payload", "dependents"),
    [
        ("123", ()),
        ("123\t456", (456,)),
        ("123\t456\t789\t012\t345", (456, 789, 12, 345)),
    ],
)
def test_a_build_finished_names_a_head_and_then_its_dependents_in_order(
    payload: str, dependents: tuple[int, ...]
) -> None:
    """Hydra: BuildFinished.t, one, two and five fields; `012` is twelve."""
    assert parsed("build_finished", payload) == BuildFinished(123, dependents)


def test_the_head_repeated_among_the_dependents_is_removed_there() -> None:
    assert parsed("build_finished", "42\t41\t42\t43") == BuildFinished(42, (41, 43))


def test_a_dependent_named_twice_counts_once() -> None:
    assert parsed("build_finished", "1\t3\t2\t3\t03") == BuildFinished(1, (3, 2))


def test_a_payload_of_the_greatest_length_is_read_whole() -> None:
    ids = tuple(range(1_000_000, 1_000_999))
    payload = "\t".join(map(str, ids))
    assert len(payload) == 7_991
    assert parsed("build_finished", payload) == BuildFinished(ids[0], ids[1:])


def test_trailing_empty_fields_do_not_count() -> None:
    """Perl's split, seen with the real daemon: "1\\t1\\t" has two fields."""
    assert parsed("build_finished", "7\t8\t\t") == BuildFinished(7, (8,))
    assert parsed("build_queued", "7\t") == BuildEvent("build_queued", 7)


# build_queued, build_started


@pytest.mark.parametrize("channel", BUILD_CHANNELS)
def test_a_build_event_has_exactly_one_field(channel: str) -> None:
    """Hydra: BuildQueued.t and BuildStarted.t, "" and "abc123 abc123"."""
    assert refusal(channel, "") == "0 fields where these are needed: build"
    assert refusal(channel, "abc123\tabc123").startswith("2 fields")


@pytest.mark.parametrize("channel", BUILD_CHANNELS)
def test_a_build_event_takes_an_integer(channel: Channel) -> None:
    """Hydra: BuildQueued.t and BuildStarted.t, "abc123" and "19"."""
    assert refusal(channel, "abc123") == "build is not an integer: 'abc123'"
    assert parsed(channel, "19") == BuildEvent(channel, 19)


# cached_build_queued, cached_build_finished


@pytest.mark.parametrize("channel", CACHED_CHANNELS)
@pytest.mark.parametrize("payload", ["", "abc123", "1\t2\t3\t4\t5"])
def test_a_cached_build_has_exactly_two_fields(channel: str, payload: str) -> None:
    """Hydra: CachedBuildFinished.t and CachedBuildQueued.t, "", one and five fields."""
    assert refusal(channel, payload).endswith("needed: evaluation, build")


@pytest.mark.parametrize("channel", CACHED_CHANNELS)
@pytest.mark.parametrize(
    ("payload", "field"),
    [("abc123\tdef456", "evaluation"), ("123\tabc123", "build")],
)
def test_a_cached_build_takes_integers_only(
    channel: str, payload: str, field: str
) -> None:
    """Hydra: CachedBuildFinished.t, "abc123 def456" and "123 abc123"."""
    assert refusal(channel, payload).startswith(f"{field} is not an integer")


@pytest.mark.parametrize("channel", CACHED_CHANNELS)
def test_a_cached_build_names_the_evaluation_and_then_the_build(channel: str) -> None:
    """Hydra: CachedBuildFinished.t, "123 456"."""
    event = parsed(channel, "123\t456")
    assert isinstance(event, CachedBuildEvent)
    assert (event.channel, event.evaluation, event.build) == (channel, 123, 456)


# Evaluations


@pytest.mark.parametrize("payload", ["", "abc123", "abc123\t1\t2"])
def test_an_eval_started_has_exactly_two_fields(payload: str) -> None:
    """Hydra: EvalStarted.t, "", one and three fields."""
    assert refusal("eval_started", payload).endswith("needed: trace, jobset")


@pytest.mark.parametrize("channel", ["eval_started", "eval_failed"])
def test_the_jobset_of_an_evaluation_is_an_integer(channel: Channel) -> None:
    """Hydra: EvalStarted.t and EvalFailed.t, "abc123 abc123" and "abc123 456"."""
    assert refusal(channel, "abc123\tabc123") == "jobset is not an integer: 'abc123'"
    event = parsed(channel, "abc123\t456")
    assert event == EvalEvent(channel, "abc123", 456)


@pytest.mark.parametrize("payload", ["", "abc123", "abc123\t1\t0\t0"])
def test_an_eval_failed_has_two_or_three_fields(payload: str) -> None:
    """Hydra: EvalFailed.t, where two fields are the older form."""
    assert "needed: trace, jobset" in refusal("eval_failed", payload)


@pytest.mark.parametrize("channel", ["eval_cached", "eval_added"])
@pytest.mark.parametrize("payload", ["", "abc123", "abc123\t1"])
def test_an_evaluation_with_a_result_has_three_fields_at_least(
    channel: str, payload: str
) -> None:
    """Hydra: EvalCached.t and EvalAdded.t, "", one and two fields."""
    assert "needed: trace, jobset, evaluation" in refusal(channel, payload)


def test_an_eval_cached_has_no_fourth_field() -> None:
    """Hydra: EvalCached.t, four fields."""
    assert refusal("eval_cached", "abc123\t1\t2\t1").startswith("4 fields")


@pytest.mark.parametrize("channel", ["eval_cached", "eval_added"])
def test_an_evaluation_with_a_result_takes_integers_only(channel: Channel) -> None:
    """Hydra: EvalCached.t and EvalAdded.t."""
    assert refusal(channel, "abc123\tabc123\t123").startswith("jobset is not")
    assert refusal(channel, "abc123\t123\tabc123").startswith("evaluation is not")
    event = parsed(channel, "abc123\t123\t456")
    assert event == EvalEvent(channel, "abc123", 123, 456)


@pytest.mark.parametrize(("flag", "changed"), [("0", False), ("1", True)])
def test_newer_hydras_say_whether_the_error_changed(flag: str, changed: bool) -> None:
    """Hydra since schema 88: EvalFailed.t and EvalAdded.t, one field more."""
    failed = parsed("eval_failed", f"abc123\t456\t{flag}")
    assert failed == EvalEvent("eval_failed", "abc123", 456, None, changed)
    added = parsed("eval_added", f"abc123\t123\t456\t{flag}")
    assert added == EvalEvent("eval_added", "abc123", 123, 456, changed)


@pytest.mark.parametrize("flag", ["abc123", "2", "01", "-1"])
def test_whether_the_error_changed_is_0_or_1(flag: str) -> None:
    """Hydra since schema 88: EvalFailed.t "abc123", EvalAdded.t "abc123" and "2"."""
    assert refusal("eval_failed", f"abc123\t456\t{flag}").startswith("error changed")
    assert refusal("eval_added", f"abc123\t1\t2\t{flag}").startswith("error changed")


def test_a_trace_is_any_text() -> None:
    event = parsed("eval_started", "88231.25.4711\t3")
    assert event == EvalEvent("eval_started", "88231.25.4711", 3)
    assert parsed("eval_started", "\t3") == EvalEvent("eval_started", "", 3)


# step_finished


@pytest.mark.parametrize("payload", ["", "abc123", "123\t456", "1\t2\t/a\t/b"])
def test_a_step_finished_has_exactly_three_fields(payload: str) -> None:
    """Hydra: StepFinished.t, "", one, two and four fields."""
    assert refusal("step_finished", payload).endswith("needed: build, step, log path")


def test_an_empty_log_path_counts_as_a_missing_field() -> None:
    """As the real daemon has it."""
    assert refusal("step_finished", "123\t456\t").startswith("2 fields")


def test_the_build_and_step_of_a_step_finished_are_integers() -> None:
    """Hydra: StepFinished.t, "abc123 123 /p" and "123 abc123 /p"."""
    assert refusal("step_finished", "abc123\t123\t/p").startswith("build is not")
    assert refusal("step_finished", "123\tabc123\t/p").startswith("step is not")


def test_a_step_finished_names_build_step_and_log() -> None:
    """Hydra: StepFinished.t, "123 456 /path/to/logfile"."""
    event = parsed("step_finished", "123\t456\t/path/to/logfile")
    assert event == StepFinished(123, 456, "/path/to/logfile")


def test_a_dash_is_no_log() -> None:
    assert parsed("step_finished", "123\t456\t-") == StepFinished(123, 456, None)


# Numbers


@pytest.mark.parametrize(
    "text", ["-1", "+1", " 1", "1 ", "1_000", "1.0", "0x1", "١٢٣", "²", "1\n", "\x001"]
)
def test_an_integer_is_ascii_digits_and_nothing_else(text: str) -> None:
    assert "not an integer" in refusal("build_queued", text)


@pytest.mark.parametrize("text", ["2147483648", "9" * 7_900])
def test_an_id_that_no_build_can_have_is_refused(text: str) -> None:
    assert refusal("build_queued", text).startswith("build is larger than any id")


def test_the_largest_id_is_read_however_many_zeros_lead_it() -> None:
    event = parsed("build_queued", "0" * 5_000 + "2147483647")
    assert event == BuildEvent("build_queued", 2**31 - 1)


def test_an_error_quotes_no_more_than_the_beginning() -> None:
    assert len(refusal("build_queued", "x" * 7_900)) < 100


field = st.one_of(st.text(), st.integers().map(str), st.sampled_from(["-", "0", "1"]))


@given(
    channel=st.one_of(st.sampled_from(CHANNELS), st.text()),
    payload=st.one_of(st.text(), st.lists(field).map("\t".join)),
)
def test_any_text_is_an_event_or_refused(channel: str, payload: str) -> None:
    try:
        event = parsed(channel, payload)
    except PayloadError:
        return
    assert event.channel == channel


@given(head=st.integers(0, 2**31 - 1), rest=st.lists(st.integers(0, 2**31 - 1)))
def test_no_dependent_is_lost_added_or_repeated(head: int, rest: list[int]) -> None:
    event = parsed("build_finished", "\t".join(map(str, [head, *rest])))
    assert isinstance(event, BuildFinished)
    assert {event.build, *event.dependents} == {head, *rest}
    assert len({event.build, *event.dependents}) == 1 + len(event.dependents)
