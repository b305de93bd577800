"""The plugin `influxdb`: what it sends, and what it makes of the answers."""

import re
from collections.abc import Mapping

import pytest
from tests.plugin_check import untried

from hydra_notify.kit.sink import Reply, Sink
from hydra_notify_plugins.influxdb import own_name, plugin, tag
from hydra_notify_sdk import BuildEventData
from hydra_notify_sdk.testing import Host, Sample, StartFailed, drive, sample_event
from hydra_notify_sdk.wire import Verdict

COMMON = "jobset=trunk,project=nixpkgs,repo=trunk"


@pytest.fixture
def sink(sink: Sink) -> Sink:
    sink.reply = Reply(204, body=b"")
    return sink


def host(
    url: str, secrets: Mapping[str, str] | None = None, **settings: object
) -> Host:
    config = {"url": url, "host": "hydra.example.org", **settings}
    return drive(plugin, config=config, secrets=secrets)


def finished(status: int = 0, *, dependents: bool = False) -> Sample[BuildEventData]:
    sample = sample_event("build_finished", status=status)
    if not dependents:
        sample.data.dependents = []
        sample.data.dependent_ids = []
    return sample


def test_a_point_has_the_measurement_tags_and_fields_of_hydra(sink: Sink) -> None:
    host(sink.url, db="hydra").send(finished()).raise_for_failure()
    (call,) = sink.calls
    assert call.line == "POST /write?db=hydra&precision=s"
    assert call.body.decode() == (
        "hydra_build_status,cached=false,host=hydra.example.org,job=hello.x86_64-linux,"
        f"{COMMON},result=success,status=success,system=x86_64-linux"
        ' build_id="4711",build_status=0i,closure_size=32105472i,duration=100i,'
        'main_build_id="4711",queued=90i,size=193304i 1767607200'
    )
    assert "authorization" not in call.headers


def test_the_builds_that_ended_with_it_are_in_the_same_request(sink: Sink) -> None:
    host(sink.url, db="hydra").send(finished(1, dependents=True)).raise_for_failure()
    (call,) = sink.calls
    lines = call.body.decode().split("\n")
    ids = [re.findall(r'build_id="(\d+)"', line) for line in lines]
    assert ids == [["4711", "4711"], ["4712", "4711"], ["4713", "4711"]]
    assert "result=failure,status=failed" in lines[0]
    assert r"job=Grüße\ ☃.x86_64-linux" in lines[2]
    assert "result=dependency-failed,status=failed" in lines[2]


@pytest.mark.parametrize(
    ("status", "tags"),
    [
        (3, "result=aborted,status=canceled"),
        (4, "result=cancelled,status=canceled"),
        (6, "result=failed-with-output,status=failed"),
        (7, "result=timed-out,status=failed"),
        (8, "result=aborted,status=canceled"),
        (9, "result=unsupported-system,status=failed"),
        (10, "result=log-limit-exceeded,status=canceled"),
        (11, "result=output-limit-exceeded,status=canceled"),
        (12, "result=non-deterministic-build,status=failed"),
        (99, "result=aborted,status=failed"),
    ],
)
def test_a_status_has_hydras_words(sink: Sink, status: int, tags: str) -> None:
    host(sink.url, db="hydra").send(finished(status)).raise_for_failure()
    assert f",{tags}," in sink.calls[0].body.decode()


def test_the_repository_of_a_pull_request_is_its_jobset_without_it(sink: Sink) -> None:
    event = finished()
    event.data.jobset = "my.pr-tool.pr-12"
    event.data.is_cached_build = True
    host(sink.url, db="hydra").send(event).raise_for_failure()
    text = sink.calls[0].body.decode()
    assert "jobset=my.pr-tool.pr-12,project=nixpkgs,repo=my.pr-tool," in text
    assert ",cached=true," in text


def test_a_build_that_hydra_knows_less_of_is_a_point_too(sink: Sink) -> None:
    event = finished()
    event.data.size = event.data.closure_size = event.data.start_time = None
    event.data.timestamp = 1_767_607_999
    event.data.system = ""
    host(sink.url, db="hydra").send(event).raise_for_failure()
    text = sink.calls[0].body.decode()
    assert "closure_size=0i,duration=0i" in text
    assert "queued=0i,size=0i 1767607200" in text
    assert "system" not in text


def test_a_build_that_is_being_built_again_is_no_point(sink: Sink) -> None:
    event = finished()
    event.data.stop_time = event.data.build_status = None
    assert host(sink.url, db="hydra").send(event).skipped
    assert not sink.calls


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a b,c=d", r"a\ b\,c\=d"),
        ("back\\slash", "back\\slash"),
        ("at its end\\\\", r"at\ its\ end"),
        ("two\r\nlines", r"two\ lines"),
        ('say "hi"', r"say\ " + '"hi"'),
    ],
)
def test_a_tag_is_escaped_as_line_protocol_wants_it(value: str, written: str) -> None:
    assert tag(value) == written


def test_influxdb_2_is_told_organisation_bucket_and_token(sink: Sink) -> None:
    settings = {"org": "My Org", "bucket": "hydra/main"}
    host(f"{sink.url}/influx/", {"token": "s3cret"}, **settings).send(
        finished()
    ).raise_for_failure()
    (call,) = sink.calls
    assert call.line == (
        "POST /influx/api/v2/write?org=My+Org&bucket=hydra%2Fmain&precision=s"
    )
    assert call.headers["authorization"] == "Token s3cret"


def test_only_the_jobs_of_the_plugin_are_sent(sink: Sink) -> None:
    plugged = host(sink.url, db="hydra", jobs=r"nixpkgs:trunk:gr.*")
    plugged.send(finished(1, dependents=True)).raise_for_failure()
    assert re.findall(r"job=(\w+)", sink.calls[0].body.decode()) == ["greeter"]
    assert plugged.send(finished(1)).skipped == "none of its builds is for this plugin"


def test_sent_again_it_is_the_same_point_under_the_same_name(sink: Sink) -> None:
    for outcome in host(sink.url, db="hydra").send_twice(finished()):
        outcome.raise_for_failure()
    first, again = sink.calls
    assert first.body == again.body
    assert first.headers["x-request-id"] == again.headers["x-request-id"]
    assert first.headers["x-request-id"].startswith("build_finished:4711:")


def test_dependents_that_did_not_fit_are_told(sink: Sink) -> None:
    event = finished(1, dependents=True)
    assert event.data.dependents
    event.data.dependents = event.data.dependents[:1]
    event.data.truncated = ["dependents"]
    outcome = host(sink.url, db="hydra").send(event)
    assert [line.message for line in outcome.log if line.level == "warning"] == [
        "too large an event: no points for 1 dependents"
    ]


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(401), Verdict.BLOCK),
        (Reply(429), Verdict.PAUSE),
        (Reply(500), Verdict.RETRY),
        (Reply(400), Verdict.DEAD),
        (Reply(None), Verdict.RETRY),
    ],
)
def test_what_is_not_taken_is_not_delivered(
    sink: Sink, reply: Reply, verdict: Verdict
) -> None:
    sink.reply = reply
    assert host(sink.url, db="h", timeout=0.2).send(finished()).verdict is verdict


@pytest.mark.parametrize(
    ("settings", "secrets", "problem"),
    [
        ({}, {}, "settings.bucket: is required"),
        ({"bucket": "b"}, {"token": "t"}, "settings.org: is required"),
        ({"bucket": "b", "org": "o"}, {}, "secrets.token: is required"),
        ({"bucket": "b", "db": "d"}, {}, "settings.db: is a database of InfluxDB 1"),
        ({"db": "d", "username": "u"}, {}, "secrets.password: is required"),
        ({"db": "d"}, {"password": "p"}, "settings.username: is required"),
        ({"db": "d", "jobs": "("}, {}, "settings.jobs: is no regular expression"),
        ({"db": "d", "url": "influx:8086"}, {}, "settings.url: is no web address"),
        ({"db": "d", "timeout": 30}, {}, "settings.timeout: expected"),
    ],
)
def test_what_can_never_work_is_refused(
    settings: dict[str, object], secrets: dict[str, str], problem: str
) -> None:
    with pytest.raises(StartFailed, match=re.escape(problem)) as found:
        drive(plugin, config={"url": "http://x", **settings}, secrets=secrets)
    assert found.value.fix


async def test_it_keeps_every_rule() -> None:
    settings = {"url": "{sink}", "db": "hydra", "username": "me", "timeout": 1}
    secrets = {"password": "a secret of the test"}
    assert await untried("influxdb", settings, secrets) == {"new-events"}


def test_without_a_setting_the_host_is_this_machine(sink: Sink) -> None:
    drive(plugin, config={"url": sink.url, "db": "hydra"}).send(finished())
    assert f",host={tag(own_name())}," in sink.calls[0].body.decode()
