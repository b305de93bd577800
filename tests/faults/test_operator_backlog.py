"""Very many flags at the start."""

import json

import pytest
from tests.end_to_end.stage import Stage

from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build
from hydra_notify.limits import LOAD_BATCH, SWEEP_PAGE

PENDING = 4_000

FLAG_ALL = """
update builds set finished = 1, buildstatus = 0, starttime = 1000, stoptime = 2000,
                  notificationpendingsince = 2000
where id = any(%s)
"""

READY = 100_000
"""Bytes ready to be sent; enough for dozens of events."""


async def test_a_backlog_is_delivered_from_the_start_and_live_events_do_not_wait_for_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra_notify.delivery.queue.READY_BYTES", READY)
    assert PENDING > 3 * SWEEP_PAGE
    pending = [b for _ in range(PENDING // 500) for b in queue_builds(stage.hydra, 500)]
    stage.watcher.execute(FLAG_ALL, (pending,))
    stage.puppet("one", manifest={"max_in_flight": 64})
    counts = await stage.start_inside(sweep_interval=1_000)
    first = await stage.event("one")
    # It has come while nearly all of the others were ids; so was the live one then.
    ahead = LOAD_BATCH + READY // len(json.dumps(first.event))
    assert counts.events["build_finished"] <= 2 * ahead
    (live,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, live)
    told = [first.data["build"]]
    await first.succeed()
    while len(told) <= PENDING:
        event = await stage.event("one")
        told.append(event.data["build"])
        await event.succeed()
    assert told.index(live) < PENDING // 2
    told.remove(live)
    assert told == pending
    await stage.all_cleared()
