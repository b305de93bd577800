"""Behind pgbouncer: where it pools transactions LISTEN is lost, so the host polls.

A session lock taken there would stay with the pooler's backend for ever.
"""

import logging
from collections.abc import Iterator

import pytest
import trio
from tests.ear import Ear, listening, until
from tests.end_to_end.stage import Stage
from tests.faults.pooler import Pooler, pooler

from hydra_notify import election
from hydra_notify.database import Connection, Database, connect
from hydra_notify.demo.server.postgres import Server
from hydra_notify.events import Notification
from hydra_notify.listener import Timing
from hydra_notify.metrics import Role

HASTY = Timing(ping=0.1, deadline=0.5, retry=0.05, silence=0.5, poll=0.1, relisten=0.3)


@pytest.fixture
def transactions(tcp_server: Server) -> Iterator[Pooler]:
    with pooler(tcp_server, "transaction") as running:
        yield running


@pytest.fixture
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hydra_notify.listener.listener.TIMING", HASTY)


@pytest.mark.usefixtures("haste")
async def test_where_listen_is_lost_the_host_says_so_and_polls(
    tcp_stage: Stage, transactions: Pooler, caplog: pytest.LogCaptureFixture
) -> None:
    stage = tcp_stage
    stage.url = transactions.url(stage.watcher.info.dbname)
    stage.puppet("one")
    counts = await stage.start_inside(sweep_interval=600)
    await until(lambda: counts.polling)
    for _ in range(3):
        build, (event,) = await stage.one_build("one")
        await event.succeed()
        await stage.cleared(build)
    assert counts.role is Role.ACTIVE
    assert counts.connects == 0
    assert not election.host_is_active(stage.watcher)
    # LISTEN was tried several times meanwhile.
    said = [r for r in caplog.records if "direct connection" in r.getMessage()]
    assert len(said) == 1


async def test_listen_is_taken_up_when_it_works_again(
    tcp_stage: Stage, tcp_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    name = tcp_stage.watcher.info.dbname
    with pooler(tcp_server, "transaction") as running:
        ear = Ear(running.url(name))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ear.run, HASTY)
            await until(lambda: ear.counts.polling)
            assert ear.listener.elected.is_set()
            await ear.until_connected(3)
            running.change("session")
            await until(lambda: not ear.counts.polling)
            await until(lambda: election.host_is_active(tcp_stage.watcher))
            assert "LISTEN works again" in caplog.text
            tcp_stage.watcher.execute("notify build_finished, '1'")
            await ear.until_heard(1)
            nursery.cancel_scope.cancel()


async def test_a_host_that_polled_gives_way_to_one_that_listens(
    tcp_stage: Stage, tcp_server: Server
) -> None:
    name = tcp_stage.watcher.info.dbname
    with pooler(tcp_server, "transaction") as running:
        ear = Ear(running.url(name))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ear.run, HASTY)
            await until(lambda: ear.counts.polling)
            async with listening(tcp_server.url(name)):
                running.change("session")
                await until(lambda: ear.deposed)


async def test_a_pooler_of_sessions_is_as_good_as_none(
    tcp_stage: Stage, tcp_server: Server
) -> None:
    with pooler(tcp_server, "session") as running:
        async with listening(running.url(tcp_stage.watcher.info.dbname), HASTY) as ear:
            tcp_stage.watcher.execute("notify build_finished, '1'")
            await ear.until_heard(1)
            assert ear.heard == [Notification("build_finished", "1")]
            assert election.host_is_active(tcp_stage.watcher)
            assert not ear.counts.polling


async def test_statements_are_not_prepared_where_the_next_backend_does_not_know_them(
    tcp_stage: Stage, transactions: Pooler
) -> None:
    database = Database(transactions.url(tcp_stage.watcher.info.dbname))
    prepared = "select count(*) from pg_prepared_statements"

    def count(connection: Connection) -> tuple[int, ...] | None:
        for _ in range(10):
            connection.execute("select id from builds where id = %s", (1,))
        return connection.execute(prepared).fetchone()

    assert await database.run(count) == (0,)
    await database.close()
    direct = Database(tcp_stage.url)
    assert await direct.run(count) != (0,)
    await direct.close()


async def test_a_ping_of_ones_own_comes_back_although_listen_is_lost(
    tcp_stage: Stage, transactions: Pooler
) -> None:
    """Why the proof comes from elsewhere."""
    url = transactions.url(tcp_stage.watcher.info.dbname)
    with connect(url) as connection, connect(url) as other:
        connection.execute("listen ping")
        connection.execute("notify ping, 'own'")
        own = [n.payload for n in connection.notifies(timeout=0)]
        other.execute("notify ping, 'from elsewhere'")
        assert own == ["own"]
        assert list(connection.notifies(timeout=0.2)) == []
