"""What is asked at an address that others can reach, and what is said to it."""

from contextlib import suppress

import h11
import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.http_asking import (
    Client,
    ask,
    connected,
    listening,
)
from tests.http_pages import Pages, one, served

from hydra_notify.config import HttpConfig
from hydra_notify.http import Gate, Reply, Request, Route
from hydra_notify.limits import (
    HTTP_BODY_BYTES,
    HTTP_IDLE,
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


async def test_a_connection_over_which_nothing_is_asked_any_more_is_closed(
    autojump_clock: trio.testing.MockClock,
) -> None:
    pages, (ours, theirs) = Pages(), trio.socket.socketpair()
    client = trio.SocketStream(ours)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one, theirs, pages.routes, Gate(HttpConfig()))
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
        (JSON, b'{"a": "\\ud800"}', 400, b"half a character"),
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


WORDS = st.text(st.characters(codec="latin-1", exclude_characters="\0\r\n"), max_size=9)
NEAR = st.sampled_from(
    [
        "localhost",
        "http://localhost",
        "Bearer x",
        "hydra-notify-session=",
        "application/json",
        "application/x-www-form-urlencoded",
        "3",
        "9" * 5_000,
        "a:" + "1" * 5_000,
    ]
)
NAMES = ["Host", "Origin", "Authorization", "Cookie", "Content-Type", "Content-Length"]
HEADERS = st.lists(st.tuples(st.sampled_from([*NAMES, "Expect"]), NEAR | WORDS))


@settings(max_examples=150)
@given(
    st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", ""]),
    st.sampled_from(["/healthz", "/form", "/session", "*", "/echo/%ff?%ff=%00"])
    | WORDS,
    HEADERS,
    st.binary(max_size=20) | st.sampled_from([b"{}\n", b"a=b", b'"\\ud800"']),
)
def test_whatever_is_said_is_answered_or_cut_and_nothing_else_happens(
    method: str, target: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    lines = [f"{method} {target} HTTP/1.1", *(f"{n}: {v}" for n, v in headers), "", ""]
    said = "\r\n".join(lines).encode("latin-1") + body

    async def say() -> None:
        ours, theirs = trio.socket.socketpair()
        pages, gate = Pages(), Gate(HttpConfig())
        async with trio.SocketStream(ours) as client, trio.open_nursery() as nursery:
            nursery.start_soon(one, theirs, [*pages.routes, *gate.routes], gate)
            await client.send_all(said)
            await client.send_eof()
            with suppress(trio.BrokenResourceError):
                async for _ in client:
                    pass

    trio.run(say)


async def broken(_: Request, reply: Reply) -> None:
    raise ZeroDivisionError


async def to_the_end(client: Client) -> None:
    while True:
        await client.next()


async def half(_: Request, reply: Reply) -> None:
    async with reply.stream("text/plain"):
        await reply.add(b"half")
        raise ZeroDivisionError


async def test_a_bug_in_a_page_ends_its_connection_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    routes = [Route("/broken", broken), Route("/half", half), *Pages().routes]
    async with listening(routes) as (address, _):
        answer = await ask(address, "/broken")
        assert answer.status == 500
        assert b"its log says where" in answer.body
        async with connected(address) as client:
            await client.send("/half")
            assert (await client.head()).status_code == 200
            with pytest.raises(h11.RemoteProtocolError):
                await to_the_end(client)
        assert (await ask(address, "/healthz")).status == 200
    bugs = [each for each in caplog.records if each.exc_info]
    assert len(bugs) == 2
