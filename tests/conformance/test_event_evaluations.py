"""Hydra: t/Hydra/Event/EvalStarted.t, EvalCached.t, EvalAdded.t and EvalFailed.t.

Both forms of the last two: without the flag (until August 2026), and with it.
"""

import pytest
from tests.conformance.upstream import interested, parsed, refused
from tests.event_samples import NO_PARTS, eval_data
from tests.hydra_rows import TRUNK, insert_eval, loaded

from hydra_notify.database import Connection
from hydra_notify.events import EvalEvent
from hydra_notify_sdk.wire import Channel

STARTED = "these are needed: trace, jobset"
CACHED = "these are needed: trace, jobset, evaluation"
ADDED = "these are needed: trace, jobset, evaluation, error changed"
FAILED = "these are needed: trace, jobset, error changed"
NO_JOBSET = "jobset is not an integer: 'abc123'"
NO_EVALUATION = "evaluation is not an integer: 'abc123'"


@pytest.mark.parametrize(
    ("channel", "payload", "why"),
    [
        ("eval_started", "", f"0 fields where {STARTED}"),
        ("eval_started", "abc123", f"1 fields where {STARTED}"),
        ("eval_started", "abc123\t1\t2", f"3 fields where {STARTED}"),
        ("eval_started", "abc123\tabc123", NO_JOBSET),
        ("eval_cached", "", f"0 fields where {CACHED}"),
        ("eval_cached", "abc123", f"1 fields where {CACHED}"),
        ("eval_cached", "abc123\t1", f"2 fields where {CACHED}"),
        ("eval_cached", "abc123\t1\t2\t3", f"4 fields where {CACHED}"),
        ("eval_cached", "abc123\tabc123\t123", NO_JOBSET),
        ("eval_cached", "abc123\t123\tabc123", NO_EVALUATION),
        ("eval_added", "", f"0 fields where {ADDED}"),
        ("eval_added", "abc123", f"1 fields where {ADDED}"),
        ("eval_added", "abc123\t1", f"2 fields where {ADDED}"),
        ("eval_added", "abc123\t1\t2\t1\t1", f"5 fields where {ADDED}"),
        ("eval_added", "abc123\tabc123\t123", NO_JOBSET),
        ("eval_added", "abc123\t123\tabc123", NO_EVALUATION),
        ("eval_added", "abc123\t123\t456\tabc123", "error changed is neither 0 nor 1"),
        ("eval_added", "abc123\t123\t456\t2", "error changed is neither 0 nor 1"),
        ("eval_failed", "", f"0 fields where {FAILED}"),
        ("eval_failed", "abc123", f"1 fields where {FAILED}"),
        ("eval_failed", "abc123\t1\t1\t1", f"4 fields where {FAILED}"),
        ("eval_failed", "abc123\tabc123", NO_JOBSET),
        ("eval_failed", "abc123\t456\tabc123", "error changed is neither 0 nor 1"),
    ],
)
def test_payloads_that_are_refused(channel: str, payload: str, why: str) -> None:
    assert refused(channel, payload).startswith(why)


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        ("abc123\t456", EvalEvent("eval_started", "abc123", 456)),
        ("abc123\t123\t456", EvalEvent("eval_cached", "abc123", 123, 456)),
        ("abc123\t123\t456\t1", EvalEvent("eval_added", "abc123", 123, 456, True)),
        ("abc123\t456\t1", EvalEvent("eval_failed", "abc123", 456, None, True)),
    ],
)
def test_payloads_that_are_taken(payload: str, event: EvalEvent) -> None:
    assert parsed(event.channel, payload) == event


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        ("abc123\t123\t456", EvalEvent("eval_added", "abc123", 123, 456)),
        ("abc123\t456", EvalEvent("eval_failed", "abc123", 456)),
    ],
)
def test_unlike_hydra_payloads_with_and_without_the_flag_are_taken(
    payload: str, event: EvalEvent
) -> None:
    """Each Hydra takes the form of its own evaluator alone, and dies of retries that it
    saved before its upgrade; this host knows no version of the evaluator."""
    assert parsed(event.channel, payload) == event


@pytest.mark.parametrize(
    "channel", ["eval_started", "eval_cached", "eval_added", "eval_failed"]
)
def test_a_plugin_without_a_hook_is_not_interested(channel: Channel) -> None:
    assert not interested(channel, "build_*", "cached_build_*", "step_finished")
    assert interested(channel, channel)


def test_the_hook_gets_trace_jobset_evaluation_and_flag(
    connection: Connection,
) -> None:
    insert_eval(connection, 456)
    for channel, payload, hook, evaluation, changed in (
        ("eval_started", f"abc123\t{TRUNK}", "evalStarted", None, None),
        ("eval_cached", f"abc123\t{TRUNK}\t456", "evalCached", 456, None),
        ("eval_added", f"abc123\t{TRUNK}\t456", "evalAdded", 456, None),
        ("eval_added", f"abc123\t{TRUNK}\t456\t1", "evalAdded", 456, True),
        ("eval_failed", f"abc123\t{TRUNK}", "evalFailed", None, None),
        ("eval_failed", f"abc123\t{TRUNK}\t0", "evalFailed", None, False),
    ):
        data = eval_data(loaded(connection, parsed(channel, payload)), NO_PARTS)
        assert (data.event, data.trace_id) == (hook, "abc123")
        assert (data.jobset_info.id, data.error_changed) == (TRUNK, changed)
        assert (data.eval.id if data.eval else None) == evaluation
