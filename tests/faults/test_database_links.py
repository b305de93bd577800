"""The link to Postgres: reset, black-holed, slow, cut at any byte of a statement.

The other faults of a database: what a server refuses is in `test_database_refusals`,
what others do in Hydra's tables in `test_database_locks`, poolers in
`test_database_pooler`, a server that restarts in `end_to_end/test_server`, schemas that
are too old or too new in `end_to_end/test_recovery` and `test_builds_schema`, and what
becomes of two hosts in `test_listener_pairs`.
"""

import logging
from collections.abc import AsyncGenerator
from functools import partial
from itertools import count

import pytest
import trio
from tests.ear import until
from tests.end_to_end.stage import Stage
from tests.faults.proxy import Direction, Proxy
from tests.faults.wired import wired_stage
from tests.hydra_rows import insert_finished

from hydra_notify import builds, election
from hydra_notify.database import Database
from hydra_notify.demo.server.postgres import Server
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build
from hydra_notify.errors import DatabaseLost
from hydra_notify.listener import Timing

NO_SWEEP = 600.0
"""Seconds: whatever is delivered was announced, or found at a connect."""


@pytest.fixture
async def wired(tcp_server: Server) -> AsyncGenerator[tuple[Stage, Proxy]]:
    async with wired_stage(tcp_server) as stage_and_proxy:
        yield stage_and_proxy


@pytest.fixture
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dead links are found in half a second; nobody takes over for silence."""
    timing = Timing(ping=0.2, deadline=0.4, retry=0.1, silence=600)
    monkeypatch.setattr("hydra_notify.listener.listener.TIMING", timing)
    monkeypatch.setattr("hydra_notify.database.threads.STATEMENT_DEADLINE", 0.5)
    monkeypatch.setattr("hydra_notify.database.threads.CONNECT_TIMEOUT", 0.5)


async def test_links_that_are_reset_cost_nothing(wired: tuple[Stage, Proxy]) -> None:
    stage, proxy = wired
    stage.puppet("one")
    counts = await stage.start_inside(sweep_interval=NO_SWEEP)
    first, (event,) = await stage.one_build("one")
    proxy.reset()
    # Announced while nobody listens.
    (second,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, second)
    await event.succeed()
    await (await stage.event("one")).succeed()
    await stage.cleared(first, second)
    assert counts.connects == 2
    assert stage.events_waiting("one") == []


async def test_a_server_that_refuses_for_a_while_is_waited_for(
    wired: tuple[Stage, Proxy], caplog: pytest.LogCaptureFixture
) -> None:
    stage, proxy = wired
    stage.puppet("one")
    counts = await stage.start_inside(sweep_interval=NO_SWEEP)
    first, (event,) = await stage.one_build("one")
    proxy.refuse()
    await event.succeed()
    await until(lambda: counts.database_errors >= 2)
    await until(lambda: "not listening, trying again" in caplog.text)
    proxy.normal()
    await stage.cleared(first)
    await until(lambda: counts.connects == 2)
    assert stage.events_waiting("one") == []


@pytest.mark.usefixtures("haste")
async def test_a_link_that_swallows_everything_is_replaced_and_nothing_is_lost(
    wired: tuple[Stage, Proxy], caplog: pytest.LogCaptureFixture
) -> None:
    stage, proxy = wired
    stage.puppet("one", manifest={"max_in_flight": 4})
    counts = await stage.start_inside(sweep_interval=NO_SWEEP)
    first, (event,) = await stage.one_build("one")
    old = election.holder(stage.watcher)
    proxy.blackhole()
    await event.succeed()
    (second,) = queue_builds(stage.hydra)
    finish_build(stage.hydra, second)
    await until(lambda: "not listening" in caplog.text)
    proxy.normal()
    await (await stage.event("one")).succeed()
    await stage.cleared(first, second)
    # Its own old session, of which the server knows no end, held the lock.
    assert election.holder(stage.watcher) not in {old, None}
    assert counts.connects == 2
    assert stage.events_waiting("one") == []


async def test_work_on_a_link_that_swallows_everything_is_given_up(
    wired: tuple[Stage, Proxy], haste: None
) -> None:
    stage, proxy = wired
    database = Database(stage.url)
    assert await database.run(builds.schema_version)
    proxy.blackhole()
    # At work, then while it connects.
    for _ in range(2):
        with trio.fail_after(20), pytest.raises(DatabaseLost, match="deadline"):
            await database.run(builds.schema_version)
    proxy.normal()
    assert await database.run(builds.schema_version)
    await database.close()


async def test_a_slow_link_is_kept_and_statements_do_not_pile_up(
    wired: tuple[Stage, Proxy],
) -> None:
    stage, proxy = wired
    stage.puppet("one", manifest={"max_in_flight": 64})
    counts = await stage.start_inside(sweep_interval=NO_SWEEP)
    first, (event,) = await stage.one_build("one")
    proxy.latency(0.03, jitter=0.02)
    await event.succeed()
    others = queue_builds(stage.hydra, 40)
    for build in others:
        finish_build(stage.hydra, build)
    for _ in others:
        await (await stage.event("one")).succeed()
    await stage.cleared(first, *others)
    # While one batch is on its way, the next gathers.
    assert counts.clear_batches < 20
    assert counts.load_batches < 20
    assert (counts.connects, counts.database_errors) == (1, 0)


async def test_a_trickle_of_bytes_is_enough(wired: tuple[Stage, Proxy]) -> None:
    stage, proxy = wired
    stage.puppet("one")
    counts = await stage.start_inside(sweep_interval=NO_SWEEP)
    proxy.slow(20_000)
    build, (event,) = await stage.one_build("one")
    await event.succeed()
    await stage.cleared(build)
    assert (counts.connects, counts.database_errors) == (1, 0)


@pytest.mark.parametrize(
    ("direction", "step"), [(Direction.TO_SERVER, 61), (Direction.TO_CLIENT, 4)]
)
async def test_a_clear_that_is_cut_anywhere_leaves_a_flag_that_can_be_cleared_again(
    wired: tuple[Stage, Proxy], direction: Direction, step: int
) -> None:
    stage, proxy = wired
    database = Database(stage.url)
    insert_finished(stage.watcher, 7)
    outcomes: list[set[int]] = []
    for after in count(0, step):
        stage.watcher.execute("update builds set notificationpendingsince = 1")
        (flag,) = builds.pending_page(stage.watcher, 0, 10)
        clear = partial(builds.clear, flags=[flag])
        proxy.cut(direction, after, b"with seen as")
        try:
            await database.run(clear)
        except DatabaseLost:
            assert proxy.cut_short.is_set()
        else:
            # There are no more bytes to cut at.
            break
        # Whether it was committed is unknown, and need not be known.
        outcomes.append(await database.run(clear))
        states = await database.run(partial(builds.read_flags, builds=[7]))
        assert states[7] is builds.NoFlag.GONE
    assert len(outcomes) > 10
    # Cut on the way there, it was not committed but for the end of it; on the way back,
    # it was.
    assert outcomes[0] == ({7} if direction is Direction.TO_SERVER else set())
    assert set(map(frozenset, outcomes)) <= {frozenset(), frozenset({7})}
    await database.close()


@pytest.mark.parametrize("after", [0, 40])
async def test_a_commit_of_unknown_outcome_is_no_reason_to_deliver_again(
    wired: tuple[Stage, Proxy], after: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    stage, proxy = wired
    stage.puppet("one")
    counts = await stage.start_inside(sweep_interval=0.2)
    build, (event,) = await stage.one_build("one")
    proxy.cut(Direction.TO_CLIENT, after, b"with seen as")
    await event.succeed()
    await stage.cleared(build)
    await until(lambda: counts.clear_batches == 1)
    assert counts.database_errors == 1
    second, (event,) = await stage.one_build("one")
    assert event.data["build"] == second
    await event.succeed()
    await stage.cleared(second)
    assert counts.events["build_finished"] == 2
