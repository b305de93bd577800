"""Answers without an end, and many clients at once."""

from contextlib import AsyncExitStack

import h11
import pytest
import trio
import trio.testing
from tests.http_asking import (
    PATIENCE,
    Address,
    ask,
    connected,
)
from tests.http_pages import Pages, one, served

from hydra_notify.http.reply import encoded
from hydra_notify.limits import (
    HTTP_CONNECTIONS,
    HTTP_KEEPALIVE,
    HTTP_REFUSED,
    HTTP_STREAMS,
)


async def test_a_flood_is_turned_away_and_the_rest_waits_to_be_accepted() -> None:
    async with served() as (address, _, _), AsyncExitStack() as stack:
        held = [
            await stack.enter_async_context(connected(address))
            for _ in range(HTTP_CONNECTIONS)
        ]
        for client in held:
            # It is the server's, and not only the kernel's.
            await client.stream.send_all(b"GET")
        refused = await ask(address, "/healthz")
        assert refused.status == 503
        assert refused.headers["retry-after"] == "1"
        waiting = [
            await stack.enter_async_context(connected(address))
            for _ in range(2 * HTTP_REFUSED)
        ]
        for client in (*held, *waiting):
            await client.stream.aclose()
        while (await ask(address, "/healthz")).status != 200:
            await trio.lowlevel.checkpoint()


async def test_with_many_connections_none_is_kept() -> None:
    async with served() as (address, _, _), AsyncExitStack() as stack:
        for _ in range(HTTP_CONNECTIONS // 2):
            other = await stack.enter_async_context(connected(address))
            await other.ask("/healthz")
        answer = await ask(address, "/healthz")
    assert answer.headers["connection"] == "close"


async def test_whoever_looks_on_leaves_room_for_who_only_asks() -> None:
    async with served() as (address, _, _), AsyncExitStack() as stack:
        lookers = [
            await stack.enter_async_context(connected(address))
            for _ in range(HTTP_STREAMS)
        ]
        for client in lookers:
            await client.send("/events")
            assert (await client.head()).status_code == 200
        refused = await ask(address, "/events")
        assert refused.status == 503
        assert b"16 look on already" in refused.body
        assert (await ask(address, "/healthz")).status == 200
        await lookers[0].stream.aclose()
        while (await _status(address)) != 200:
            await trio.lowlevel.checkpoint()


async def _status(address: Address) -> int:
    async with connected(address) as client:
        await client.send("/events")
        return (await client.head()).status_code


async def test_news_come_as_events_and_end_when_the_host_stops() -> None:
    async with served() as (address, pages, server), connected(address) as client:
        await client.send("/events")
        head = await client.head()
        assert (b"content-type", b"text/event-stream") in head.headers
        event = await client.next()
        assert isinstance(event, h11.Data)
        assert bytes(event.data) == b"event: status\ndata: one\ndata: two\n\n"
        idle = connected(address)
        async with idle as other:
            await other.ask("/healthz")
            with trio.fail_after(PATIENCE):
                await server.finish()
            assert pages.left.is_set()
            assert await client.is_closed()
            assert await other.is_closed()
        refused = await ask(address, "/events")
        assert (refused.status, b"the host stops" in refused.body) == (503, True)


async def test_news_end_when_whoever_looked_on_has_left() -> None:
    async with served() as (address, pages, _):
        async with connected(address) as client:
            await client.send("/events")
            await client.head()
        with trio.fail_after(PATIENCE):
            await pages.left.wait()


async def test_a_stream_without_news_says_that_it_lives(
    autojump_clock: trio.testing.MockClock,
) -> None:
    pages, (ours, theirs) = Pages(), trio.socket.socketpair()
    client = trio.SocketStream(ours)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one, theirs, pages.routes)
        await client.send_all(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        heard = b""
        while b":\n\n" not in heard:
            heard += await client.receive_some()
        await client.aclose()
    assert trio.current_time() >= HTTP_KEEPALIVE


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ("", b"event: x\ndata: \n\n"),
        ("a\r\nb\rc\n", b"event: x\ndata: a\ndata: b\ndata: c\ndata: \n\n"),
    ],
)
def test_no_line_of_an_event_is_taken_for_another(data: str, sent: bytes) -> None:
    assert encoded("x", data) == sent
