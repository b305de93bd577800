"""Hydra: t/Hydra/Event/CachedBuildFinished.t and CachedBuildQueued.t: alike."""

from typing import Literal

import pytest
from tests.conformance.upstream import interested, parsed, refused
from tests.event_samples import NO_PARTS, build_data
from tests.hydra_rows import insert_eval, insert_finished, loaded

from hydra_notify.database import Connection
from hydra_notify.demo.simulation.evaluator import evaluate
from hydra_notify.demo.simulation.hydra import Hydra
from hydra_notify.events import CachedBuildEvent

Name = Literal["cached_build_finished", "cached_build_queued"]

both = pytest.mark.parametrize(
    "channel", ["cached_build_finished", "cached_build_queued"]
)


@both
@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ("", "0 fields where these are needed: evaluation, build"),
        ("abc123", "1 fields where these are needed: evaluation, build"),
        ("1\t2\t3\t4\t5", "5 fields where these are needed: evaluation, build"),
        ("abc123\tdef456", "evaluation is not an integer: 'abc123'"),
        ("123\tabc123", "build is not an integer: 'abc123'"),
    ],
)
def test_payloads_that_are_refused(channel: Name, payload: str, why: str) -> None:
    assert refused(channel, payload) == why


@both
def test_a_payload_that_is_taken(channel: Name) -> None:
    assert parsed(channel, "123\t456") == CachedBuildEvent(channel, 123, 456)


@both
def test_a_plugin_without_a_hook_is_not_interested(channel: Name) -> None:
    assert not interested(channel, "build_*")
    assert interested(channel, channel)


def test_the_hook_gets_the_evaluation_and_the_build(connection: Connection) -> None:
    insert_finished(connection, 456)
    insert_eval(connection, 123)
    for channel, hook in (
        ("cached_build_finished", "cachedBuildFinished"),
        ("cached_build_queued", "cachedBuildQueued"),
    ):
        event = parsed(channel, "123\t456")
        data = build_data(loaded(connection, event), NO_PARTS)
        assert data.eval
        assert (data.event, data.eval.id, data.build) == (hook, 123, 456)


def test_an_evaluation_that_found_nothing_new_comes_without_inputs(
    hydra: Hydra,
) -> None:
    """Not a case of Hydra's suite: there are no rows of inputs for such a one."""
    jobset = hydra.jobset("nixpkgs:trunk")
    (build,) = evaluate(hydra, jobset, [0]).builds
    nothing_new = evaluate(hydra, jobset, [])
    event = CachedBuildEvent("cached_build_queued", nothing_new.id, build)
    data = build_data(loaded(hydra.connection, event, "evals"), frozenset({"evals"}))
    assert data.eval
    assert (data.eval.id, data.eval.has_new_builds) == (nothing_new.id, False)
    assert data.evals
    assert [each.inputs for each in data.evals] == [[]]
