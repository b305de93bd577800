"""The webhook example against a real web server."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.toy_host import LIMIT, ToyHost, event_params
from tests.transcripts import Frame

WEBHOOK = Path(__file__).parent.parent / "example_plugins" / "webhook" / "webhook.py"


@dataclass
class Answer:
    """What the server says next; `wait` is set by who wants it to be slow."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait: threading.Event | None = None
    hang_up: bool = False


@dataclass
class Server:
    """A web server that remembers what was posted."""

    url: str
    posts: list[tuple[str, Message, bytes]]
    answers: deque[Answer]
    arrived: threading.Semaphore

    def events(self) -> list[str]:
        return [json.loads(body)["id"] for _, _, body in self.posts]


@pytest.fixture
def server() -> Iterator[Server]:
    posts: list[tuple[str, Message, bytes]] = []
    answers: deque[Answer] = deque()
    arrived = threading.Semaphore(0)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posts.append((self.path, self.headers, body))
            answer = answers.popleft() if answers else Answer()
            arrived.release()
            if answer.wait is not None:
                answer.wait.wait(LIMIT)
            if answer.hang_up:
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever, args=[0.01])
        thread.start()
        url = f"http://127.0.0.1:{listening.server_port}/hook?a=b"
        yield Server(url, posts, answers, arrived)
        listening.shutdown()
        thread.join()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[ToyHost]:
    with ToyHost([str(WEBHOOK)], tmp_path / "state") as host:
        yield host


def error_of(answer: Frame) -> Frame:
    error = answer["error"]
    assert isinstance(error, dict), answer
    return error


def test_an_event_is_posted_as_it_came(server: Server, host: ToyHost) -> None:
    host.initialize({"url": server.url})
    assert host.event("build_finished")["result"] == {}
    ((path, headers, body),) = server.posts
    assert path == "/hook?a=b"
    assert headers["Content-Type"] == "application/cloudevents+json"
    assert json.loads(body) == event_params("build_finished")["event"]
    assert headers["webhook-id"] == "build_finished:4711:1767607200"
    assert "webhook-signature" not in headers
    assert host.shutdown() == 0


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("plain text\n", b"plain text"),
        ("whsec_" + base64.b64encode(b"\x00\xff secret").decode(), b"\x00\xff secret"),
    ],
    ids=["text", "whsec"],
)
def test_a_post_is_signed_when_there_is_a_key(
    server: Server, host: ToyHost, key: str, raw: bytes
) -> None:
    host.initialize({"url": server.url}, {"hmac_key": key})
    host.event("eval_added")
    ((_, headers, body),) = server.posts
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.digest(raw, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < LIMIT


def test_the_id_is_the_same_at_every_attempt(server: Server, host: ToyHost) -> None:
    server.answers.append(Answer(500))
    host.initialize({"url": server.url})
    assert "error" in host.event("build_finished")
    assert "result" in host.event("build_finished", attempt=2)
    first, second = (headers["webhook-id"] for _, headers, _ in server.posts)
    assert first == second


@pytest.mark.parametrize(
    ("status", "data"),
    [
        (400, None),
        (404, None),
        (410, None),
        (413, None),
        (418, {"retryable": False}),
        (302, {"retryable": False}),
        (401, {"help": "check the webhook's secrets"}),
        (403, {"help": "check the webhook's secrets"}),
        (408, None),
        (429, None),
        (500, None),
        (502, None),
        (503, None),
        (507, None),
    ],
)
def test_the_servers_status_is_the_answers_code(
    server: Server, host: ToyHost, status: int, data: Frame | None
) -> None:
    server.answers.append(Answer(status, {"Location": "/elsewhere"}))
    host.initialize({"url": server.url})
    error = error_of(host.event("build_finished"))
    assert error["code"] == status
    assert str(error["message"]).startswith(f"the server answered {status}")
    assert error.get("data") == data
    assert len(server.posts) == 1, "a redirection is not followed"


@pytest.mark.parametrize("status", [429, 503])
def test_the_time_the_server_names_is_passed_on(
    server: Server, host: ToyHost, status: int
) -> None:
    server.answers.append(Answer(status, {"Retry-After": "120"}))
    host.initialize({"url": server.url})
    data = error_of(host.event("build_finished"))["data"]
    assert data == {"retry_after_ms": 120_000}


def test_the_time_may_be_a_date(server: Server, host: ToyHost) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    server.answers.append(Answer(503, {"Retry-After": date}))
    host.initialize({"url": server.url})
    data = error_of(host.event("build_finished"))["data"]
    assert isinstance(data, dict)
    assert 3_500_000 < data["retry_after_ms"] <= 3_600_000


@pytest.mark.parametrize("words", ["soon", "-5", ""])
def test_a_time_that_makes_no_sense_is_left_to_the_host(
    server: Server, host: ToyHost, words: str
) -> None:
    server.answers.append(Answer(503, {"Retry-After": words}))
    host.initialize({"url": server.url})
    assert error_of(host.event("build_finished")) == {
        "code": 503,
        "message": "the server answered 503 Service Unavailable",
    }


def test_a_server_that_does_not_answer_in_time_is_tried_again(
    server: Server, host: ToyHost
) -> None:
    never = threading.Event()
    server.answers.append(Answer(wait=never))
    host.initialize({"url": server.url, "timeout": 0.2})
    error = error_of(host.event("build_finished"))
    never.set()
    assert error["code"] == 500
    assert "timed out" in str(error["message"])


def test_a_connection_that_breaks_is_tried_again(server: Server, host: ToyHost) -> None:
    server.answers.append(Answer(hang_up=True))
    host.initialize({"url": server.url})
    error = error_of(host.event("build_finished"))
    assert error["code"] == 500
    assert "the connection broke" in str(error["message"])


def test_a_server_that_is_not_there_is_tried_again(
    server: Server, host: ToyHost
) -> None:
    host.initialize({"url": "http://127.0.0.1:1/"})
    error = error_of(host.event("build_finished"))
    assert error["code"] == 500
    assert "cannot be reached" in str(error["message"])


def test_a_slow_post_does_not_hold_back_the_others(
    server: Server, host: ToyHost
) -> None:
    """Seven more events are posted and answered while the first one waits."""
    never = threading.Event()
    server.answers.append(Answer(wait=never))
    manifest = host.initialize({"url": server.url})["result"]
    assert isinstance(manifest, dict)
    assert manifest["max_in_flight"] == 8
    slow = host.request("event", event_params("build_finished", number=1))
    assert server.arrived.acquire(timeout=LIMIT)
    for number in range(2, 9):
        params = event_params("build_finished", number=number)
        assert host.ask("event", params)["result"] == {}
    never.set()
    assert host.answer(slow)["result"] == {}
    assert len(set(server.events())) == 8


def test_the_address_may_be_a_secret_and_is_in_no_message(
    server: Server, host: ToyHost
) -> None:
    server.answers.append(Answer(404))
    host.initialize({"url": "https://example.org"}, {"url": server.url + "\n"})
    answer = host.event("build_finished")
    assert error_of(answer)["code"] == 404
    assert server.url not in json.dumps([answer, *host.frames]) + host.stderr


@pytest.mark.parametrize(
    ("config", "secrets", "message"),
    [
        ({}, {}, "settings.url: is required"),
        ({"url": "example.org"}, {}, "settings.url: is no web address"),
        ({"url": "https:/path"}, {}, "settings.url: is no web address"),
        ({"url": "http://[::1"}, {}, "settings.url: is no web address"),
        ({"url": "file:///etc/passwd"}, {}, "settings.url: is no web address"),
        ({"url": "http://x", "timeout": 60}, {}, "settings.timeout: expected `float`"),
        ({"url": "http://x", "timeout": "1"}, {}, "settings.timeout: expected `float`"),
        ({"ulr": "http://x"}, {}, "settings.ulr: there is no such setting"),
        ({"url": "http://x"}, {"hmac_key": "whsec_!"}, "secrets.hmac_key: has no base"),
        ({"url": "http://x"}, {"url": "ftp://x"}, "secrets.url: is no web address"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(
    host: ToyHost, config: Frame, secrets: Frame, message: str
) -> None:
    error = error_of(host.initialize(config, secrets))
    assert error["code"] == 422
    assert str(error["message"]).startswith(message)
    assert host.end() == 0
