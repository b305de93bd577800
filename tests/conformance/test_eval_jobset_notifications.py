"""Hydra: t/scripts/hydra-eval-jobset/notifications.t.

What an evaluator sends, and in which order: the simulated one, heard by the host's own
listener. (It does not send `builds_added`, which is for the queue runner.)
"""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
from tests.conformance.upstream import parsed
from tests.ear import Ear, listening

from hydra_notify.demo.simulation.evaluator import (
    evaluate,
    evaluate_unchanged,
    fail_evaluation,
)
from hydra_notify.demo.simulation.hydra import Hydra
from hydra_notify.demo.simulation.queue_runner import finish_build
from hydra_notify.events import BuildEvent, CachedBuildEvent, EvalEvent, Event


@pytest.fixture
async def ear(database_url: str) -> AsyncIterator[Ear]:
    async with listening(database_url) as ear:
        yield ear


async def heard(ear: Ear, count: int) -> list[Event]:
    """The events that have come; there are so many."""
    await ear.until_heard(count)
    events = [parsed(each.channel, each.payload) for each in ear.heard]
    ear.heard.clear()
    return events


def trace_of(event: Event) -> str:
    assert isinstance(event, EvalEvent)
    return event.trace


async def test_evaluations_are_announced_as_hydra_does(ear: Ear, hydra: Hydra) -> None:
    jobset = hydra.jobset("nixpkgs:trunk")

    first = evaluate(hydra, jobset, range(4))
    started, *queued, added = await heard(ear, 6)
    trace = trace_of(started)
    assert started == EvalEvent("eval_started", trace, jobset.id)
    assert queued == [BuildEvent("build_queued", each) for each in first.builds]
    assert added == EvalEvent("eval_added", trace, jobset.id, first.id)

    evaluate_unchanged(hydra, jobset, first.id)
    started, cached = await heard(ear, 2)
    trace = trace_of(started)
    assert started == EvalEvent("eval_started", trace, jobset.id)
    assert cached == EvalEvent("eval_cached", trace, jobset.id, first.id)

    _, one, two, waiting = first.builds
    finish_build(hydra, one)
    finish_build(hydra, two)
    await heard(ear, 2)
    changed = evaluate(hydra, jobset, [0])
    started, *between, added = await heard(ear, 6)
    assert Counter(between) == Counter(
        [
            BuildEvent("build_queued", changed.builds[0]),
            CachedBuildEvent("cached_build_finished", changed.id, one),
            CachedBuildEvent("cached_build_finished", changed.id, two),
            CachedBuildEvent("cached_build_queued", changed.id, waiting),
        ]
    )
    assert added == EvalEvent("eval_added", trace_of(started), jobset.id, changed.id)

    fail_evaluation(hydra, jobset, "error: syntax error")
    started, failed = await heard(ear, 2)
    trace = trace_of(started)
    assert started == EvalEvent("eval_started", trace, jobset.id)
    assert failed == EvalEvent("eval_failed", trace, jobset.id)
