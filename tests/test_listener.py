"""LISTEN on a real server: nothing that arrives is missed, a dead link is noticed."""

from collections.abc import Iterable

import pytest
import trio
import trio.testing
from tests.ear import listening

from hydra_notify.database import Connection, connect
from hydra_notify.events import Notification
from hydra_notify.listener import Timing


@pytest.fixture
def hydra_side(database_url: str) -> Iterable[Connection]:
    with connect(database_url, application_name="hydra") as connection:
        yield connection


def notify(connection: Connection, payload: str) -> None:
    connection.execute("select pg_notify('build_finished', %s)", (payload,))


@pytest.mark.parametrize("gap", [0, 2, 4, 6, 8, 10, 12])
async def test_the_second_of_two_notifications_is_heard_though_silence_follows(
    database_url: str, hydra_side: Connection, gap: int
) -> None:
    """The Perl daemon lost up to 60 of 100 at 8 ms, in the reply of its own query."""
    # With pings as its own queries, all the time.
    async with listening(database_url, timing=Timing(ping=0.001)) as ear:
        for pair in range(10):
            notify(hydra_side, f"{pair}1")
            await trio.sleep(gap / 1000)
            notify(hydra_side, f"{pair}2")
            await ear.until_heard(2 * pair + 2)


async def test_a_burst_of_one_transaction_is_heard_in_order(
    database_url: str, hydra_side: Connection
) -> None:
    async with listening(database_url) as ear:
        hydra_side.execute(
            "select pg_notify('build_finished', n::text)"
            " from generate_series(1, 20000) n"
        )
        await ear.until_heard(20_000)
        assert [int(n.payload) for n in ear.heard] == list(range(1, 20_001))


async def test_the_largest_payload_is_heard(
    database_url: str, hydra_side: Connection
) -> None:
    async with listening(database_url) as ear:
        notify(hydra_side, "x" * 7_999)
        await ear.until_heard(1)
        assert ear.heard == [Notification("build_finished", "x" * 7_999)]


async def test_the_listeners_own_pings_are_nobodys_business(
    database_url: str, hydra_side: Connection
) -> None:
    async with listening(database_url, timing=Timing(ping=0.001)) as ear:
        notify(hydra_side, "1")
        await ear.until_heard(1)
        assert [n.channel for n in ear.heard] == ["build_finished"]


async def test_a_terminated_connection_is_replaced_and_listens_again(
    database_url: str, hydra_side: Connection
) -> None:
    async with listening(database_url) as ear:
        hydra_side.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'hydra-notify'"
            " and datname = current_database()"
        )
        await ear.until_connected(2)
        notify(hydra_side, "1")
        await ear.until_heard(1)
