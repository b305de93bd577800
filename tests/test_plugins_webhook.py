"""The generic webhook against a real web server."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest

from hydra_notify.kit.sink import Reply, Sink
from hydra_notify_plugins.webhook import plugin
from hydra_notify_sdk.testing import Host, Outcome, StartFailed, drive, sample_event

OTHER = "whsec_" + base64.b64encode(b"\x00\xff other").decode()


def start(path: Path, url: str, secrets: dict[str, str], **settings: Any) -> Host:
    config = {"url": url, **settings} if url else settings
    return drive(plugin, config=config, secrets=secrets, state_dir=path)


def answered(sink: Sink, path: Path, reply: Reply, **settings: Any) -> Outcome:
    sink.reply = reply
    return start(path, sink.url, {}, **settings).send("build_finished")


def test_an_event_is_posted_as_it_came(sink: Sink, tmp_path: Path) -> None:
    host = start(tmp_path, f"{sink.url}/hook/?a=b", {}, headers={"X-Team": "builds"})
    sample = sample_event("build_finished")
    assert host.send(sample).delivered
    (call,) = sink.calls
    assert call.line == "POST /hook/?a=b"
    assert call.headers["content-type"] == "application/cloudevents+json"
    assert call.headers["x-team"] == "builds"
    assert call.headers["webhook-id"] == sample.id
    assert "webhook-signature" not in call.headers
    assert "authorization" not in call.headers
    document = json.loads(call.body)
    assert (document["specversion"], document["id"]) == ("1.0", sample.id)
    assert document["data"]["dependents"][0]["build"] == 4712
    assert document["data"]["evals"][0]["id"] == 1042


def test_it_is_signed_by_every_key(sink: Sink, tmp_path: Path) -> None:
    host = start(tmp_path, sink.url, {"hmac_key": f"plain text\n\n{OTHER}\n"})
    host.send("eval_added").raise_for_failure()
    (call,) = sink.calls
    name, when = call.headers["webhook-id"], call.headers["webhook-timestamp"]
    assert abs(int(when) - time.time()) < 60
    signed = f"{name}.{when}.".encode() + call.body
    assert call.headers["webhook-signature"].split() == [
        "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        for key in (b"plain text", b"\x00\xff other")
    ]


def test_the_signature_is_that_of_standardwebhooks() -> None:
    """The example of its specification, in which nothing is ours."""
    from hydra_notify_plugins.webhook import raw_key, sign

    key = raw_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    found = sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, key)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_repetition_has_the_same_id(sink: Sink, tmp_path: Path) -> None:
    for outcome in start(tmp_path, sink.url, {}).send_twice("build_finished"):
        outcome.raise_for_failure()
    first, second = (call.headers["webhook-id"] for call in sink.calls)
    assert first == second


@pytest.mark.parametrize(
    ("reply", "code", "verdict"),
    [
        (Reply(429, headers={"Retry-After": "7"}), 429, "pause"),
        (Reply(503), 503, "pause"),
        (Reply(500), 500, "retry"),
        (Reply(408), 408, "retry"),
        (Reply(401), 401, "block"),
        (Reply(403), 403, "block"),
        (Reply(404), 404, "dead"),
        (Reply(410), 410, "dead"),
        (Reply(413), 413, "dead"),
        (Reply(302, headers={"Location": "/x"}), 422, "dead"),
        (Reply(breaks=True), 502, "retry"),
    ],
)
def test_an_answer_that_is_no_success_is_no_delivery(
    sink: Sink, tmp_path: Path, reply: Reply, code: int, verdict: str
) -> None:
    outcome = answered(sink, tmp_path, reply)
    assert (outcome.code, outcome.verdict.name.lower()) == (code, verdict)
    assert outcome.retry_after == (7 if code == 429 else None)
    assert len(sink.calls) == 1, "a redirection is not followed"


def test_a_server_that_does_not_answer_is_tried_again(
    sink: Sink, tmp_path: Path
) -> None:
    assert answered(sink, tmp_path, Reply(None), timeout=0.2).code == 504


def test_a_server_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    outcome = start(tmp_path, "http://127.0.0.1:1/", {}).send("build_finished")
    assert outcome.code == 502


@pytest.mark.parametrize(
    ("jobs", "event", "posted"),
    [
        ("", "build_finished", True),
        (r"nixpkgs:trunk:hello\..*", "build_finished", True),
        (r"nixpkgs:trunk:greeter\..*", "build_finished", True),
        (r"nixpkgs:trunk:hello", "build_finished", False),
        ("other:.*", "step_finished", False),
        ("other:.*", "eval_added", True),
    ],
)
def test_jobs_are_a_whole_match_of_the_build_or_of_one_that_ended_with_it(
    sink: Sink, tmp_path: Path, jobs: str, event: Any, posted: bool
) -> None:
    outcome = start(tmp_path, sink.url, {}, jobs=jobs).send(event)
    outcome.raise_for_failure()
    assert (len(sink.calls), outcome.skipped is None) == (posted, posted)


def test_address_and_header_may_be_secrets_and_are_in_no_message(
    sink: Sink, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sink.reply = Reply(404)
    url = f"{sink.url}/s3cret\n"
    secrets = {"url": url, "authorization": "Bearer t0ken\n"}
    host = start(tmp_path, "https://example.org", secrets)
    with caplog.at_level("INFO"):
        outcome = host.send("build_finished")
    (call,) = sink.calls
    assert (call.line, outcome.code) == ("POST /s3cret", 404)
    assert call.headers["authorization"] == "Bearer t0ken"
    said = f"{outcome!r} {outcome.log} {caplog.text}"
    assert "s3cret" not in said
    assert "t0ken" not in said


@pytest.mark.parametrize(
    ("url", "secrets", "settings", "message"),
    [
        ("", {}, {}, "settings.url: is required"),
        ("example.org", {}, {}, "settings.url: is no web address"),
        ("https:/path", {}, {}, "settings.url: is no web address"),
        ("http://[::1", {}, {}, "settings.url: is no web address"),
        ("http://h:x/", {}, {}, "settings.url: is no web address"),
        ("file:///etc/passwd", {}, {}, "settings.url: is no web address"),
        ("http://x", {"url": "ftp://x"}, {}, "secrets.url: is no web address"),
        ("http://x", {"hmac_key": "whsec_!"}, {}, "secrets.hmac_key: has no base64"),
        ("http://x", {"authorization": "a\nb"}, {}, "secrets.authorization: is no he"),
        ("http://x", {}, {"timeout": 46}, "settings.timeout: expected `float` <= 45"),
        ("http://x", {}, {"jobs": "("}, "settings.jobs: is no regular expression"),
        ("http://x", {}, {"headers": {"a b": ""}}, "settings.headers.a b: is no head"),
        ("http://x", {}, {"headers": {"a": "\n"}}, "settings.headers.a: is no header"),
        (
            "http://x",
            {},
            {"headers": {"Webhook-Id": "1"}},
            "settings.headers.Webhook-Id: is set by the plugin",
        ),
        (
            "http://x",
            {},
            {"headers": {"Authorization": "Bearer x"}},
            "settings.headers.Authorization: is a secret",
        ),
        ("http://x", {}, {"ulr": "http://x"}, "settings.ulr: there is no such setting"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(
    tmp_path: Path,
    url: str,
    secrets: dict[str, str],
    settings: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(StartFailed) as refused:
        start(tmp_path, url, secrets, **settings)
    assert str(refused.value).startswith(f"422 {message}")
