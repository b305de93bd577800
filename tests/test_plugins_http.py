"""What the plugins' requests make of answers, against a real server."""

import subprocess
import sys
import time

import pytest

from hydra_notify.kit.sink import Reply, Sink
from hydra_notify_plugins.http import Service, web_address
from hydra_notify_sdk import ConfigProblem, Failure, Permanent, Retry, Unauthorized


def failure(sink: Sink, reply: Reply) -> Failure:
    sink.reply = reply
    with pytest.raises(Failure) as caught:
        Service("Chat", timeout=1).post(sink.url, json={})
    return caught.value


def test_a_success_is_one(sink: Sink) -> None:
    answer = Service("Chat", {"Authorization": "t"}).post(sink.url, json={"a": 1})
    assert answer.json() == {"ok": True}
    (call,) = sink.calls
    assert call.headers["authorization"] == "t"
    assert call.body == b'{"a":1}'


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (Reply(500), Retry, 500),
        (Reply(503), Retry, 503),
        (Reply(408), Retry, 408),
        (Reply(429), Retry, 429),
        (Reply(401), Unauthorized, 401),
        (Reply(403), Unauthorized, 403),
        (Reply(404), Permanent, 404),
        (Reply(422), Permanent, 422),
        (Reply(302, headers={"Location": "/x"}), Permanent, 422),
        (Reply(breaks=True), Retry, 502),
        (Reply(None), Retry, 504),
    ],
)
def test_an_answer_that_is_no_success_says_what_to_do_next(
    sink: Sink, reply: Reply, kind: type[Failure], code: int
) -> None:
    found = failure(sink, reply)
    assert isinstance(found, kind)
    assert found.code == code


def test_an_address_is_not_logged(sink: Sink, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    Service("Chat").post(f"{sink.url}/a-secret-place")
    assert "a-secret-place" not in caplog.text


def test_a_pause_is_passed_on(sink: Sink) -> None:
    assert failure(sink, Reply(429, headers={"Retry-After": "7"})).after == 7
    soon = "Wed, 01 Jan 2020 00:00:00 GMT"
    assert failure(sink, Reply(503, headers={"Retry-After": soon})).after == 0


def test_a_rate_limit_that_is_used_up_is_a_pause_and_no_wrong_secret(
    sink: Sink,
) -> None:
    reset = str(int(time.time()) + 600)
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    found = failure(sink, Reply(403, headers=headers))
    assert found.code == 429
    assert found.after is not None
    assert 500 < found.after <= 600


def test_the_words_of_a_service_are_told_and_its_pages_are_not(sink: Sink) -> None:
    reply = Reply(422, body=b'{"message":"no such\\n  commit"}')
    assert "no such" in failure(sink, reply).message
    page = Reply(502, headers={"Content-Type": "text/html"}, body=b"<html>")
    assert failure(sink, page).message == "Chat answered 502 Bad Gateway"


def test_an_address_is_one_of_a_web_server_and_holds_no_password() -> None:
    assert web_address("https://chat.example.org:8443/a/") == (
        "https://chat.example.org:8443/a"
    )
    for bad, problem in {
        "": "is required",
        "chat.example.org": "is no web address",
        "file:///etc/passwd": "is no web address",
        "http://": "is no web address",
        "http://[::1": "is no web address",
        "http://a:b/": "is no web address",
        "https://me:secret@chat.example.org/": "has a name or a password in it",
    }.items():
        with pytest.raises(ConfigProblem, match=rf"^settings\.url: {problem}") as found:
            web_address(bad)
        assert "secret@" not in found.value.message + found.value.fix


def test_a_plugin_starts_without_what_only_its_requests_need() -> None:
    program = (
        "import sys, hydra_notify_plugins.http as h; h.Service('Chat');"
        "sys.exit('httpx2' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
