"""An address that others can reach: what it takes, what it bears, why it is not."""

import socket
import stat
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import h11
import pytest
import trio
import trio.testing
from tests.http_asking import (
    PATIENCE,
    Address,
    ask,
    connected,
    free_port,
    listening,
)

from hydra_notify.config import HttpConfig, NetworkAddress, UnixAddress
from hydra_notify.http import Gate, Listen, Reply, Request, Route, Server
from hydra_notify.http.conversation import Answers, converse
from hydra_notify.http.reply import encoded
from hydra_notify.limits import (
    HTTP_BODY_BYTES,
    HTTP_CONNECTIONS,
    HTTP_IDLE,
    HTTP_KEEPALIVE,
    HTTP_REFUSED,
    HTTP_STREAMS,
    SOCKET_RETRY,
)

FORM = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Authorization": "Bearer x",
}
JSON = {"Content-Type": "application/json", "Authorization": "Bearer x"}

STANDING = {
    "content-security-policy": "default-src 'none'; script-src 'self';"
    " style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}


class Pages:
    """What is said back, a file, and news without end."""

    def __init__(self) -> None:
        self.left = trio.Event()
        self.routes = [
            Route("/echo/{word}", self.echo),
            Route("/form", self.form, "POST"),
            Route("/page.0123abcd.css", self.file),
            Route("/events", self.events),
            Route("/healthz", self.health, open=True),
        ]

    async def echo(self, request: Request, reply: Reply) -> None:
        await reply.json({"word": request.values["word"], "query": request.query})

    async def form(self, request: Request, reply: Reply) -> None:
        await reply.json(request.form)

    async def file(self, _: Request, reply: Reply) -> None:
        forever = [("Cache-Control", "public, max-age=31536000, immutable")]
        await reply.send(200, "text/css", b"a{}", forever)

    async def events(self, _: Request, reply: Reply) -> None:
        try:
            async with reply.events():
                await reply.tell("status", "one\ntwo")
                await trio.sleep_forever()
        finally:
            self.left.set()

    async def health(self, _: Request, reply: Reply) -> None:
        await reply.text("ok")


@asynccontextmanager
async def served(
    address: NetworkAddress | UnixAddress | None = None,
) -> AsyncGenerator[tuple[Address, Pages, Server]]:
    pages = Pages()
    async with listening(pages.routes, address=address) as (found, server):
        yield found, pages, server


async def test_a_page_is_found_by_its_path_and_told_its_query() -> None:
    async with served() as (address, _, _):
        answer = await ask(address, "/echo/a%2Fb?x=1&y=%C3%A9&x=2&z")
    assert answer.body == (
        b'{"word": "a/b", "query": {"x": "2", "y": "\\u00e9", "z": ""}}\n'
    )


async def test_every_answer_tells_browsers_to_be_careful() -> None:
    async with served() as (address, _, _):
        for target in ("/echo/a", "/nowhere"):
            answer = await ask(address, target)
            assert STANDING.items() <= answer.headers.items()
        file = await ask(address, "/page.0123abcd.css")
    assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert {**STANDING, **file.headers} == {**file.headers}


async def test_a_head_is_answered_as_a_get_without_its_body() -> None:
    async with served() as (address, pages, _), connected(address) as client:
        head = await client.ask("/echo/a", method="HEAD")
        got = await client.ask("/echo/a")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(got.body))
        stream = await client.ask("/events", method="HEAD")
        assert stream.headers["content-type"] == "text/event-stream"
        assert stream.body == b""
        assert await client.is_closed()
        await pages.left.wait()


async def test_several_requests_are_answered_over_one_connection() -> None:
    async with served() as (address, _, _), connected(address) as client:
        for word in ("a", "b", "c"):
            answer = await client.ask(f"/echo/{word}")
            assert "connection" not in answer.headers
        answer = await client.ask("/form", JSON, method="POST", body=b'{"a": "b"}')
        assert answer.body == b'{"a": "b"}\n'
        last = await client.ask("/echo/d", {"Connection": "close"})
        assert last.headers["connection"] == "close"
        assert await client.is_closed()


async def one(
    theirs: trio.socket.SocketType, pages: Pages, gate: Gate | None = None
) -> None:
    """Serve one connection to its end."""
    async with trio.SocketStream(theirs) as stream:
        await converse(stream, Answers(pages.routes, gate))


async def test_a_connection_over_which_nothing_is_asked_any_more_is_closed(
    autojump_clock: trio.testing.MockClock,
) -> None:
    pages, (ours, theirs) = Pages(), trio.socket.socketpair()
    client = trio.SocketStream(ours)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one, theirs, pages, Gate(HttpConfig()))
        await client.send_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        async for chunk in client:
            answer += chunk
    assert answer.endswith(b"ok")
    assert trio.current_time() >= HTTP_IDLE
    await client.aclose()


@pytest.mark.parametrize(
    ("headers", "body", "form"),
    [
        (FORM, b"a=1&b=%20%C3%A9+c&a=2&d", b'{"a": "2", "b": " \\u00e9 c", "d": ""}\n'),
        (FORM, b"", b"{}\n"),
        (JSON, '{"a": "é"}'.encode(), b'{"a": "\\u00e9"}\n'),
        ({**JSON, "Content-Type": "application/JSON; charset=utf-8"}, b"{}", b"{}\n"),
        ({**JSON, "Expect": "100-continue"}, b'{"a": "b"}', b'{"a": "b"}\n'),
        (FORM, b"a=" + b"x" * (HTTP_BODY_BYTES - 2), None),
        ({"Authorization": "Bearer x"}, None, b"{}\n"),
    ],
)
async def test_a_form_arrives_as_it_was_filled_in(
    headers: dict[str, str], body: bytes | None, form: bytes | None
) -> None:
    async with served() as (address, _, _):
        answer = await ask(address, "/form", headers, method="POST", body=body)
    assert answer.status == 200
    assert form is None or answer.body == form


@pytest.mark.parametrize(
    ("headers", "body", "status", "words"),
    [
        (FORM, b"a=" + b"x" * (HTTP_BODY_BYTES - 1), 413, b"at most 16384 bytes"),
        ({**FORM, "Content-Length": "99999999999"}, None, 413, b"at most 16384"),
        ({**FORM, "Transfer-Encoding": "chunked"}, b"a=1", 411, b"Content-Length"),
        ({**FORM, "Content-Type": "text/plain"}, b"a=1", 415, b"urlencoded"),
        ({"Authorization": "Bearer x"}, b"a=1", 415, b"application/json"),
        (FORM, b"\xff", 400, b"UTF-8"),
        (FORM, b"a&" * 65, 400, b"at most 64 fields"),
        (JSON, b"{", 400, b"not JSON"),
        (JSON, b"[" * 9_000, 400, b"not JSON"),
        (JSON, b"[]", 400, b"an object of JSON"),
        (JSON, b'{"a": 1}', 400, b"whose values are strings"),
    ],
)
async def test_what_is_sent_along_is_bounded_and_makes_sense(
    headers: dict[str, str], body: bytes | None, status: int, words: bytes
) -> None:
    async with served() as (address, _, _):
        async with connected(address) as client:
            if "Content-Length" in headers:
                await client.stream.send_all(
                    b"POST /form HTTP/1.1\r\nHost: localhost\r\n"
                    + b"".join(f"{k}: {v}\r\n".encode() for k, v in headers.items())
                    + b"\r\n"
                )
                answer = b""
                while words not in answer:
                    answer += await client.stream.receive_some()
                assert answer.startswith(b"HTTP/1.1 %d " % status)
            else:
                said = await client.ask("/form", headers, method="POST", body=body)
                assert said.status == status
                assert words in said.body
                assert await client.is_closed()
        assert (await ask(address, "/healthz")).status == 200


async def test_people_are_refused_in_plain_text() -> None:
    async with served() as (address, _, _):
        answer = await ask(address, "/nowhere", {"Accept": "text/html,*/*;q=0.8"})
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.body == b"there is nothing at /nowhere\n"


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
        nursery.start_soon(one, theirs, pages)
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


async def test_a_socket_of_the_file_system_is_its_groups(tmp_path: Path) -> None:
    path = tmp_path / "run" / "http.sock"
    async with served(UnixAddress(path)) as (address, _, _):
        assert (await ask(address, "/healthz")).status == 200
        mode = (await trio.Path(path).stat()).st_mode
        assert stat.S_IMODE(mode) == 0o660
        # Whoever asks there is judged, unlike at the host's own.
        rebound = await ask(address, "/echo/a", {"Host": "rebound.example"})
        assert rebound.status == 421
    assert not path.exists()


async def test_a_port_that_is_taken_is_tried_until_it_is_free(
    caplog: pytest.LogCaptureFixture, mock_clock: trio.testing.MockClock
) -> None:
    mock_clock.rate = 10 * SOCKET_RETRY
    address, pages = free_port(), Pages()
    async with trio.open_nursery() as nursery:
        with socket.create_server((address.host, address.port)):
            nursery.start_soon(Server(Listen(address), pages.routes).run)
            while "Address already in use" not in caplog.text:
                await trio.lowlevel.checkpoint()
            await trio.sleep(3 * SOCKET_RETRY)
        assert (await ask(address, "/healthz")).status == 200
        nursery.cancel_scope.cancel()
    (said,) = caplog.messages
    assert said == (
        f"nothing answers at {address} (http.listen): Address already in use:"
        f" end what has port {address.port}, or choose another"
    )


async def trouble(listen: Listen, caplog: pytest.LogCaptureFixture) -> str:
    """What is said of an address where nobody can listen."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Server(listen, []).run)
        with trio.fail_after(PATIENCE):
            while not caplog.messages:
                await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    return caplog.messages[0]


async def test_an_address_of_another_machine_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = await trouble(Listen(NetworkAddress("192.0.2.1", 9199)), caplog)
    assert "this machine has no address 192.0.2.1" in said


async def test_a_path_of_another_program_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "other.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        said = await trouble(Listen(UnixAddress(path)), caplog)
    assert f"another program answers at {path}" in said
    # And is replaced when that is gone.
    async with served(UnixAddress(path)) as (address, _, _):
        assert (await ask(address, "/healthz")).status == 200


async def test_a_directory_that_cannot_be_made_says_how_to_have_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "http.sock"
    said = await trouble(Listen(UnixAddress(path)), caplog)
    assert "RuntimeDirectory=hydra-notify" in said
