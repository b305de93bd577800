"""The relay to NATS JetStream, against a real nats-server."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.nats_server import NatsServer

from hydra_notify_plugins.nats_relay import plugin, streams
from hydra_notify_sdk.testing import Host, StartFailed, drive, sample_event

Start = Callable[..., Host]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    def begin(servers: list[str], **options: Any) -> Host:
        secrets = options.pop("secrets", {})
        config = {"servers": servers, **options}
        return drive(plugin, config=config, secrets=secrets, state_dir=tmp_path)

    yield begin
    for path in list(streams):
        streams.pop(path)[0].close()


@pytest.fixture
def stream(nats: NatsServer) -> Iterator[NatsServer]:
    """The server with a stream that takes the subjects of the default template."""
    nats.make_stream("HYDRA", "hydra.>")
    yield nats
    nats.drop_stream("HYDRA")


def test_an_event_is_delivered_when_the_stream_has_it(
    stream: NatsServer, start: Start
) -> None:
    sample = sample_event("build_finished")
    start([stream.url]).send(sample).raise_for_failure()
    (message,) = stream.messages("HYDRA")
    assert message.subject == "hydra.build_finished.nixpkgs.trunk"
    assert message.headers == {"Nats-Msg-Id": sample.id}
    document = json.loads(message.data or b"")
    assert (document["specversion"], document["id"]) == ("1.0", sample.id)
    assert document["data"]["dependents"][0]["build"] == 4712


def test_the_stream_drops_a_repetition(
    stream: NatsServer, start: Start, tmp_path: Path
) -> None:
    host = start([stream.url])
    # An operator has it sent again, to a plugin that does not ask its memory.
    for _ in range(2):
        host.send("build_finished").raise_for_failure()
    assert len(stream.messages("HYDRA")) == 1


def test_a_repetition_that_the_stream_has_forgotten_is_dropped_too(
    nats: NatsServer, start: Start
) -> None:
    nats.make_stream("HYDRA", "hydra.>")
    host = start([nats.url])
    host.send("build_finished").raise_for_failure()
    nats.drop_stream("HYDRA")
    nats.make_stream("HYDRA", "hydra.>")
    try:
        host.send("build_finished", redelivered=True).raise_for_failure()
        assert not nats.messages("HYDRA")
        host.send("eval_added", redelivered=True).raise_for_failure()
        assert len(nats.messages("HYDRA")) == 1
    finally:
        nats.drop_stream("HYDRA")


def test_without_a_stream_nothing_is_delivered(nats: NatsServer, start: Start) -> None:
    host = start([nats.url])
    outcome = host.send("build_finished")
    assert outcome.code == 503
    assert outcome.message == (
        "no stream takes the subject hydra.build_finished.nixpkgs.trunk"
    )
    nats.make_stream("HYDRA", "hydra.>")
    host.send("build_finished", attempt=2).raise_for_failure()
    assert len(nats.messages("HYDRA")) == 1
    nats.drop_stream("HYDRA")


def test_another_stream_than_the_one_that_is_named_is_none(
    stream: NatsServer, start: Start
) -> None:
    outcome = start([stream.url], stream="OTHER").send("build_finished")
    assert outcome.code == 503
    assert "the stream refuses: expected stream does not match" in outcome.message
    assert not stream.messages("HYDRA")
    start([stream.url], stream="HYDRA").send("build_finished").raise_for_failure()


def test_an_answer_that_is_no_streams_is_no_delivery(
    nats: NatsServer, start: Start
) -> None:
    host = start([nats.url])
    for answer in (b"{}", b"thanks", b"[]"):
        outcome = nats.answering("hydra.>", answer, lambda: host.send("eval_added"))
        assert outcome.code == 503
        assert "something that is no stream answers" in outcome.message


def test_an_event_that_is_too_large_is_given_up(tmp_path: Path, start: Start) -> None:
    (tmp_path / "small").write_text("max_payload: 1024")
    server = NatsServer(tmp_path / "own", "--config", str(tmp_path / "small"))
    server.start()
    try:
        outcome = start([server.url]).send("build_finished")
    finally:
        server.stop()
    assert (outcome.code, outcome.verdict.name) == (413, "DEAD")


@pytest.mark.parametrize(
    ("template", "event", "subject"),
    [
        ("h.{job}.{status}", "build_finished", "h.hello_x86_64-linux.1"),
        ("h.{system}.{event}", "build_queued", "h.x86_64-linux.build_queued"),
        ("h.{status}.{project}", "build_queued", "h.-.nixpkgs"),
        ("h.{job}.{status}.{jobset}", "eval_added", "h.-.-.trunk"),
        ("h", "eval_failed", "h"),
    ],
)
def test_a_subject_is_made_of_words(
    nats: NatsServer, start: Start, template: str, event: Any, subject: str
) -> None:
    nats.make_stream("WORDS", "h", "h.>")
    try:
        start([nats.url], subject=template).send(event).raise_for_failure()
        (message,) = nats.messages("WORDS")
        assert message.subject == subject
    finally:
        nats.drop_stream("WORDS")


def test_names_that_mean_something_to_nats_are_words(
    stream: NatsServer, start: Start
) -> None:
    sample = sample_event("build_finished")
    sample.data.project, sample.data.jobset = "a > b", "*.☃"
    start([stream.url]).send(sample).raise_for_failure()
    (message,) = stream.messages("HYDRA")
    assert message.subject == "hydra.build_finished.a___b.__☃"


def test_a_server_that_comes_back_is_found_again(tmp_path: Path, start: Start) -> None:
    server = NatsServer(tmp_path / "own")
    server.start()
    try:
        server.make_stream("HYDRA", "hydra.>")
        host = start([server.url])
        host.send("build_finished").raise_for_failure()
        server.stop()
        outcome = host.send("eval_added")
        assert outcome.code in (502, 503)
        server.start()
        host.send("eval_added", attempt=2).raise_for_failure()
        assert len(server.messages("HYDRA")) == 2
    finally:
        server.stop()


def test_of_several_servers_one_is_enough(stream: NatsServer, start: Start) -> None:
    host = start(["nats://127.0.0.1:1", stream.url])
    host.send("build_finished").raise_for_failure()
    assert len(stream.messages("HYDRA")) == 1


def test_many_events_are_in_flight_at_a_time(stream: NatsServer, start: Start) -> None:
    samples = [sample_event("build_finished", build=number) for number in range(200)]
    assert all(outcome.delivered for outcome in start([stream.url]).send_all(samples))
    assert len(stream.messages("HYDRA")) == 200


@pytest.mark.parametrize(
    ("options", "right", "wrong"),
    [
        (("--auth", "t0ken"), {"token": "t0ken\n"}, {"token": "other"}),
        (
            ("--user", "hydra", "--pass", "s3cret"),
            {"user": "hydra", "password": "s3cret"},
            {"user": "hydra", "password": "other"},
        ),
    ],
    ids=["token", "password"],
)
def test_credentials_that_are_refused_hold_everything_back(
    tmp_path: Path,
    start: Start,
    options: tuple[str, ...],
    right: dict[str, str],
    wrong: dict[str, str],
) -> None:
    server = NatsServer(tmp_path / "own", *options)
    server.start()
    try:
        for secrets in (wrong, {}):
            outcome = start([server.url], secrets=secrets).send("build_finished")
            assert (outcome.code, outcome.fix) == (401, "check the plugin's secrets")
            assert "other" not in outcome.message
        outcome = start([server.url], secrets=right).send("build_finished")
        assert "no stream takes the subject" in outcome.message, "it is let in"
    finally:
        server.stop()


def test_a_user_who_may_not_publish_is_told_where(tmp_path: Path, start: Start) -> None:
    (tmp_path / "config").write_text(
        "authorization: { users: [ { user: hydra, password: s3cret,"
        ' permissions: { publish: "other.>" } } ] }'
    )
    server = NatsServer(tmp_path / "own", "--config", str(tmp_path / "config"))
    server.start()
    try:
        secrets = {"user": "hydra", "password": "s3cret"}
        host = start([server.url], secrets=secrets, timeout=0.2)
        outcome = host.send("build_finished")
    finally:
        server.stop()
    assert (outcome.code, outcome.message) == (
        403,
        "NATS lets this user not publish to hydra.build_finished.nixpkgs.trunk",
    )


@pytest.mark.parametrize(
    ("config", "secrets", "message"),
    [
        ({}, {}, "settings.servers: is required"),
        ({"servers": []}, {}, "settings.servers: expected `array`"),
        ({"servers": ["x:1"]}, {}, "settings.servers[0]: is no server of NATS"),
        ({"servers": ["nats://h:x"]}, {}, "settings.servers[0]: is no address"),
        ({"servers": ["nats://a:b@h"]}, {}, "settings.servers[0]: has a name or a"),
        ({"subject": "a.{b}"}, {}, "settings.subject: {b} cannot be filled in"),
        ({"subject": "a.{job"}, {}, "settings.subject: is no template"),
        ({"subject": "a.{job!r}"}, {}, "settings.subject: {job} cannot be filled"),
        ({"subject": "a..{job}"}, {}, "settings.subject: is no subject"),
        ({"subject": ""}, {}, "settings.subject: is no subject"),
        ({"subject": "a.*"}, {}, "settings.subject: is no subject"),
        ({"timeout": 21}, {}, "settings.timeout: expected `float` <= 20"),
        ({}, {"password": "x"}, "secrets.user: is required"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(
    tmp_path: Path, config: dict[str, Any], secrets: dict[str, str], message: str
) -> None:
    if config or secrets:
        config = {"servers": ["nats://127.0.0.1:1"], **config}
    with pytest.raises(StartFailed) as refused:
        drive(plugin, config=config, secrets=secrets, state_dir=tmp_path)
    assert str(refused.value).startswith(f"422 {message}")
