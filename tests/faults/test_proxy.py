"""The faulty wire itself: what it does to bytes is what it says."""

from collections.abc import AsyncGenerator

import pytest
import trio
import trio.testing
from tests.faults.proxy import Direction, Proxy, proxied

from hydra_notify.database import Connection, connect, in_thread
from hydra_notify.demo.server.postgres import Server
from hydra_notify.errors import DatabaseLost

PATIENCE = 20.0


@pytest.fixture
async def proxy(tcp_server: Server) -> AsyncGenerator[Proxy]:
    async with proxied(tcp_server) as proxy:
        yield proxy


def one(connection: Connection) -> int:
    row = connection.execute("select 1 as a_marker, 2 as second").fetchone()
    assert row is not None
    return int(row[0])


async def opened(proxy: Proxy) -> Connection:
    url = proxy.url("postgres")
    return await trio.to_thread.run_sync(connect, url)


async def ask(connection: Connection) -> int:
    with trio.fail_after(PATIENCE):
        _, answer = await in_thread("", connection, one)
        return answer


async def test_in_good_weather_everything_comes_through(proxy: Proxy) -> None:
    connection = await opened(proxy)
    text = "x" * 1_000_000

    def echo(connection: Connection) -> str:
        row = connection.execute("select %s::text", (text,)).fetchone()
        assert row is not None
        return str(row[0])

    _, echoed = await in_thread("", connection, echo)
    assert echoed == text
    connection.close()


async def test_a_black_hole_answers_nothing_and_never_recovers(proxy: Proxy) -> None:
    old = await opened(proxy)
    proxy.blackhole()
    with trio.move_on_after(0.3) as scope:
        await ask(old)
    assert scope.cancelled_caught
    proxy.normal()
    new = await opened(proxy)
    assert await ask(new) == 1
    new.close()


async def test_a_black_hole_does_not_even_tell_the_end(
    proxy: Proxy, tcp_server: Server
) -> None:
    old = await opened(proxy)
    pid = old.info.backend_pid
    proxy.blackhole()
    old.close()
    with connect(tcp_server.url()) as watcher:
        query = "select from pg_stat_activity where pid = %s"
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert watcher.execute(query, (pid,)).fetchone() is not None


async def test_a_reset_ends_the_links_there_are(proxy: Proxy) -> None:
    old = await opened(proxy)
    proxy.reset()
    with pytest.raises(DatabaseLost):
        await ask(old)
    new = await opened(proxy)
    assert await ask(new) == 1
    new.close()


async def test_who_connects_to_a_server_that_refuses_is_told_so(proxy: Proxy) -> None:
    proxy.refuse()
    with pytest.raises(DatabaseLost):
        await opened(proxy)


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("after", [0, 1, 7, 20])
async def test_a_link_is_cut_after_so_many_bytes_of_what_is_marked(
    proxy: Proxy, direction: Direction, after: int
) -> None:
    other, cut = await opened(proxy), await opened(proxy)
    proxy.cut(direction, after, b"a_marker")
    with pytest.raises(DatabaseLost):
        await ask(cut)
    assert proxy.cut_short.is_set()
    assert await ask(other) == 1
    other.close()


async def test_latency_and_a_low_rate_lose_nothing(proxy: Proxy) -> None:
    connection = await opened(proxy)
    proxy.latency(0.01, jitter=0.02)
    assert await ask(connection) == 1
    proxy.slow(2_000)
    assert await ask(connection) == 1
    connection.close()


def test_one_seed_brings_the_same_faults(tcp_server: Server) -> None:
    first, second = Proxy(tcp_server, seed=7), Proxy(tcp_server, seed=7)
    faults = [first.worsen() for _ in range(50)]
    assert [second.worsen() for _ in range(50)] == faults
    assert len(set(faults)) == 6
