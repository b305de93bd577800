"""The host's socket: what it answers, to whom, and what it survives."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trio
import trio.testing

from hydra_notify.http import HostSocket, Reply, Request, Route, Server
from hydra_notify.http.client import HostError, lines
from hydra_notify.http.conversation import Answers, converse
from hydra_notify.http.reply import GONE
from hydra_notify.limits import (
    HTTP_CONNECTIONS,
    HTTP_REQUEST_BYTES,
    HTTP_REQUEST_TIME,
    HTTP_WRITE_STALL,
    SOCKET_RETRY,
)

PATIENCE = 20.0
"""Seconds of real time; what has not come by then does not come."""

GET = b"GET /hello/a%2Fb?c=d HTTP/1.1\r\nHost: x\r\n\r\n"


class Pages:
    """Pages for tests: a greeting, and one without end."""

    def __init__(self) -> None:
        self.begun = trio.Event()
        self.left = trio.Event()
        self.routes = [
            Route("/hello/{name}", self.hello),
            Route("/count", self.count),
            Route("/endless", self.endless),
        ]

    async def hello(self, request: Request, reply: Reply) -> None:
        await reply.send(
            200, "text/plain", f"hello {request.values['name']}\n".encode()
        )

    async def count(self, _: Request, reply: Reply) -> None:
        async with reply.stream("text/plain"):
            for number in range(3):
                await reply.add(b"%d\nhalf" % number)
                await reply.add(b" a line\n")

    async def endless(self, _: Request, reply: Reply) -> None:
        self.begun.set()
        try:
            async with reply.stream("text/plain"):
                while True:
                    await reply.add(b"x" * 65_536 + b"\n")
        finally:
            self.left.set()


@asynccontextmanager
async def served(path: Path) -> AsyncGenerator[Pages]:
    """A server at `path`, for as long as the block lasts."""
    pages = Pages()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Server(HostSocket(path), pages.routes).run)
        await until_there(path)
        yield pages
        nursery.cancel_scope.cancel()


async def until_there(path: Path) -> None:
    """Return when somebody listens at `path`."""
    while True:
        try:
            await (await trio.open_unix_socket(path)).aclose()
        except (OSError, RuntimeError):
            await trio.lowlevel.checkpoint()
        else:
            return


async def ask(path: Path, *parts: bytes) -> bytes:
    """All that is answered to what is sent."""
    async with await trio.open_unix_socket(path) as stream:
        for part in parts:
            await stream.send_all(part)
        return await rest_of(stream)


async def rest_of(stream: trio.SocketStream) -> bytes:
    """What else comes, to the end."""
    answer = b""
    async for chunk in stream:
        answer += chunk
    return answer


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the socket shall be; a directory that is not there yet."""
    return tmp_path / "state" / "host.sock"


async def test_a_page_is_answered_and_the_connection_closed(place: Path) -> None:
    async with served(place):
        answer = await ask(place, GET[:9], GET[9:])
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nConnection: close" in head
    assert body == b"hello a/b\n"


async def test_an_answer_in_pieces_is_read_line_by_line(place: Path) -> None:
    async with served(place):
        got = await trio.to_thread.run_sync(lambda: list(lines(place, "/count")))
    assert b"".join(got) == b"0\nhalf a line\n1\nhalf a line\n2\nhalf a line\n"
    assert {line.count(b"\n") for line in got} == {1}


async def test_an_old_client_gets_its_pieces_without_their_lengths(
    place: Path,
) -> None:
    async with served(place):
        answer = await ask(place, b"GET /count HTTP/1.0\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n0\nhalf a line\n1\nhalf a line\n2\nhalf a line\n")


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        (b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404, b"/nowhere"),
        (b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", 404, b"/hello"),
        (b"PUT /count HTTP/1.1\r\nHost: x\r\n\r\n", 405, b"Allow: GET"),
        (
            b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
            405,
            b"POST cannot be used here, only GET",
        ),
        (b"GET /count HTTP/1.1\r\n\r\n", 400, b"Host"),
        (b"\x16\x03\x01\x00 is that TLS?\r\n\r\n", 400, b"no HTTP"),
        (b"GET /" + b"x" * HTTP_REQUEST_BYTES + b"x" * 16, 431, b"no HTTP"),
        (b"\r\n\r\n\r\n", 400, b"no HTTP"),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 404, b"x:1"),
        (
            b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: y\r\n\r\n",
            404,
            b"/x",
        ),
    ],
)
async def test_a_request_that_cannot_be_answered_is_told_why(
    place: Path, request_: bytes, status: int, words: bytes
) -> None:
    async with served(place):
        answer = await ask(place, request_)
        # And the next one is answered.
        assert b" 200 " in await ask(place, GET)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b'{"error": "' in answer
    assert words in answer


async def test_a_client_may_end_its_side_after_its_request(place: Path) -> None:
    async with served(place), await trio.open_unix_socket(place) as stream:
        await stream.send_all(GET)
        await stream.send_eof()
        assert b" 200 " in await rest_of(stream)


@pytest.mark.parametrize("said", [b"", b"GET /hel"])
async def test_a_client_that_leaves_within_its_request_is_forgotten(
    place: Path, said: bytes
) -> None:
    async with served(place):
        async with await trio.open_unix_socket(place) as stream:
            await stream.send_all(said)
        assert b" 200 " in await ask(place, GET)


async def answered(stream: trio.SocketStream, pages: Pages) -> None:
    """Serve one connection to its end."""
    async with stream:
        with suppress(*GONE):
            await converse(stream, Answers(pages.routes, None))


async def test_a_client_that_takes_too_long_to_ask_is_cut(
    autojump_clock: trio.testing.MockClock,
) -> None:
    pages = Pages()
    ours, theirs = stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(answered, theirs, pages)
        await ours.send_all(b"GET /hello/")
        answer = await rest_of(ours)
        await ours.aclose()
    assert b" 408 " in answer
    assert trio.current_time() >= HTTP_REQUEST_TIME


async def test_a_client_that_never_reads_is_cut(
    autojump_clock: trio.testing.MockClock,
) -> None:
    pages = Pages()
    ours, theirs = stream_pair()
    await ours.send_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
    # Returns only when the connection is closed.
    await answered(theirs, pages)
    assert pages.left.is_set()
    assert trio.current_time() >= HTTP_WRITE_STALL
    await ours.aclose()


async def test_a_page_without_end_is_left_when_its_client_is_gone(
    place: Path,
) -> None:
    async with served(place) as pages:
        async with await trio.open_unix_socket(place) as stream:
            await stream.send_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            await pages.begun.wait()
        with trio.fail_after(PATIENCE):
            await pages.left.wait()


async def test_beyond_so_many_connections_others_are_told_to_come_later(
    place: Path,
) -> None:
    async with served(place), trio.open_nursery() as nursery:
        held = [await trio.open_unix_socket(place) for _ in range(HTTP_CONNECTIONS)]
        answer = await ask(place)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"32 connections are open already" in answer
        for stream in held:
            await stream.send_all(GET)
            assert b" 200 " in await rest_of(stream)
            await stream.aclose()
        nursery.cancel_scope.cancel()


async def test_the_socket_is_its_owners_alone_and_goes_with_its_server(
    place: Path,
) -> None:
    async with served(place):
        mode = (await trio.Path(place).stat()).st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
    assert not await trio.Path(place).exists()


def leave_socket(path: Path) -> None:
    """A socket's file as a host that was killed leaves it."""
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))


async def test_what_a_killed_host_has_left_is_replaced(place: Path) -> None:
    leave_socket(place)
    async with served(place):
        assert b" 200 " in await ask(place, GET)


async def test_the_socket_of_a_host_that_lives_is_not_taken_until_it_is_free(
    place: Path, caplog: pytest.LogCaptureFixture, mock_clock: trio.testing.MockClock
) -> None:
    mock_clock.rate = 10 * SOCKET_RETRY
    async with trio.open_nursery() as nursery:
        pages = Pages()
        async with served(place):
            mine = (await trio.Path(place).stat()).st_ino
            nursery.start_soon(Server(HostSocket(place), pages.routes).run)
            await logged(caplog, "belongs to another host that runs")
            assert (await trio.Path(place).stat()).st_ino == mine
            assert b" 200 " in await ask(place, GET)
        await until_there(place)
        assert b" 200 " in await ask(place, GET)
        nursery.cancel_scope.cancel()
    # However often it was tried.
    assert len(caplog.records) == 1


async def test_a_host_that_is_not_the_active_one_leaves_the_name_to_that(
    place: Path,
) -> None:
    async def who(words: str) -> None:
        async def answer(_: Request, reply: Reply) -> None:
            await reply.text(words)

        standby = HostSocket(place, active=words == "active")
        await Server(standby, [Route("/who", answer)]).run()

    request_ = b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n"
    async with trio.open_nursery() as active:
        async with trio.open_nursery() as standby:
            standby.start_soon(who, "standby")
            await until_there(place)
            assert (await ask(place, request_)).endswith(b"standby")
            active.start_soon(who, "active")
            # In between there may be nobody.
            heard = b""
            while not heard.endswith(b"active"):
                await until_there(place)
                with suppress(OSError):
                    heard = await ask(place, request_)
            standby.cancel_scope.cancel()
        # Whose file it is not, does not take it away.
        assert (await ask(place, request_)).endswith(b"active")
        active.cancel_scope.cancel()
    assert not await trio.Path(place).exists()


async def logged(caplog: pytest.LogCaptureFixture, words: str) -> None:
    """Return when `words` are in the log."""
    while words not in caplog.text:
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x" * 107, "choose a shorter host.state_dir"),
        ("file/host.sock", "file"),
        ("taken.sock", "is in the way, no socket: move it away"),
    ],
)
async def test_where_there_can_be_no_socket_that_is_said_and_nothing_else(
    tmp_path: Path, name: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "taken.sock").write_text("precious")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Server(HostSocket(tmp_path / name), []).run)
        with trio.fail_after(PATIENCE):
            await logged(caplog, words)
        nursery.cancel_scope.cancel()
    (record,) = caplog.records
    assert "nobody can look at the plugins' frames: " in record.getMessage()
    assert (tmp_path / "taken.sock").read_text() == "precious"


def test_a_command_says_that_no_host_listens_and_what_to_do(tmp_path: Path) -> None:
    leave_socket(tmp_path / "dead" / "host.sock")
    for path in (
        tmp_path / "host.sock",
        tmp_path / "dead" / "host.sock",
        tmp_path / ("x" * 107),
    ):
        with pytest.raises(HostError, match=r"no host .* start the host, or"):
            list(lines(path, "/"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_command_of_another_user_is_told_whose_socket_it_is() -> None:
    code = """if True:
        import os, pathlib, socket, sys, tempfile
        from hydra_notify.http.client import HostError, lines
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            path = pathlib.Path(directory, "s")
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(path))
            path.chmod(0o600)
            listener.listen()
            os.seteuid(65534)
            try:
                list(lines(path, "/"))
            except HostError as error:
                print(error)
            os.seteuid(0)
    """
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "only be used by the user root: run this as that user" in result.stdout


async def test_a_command_knows_an_answer_that_broke_off(place: Path) -> None:
    first = trio.Event()

    def read() -> None:
        for _ in lines(place, "/endless"):
            trio.from_thread.run_sync(first.set)

    async def fails() -> None:
        with pytest.raises(HostError, match="the host is gone"):
            await trio.to_thread.run_sync(read)

    async with trio.open_nursery() as nursery, served(place):
        nursery.start_soon(fails)
        await first.wait()


async def test_a_command_says_why_the_host_refuses(place: Path) -> None:
    def read() -> None:
        with pytest.raises(HostError, match="the host says: there is nothing at /x"):
            list(lines(place, "/x"))

    async with served(place):
        await trio.to_thread.run_sync(read)


def stream_pair() -> tuple[trio.SocketStream, trio.SocketStream]:
    """Two ends of a connection."""
    ours, theirs = trio.socket.socketpair()
    return trio.SocketStream(ours), trio.SocketStream(theirs)
