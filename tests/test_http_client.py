"""What our own commands make of whatever listens where a host should."""

import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from hydra_notify.http import client
from hydra_notify.http.client import HostError, NoHost, Refusal, ask

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


@contextmanager
def answering(path: Path, answer: Callable[[socket.socket], None]) -> Generator[None]:
    """Something that listens at `path` and answers one who asks."""

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.recv(65_536)
            answer(connection)

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join(10)
        assert not thread.is_alive()


def saying(data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(data)


def until_it_leaves(connection: socket.socket) -> None:
    connection.recv(1)


def dripping(connection: socket.socket) -> None:
    """A byte now and then: each comes in time, and all of them do not."""
    connection.settimeout(0.05)
    while True:
        connection.sendall(b"x")
        try:
            if not connection.recv(1):
                return
        except TimeoutError:
            continue


def asked(path: Path, seconds: float = 10.0) -> str:
    """Why nothing came of it."""
    with pytest.raises(HostError) as raised:
        ask(path, "GET", "/status.json", seconds=seconds)
    assert not isinstance(raised.value, NoHost)
    return str(raised.value)


def test_a_whole_answer_is_returned(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with answering(path, saying(HEAD + b"hello")):
        answer = ask(path, "POST", "/plugins/a/pause")
    assert (answer.status, answer.body) == (200, b"hello")


def test_where_nobody_listens_there_is_no_host(tmp_path: Path) -> None:
    with pytest.raises(NoHost, match="start the host"):
        ask(tmp_path / "s", "GET", "/")


def test_a_refusal_has_the_hosts_words_and_the_status(tmp_path: Path) -> None:
    path = tmp_path / "s"
    body = b'{"error": "no"}'
    head = b"HTTP/1.1 409 No\r\nContent-Length: %d\r\n\r\n" % len(body)
    with (
        answering(path, saying(head + body)),
        pytest.raises(Refusal, match="the host says: no") as raised,
    ):
        ask(path, "GET", "/")
    assert raised.value.status == 409


@pytest.mark.parametrize("answer", [until_it_leaves, dripping])
def test_no_answer_is_waited_for_without_end(
    tmp_path: Path, answer: Callable[[socket.socket], None]
) -> None:
    path = tmp_path / "s"
    with answering(path, answer):
        assert "does not answer within 0 s" in asked(path, 0.2)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"220 mail.example.org ESMTP\r\n", "is no host"),
        (b"", "the host is gone"),
        (HEAD + b"hel", "the host is gone"),
    ],
)
def test_what_is_no_answer_is_said_to_be_none(
    tmp_path: Path, data: bytes, words: str
) -> None:
    path = tmp_path / "s"
    with answering(path, saying(data)):
        assert words in asked(path)


def test_no_more_is_read_than_a_host_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "HTTP_ANSWER_BYTES", 4)
    path = tmp_path / "s"
    with answering(path, saying(HEAD + b"hello")):
        assert "says too much for a host" in asked(path)
