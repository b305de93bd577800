"""The relay to Apprise, against a real web server that is one of its services."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hydra_notify.kit.sink import Reply, Sink, serving
from hydra_notify_plugins.apprise_relay import plugin
from hydra_notify_sdk.testing import Host, StartFailed, drive, sample_event

# Of a module of the standard library that one of its services still has use for.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is:DeprecationWarning")


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Sink, Sink]]:
    with ExitStack() as stack:
        yield stack.enter_context(serving()), stack.enter_context(serving())


@pytest.fixture
def sinks(servers: tuple[Sink, Sink]) -> tuple[Sink, Sink]:
    for sink in servers:
        sink.calls.clear()
        sink.reply = Reply()
    return servers


def address(sink: Sink, more: str = "") -> str:
    return f"json://user:s3cret@127.0.0.1:{sink.server_port}/hook{more}"


def start(path: Path, *urls: str, **settings: Any) -> Host:
    secrets = {"urls": "\n".join(urls)}
    return drive(plugin, config=settings, secrets=secrets, state_dir=path)


def messages(sink: Sink) -> list[dict[str, Any]]:
    return [json.loads(call.body) for call in sink.calls]


def test_everybody_is_told_in_one_message(
    sinks: tuple[Sink, Sink], tmp_path: Path
) -> None:
    host = start(tmp_path, "# ours", "", *map(address, sinks))
    outcome = host.send("build_finished")
    outcome.raise_for_failure()
    for sink in sinks:
        (message,) = messages(sink)
        assert message == {
            "version": "1.0",
            "title": "nixpkgs:trunk:hello.x86_64-linux: failed (and 2 others)",
            "message": "nixpkgs:trunk:hello.x86_64-linux on x86_64-linux: failed\n"
            "https://hydra.example.org/build/4711\n"
            "nixpkgs:trunk:greeter.x86_64-linux on x86_64-linux: dependency failed\n"
            "https://hydra.example.org/build/4712\n"
            "nixpkgs:trunk:Grüße ☃.x86_64-linux on x86_64-linux: dependency failed\n"
            "https://hydra.example.org/build/4713",
            "attachments": [],
            "type": "failure",
        }
    assert [report.message for report in outcome.progress] == [
        "line 3 (json)",
        "line 4 (json)",
    ]


@pytest.mark.parametrize(
    ("tell", "before", "status", "told"),
    [
        ("changes", 0, 1, True),
        ("changes", 1, 1, False),
        ("changes", None, 0, True),
        ("changes", 1, 3, False),
        ("changes", 1, 4, False),
        ("changes", 1, 99, True),
        ("failures", 1, 1, True),
        ("failures", 1, 0, False),
        ("failures", 1, 4, False),
        ("all", 1, 1, True),
        ("all", 1, 4, True),
    ],
)
def test_what_is_told(
    sinks: tuple[Sink, Sink],
    tmp_path: Path,
    tell: str,
    before: int | None,
    status: int,
    told: bool,
) -> None:
    sink, _ = sinks
    sample = sample_event("build_finished")
    sample.data.dependents = []
    sample.data.build_status = status
    assert sample.data.previous_build
    sample.data.previous_build.build_status = before
    if before is None:
        sample.data.previous_build = None
    outcome = start(tmp_path, address(sink), tell=tell).send(sample)
    outcome.raise_for_failure()
    assert len(sink.calls) == told
    assert (outcome.skipped is None) is told


def test_jobs_are_a_whole_match(sinks: tuple[Sink, Sink], tmp_path: Path) -> None:
    sink, _ = sinks
    host = start(tmp_path, address(sink), jobs=".*:greeter[.].*")
    host.send("build_finished").raise_for_failure()
    (message,) = messages(sink)
    title = "nixpkgs:trunk:greeter.x86_64-linux: dependency failed"
    assert message["title"] == title


def test_a_long_list_is_cut(sinks: tuple[Sink, Sink], tmp_path: Path) -> None:
    sink, _ = sinks
    sample = sample_event("build_finished")
    assert sample.data.dependents
    dependent = sample.data.dependents[0]
    sample.data.dependents = [replace(dependent, build=n) for n in range(30)]
    start(tmp_path, address(sink)).send(sample).raise_for_failure()
    (message,) = messages(sink)
    assert message["title"].endswith("(and 30 others)")
    assert message["message"].endswith("\n... and 11 more")


@pytest.mark.parametrize(
    ("tell", "changed", "told"),
    [
        ("changes", True, True),
        ("changes", None, True),
        ("changes", False, False),
        ("all", False, True),
    ],
)
def test_an_evaluation_that_failed_is_told_of_if_its_error_is_new(
    sinks: tuple[Sink, Sink],
    tmp_path: Path,
    tell: str,
    changed: bool | None,
    told: bool,
) -> None:
    sink, _ = sinks
    sample = sample_event("eval_failed")
    sample.data.error_changed = changed
    sample.data.jobset_info.error_msg = "error: " + "x" * 5000
    start(tmp_path, address(sink), tell=tell).send(sample).raise_for_failure()
    assert len(sink.calls) == told
    for message in messages(sink):
        assert message["title"] == "nixpkgs:trunk: evaluation failed"
        beginning = "https://hydra.example.org/jobset/nixpkgs/trunk\n\nerror: xxx"
        assert message["message"].startswith(beginning)
        assert message["message"].endswith("x ...")
        assert len(message["message"]) < 1100


def test_who_has_taken_it_hears_nothing_twice(
    sinks: tuple[Sink, Sink], tmp_path: Path
) -> None:
    first, second = sinks
    second.reply = Reply(500)
    outcome = start(tmp_path, *map(address, sinks)).send("build_finished")
    assert (outcome.code, outcome.message) == (500, "line 2 (json) answered 500")
    second.reply = Reply()
    # Another life of the plugin, whose addresses have changed their order.
    host = start(tmp_path, address(second), address(first))
    for _ in range(2):
        host.send("build_finished", attempt=2).raise_for_failure()
    assert (len(first.calls), len(second.calls)) == (1, 2)


def test_a_repetition_is_told_once(sinks: tuple[Sink, Sink], tmp_path: Path) -> None:
    sink, _ = sinks
    for outcome in start(tmp_path, address(sink)).send_twice("build_finished"):
        outcome.raise_for_failure()
    assert len(sink.calls) == 1


def test_the_parts_of_a_long_list_tell_of_each_build_once(
    sinks: tuple[Sink, Sink], tmp_path: Path
) -> None:
    sink, _ = sinks
    host = start(tmp_path, address(sink))
    sample = sample_event("build_finished")
    for number, dependent in enumerate(sample.data.dependents or []):
        sample.data.dependents = [dependent]
        sample.id += f":{number}"
        host.send(sample).raise_for_failure()
    one, other = messages(sink)
    assert one["title"].endswith(":hello.x86_64-linux: failed (and 1 other)")
    assert other["title"].endswith(":Grüße ☃.x86_64-linux: dependency failed")


@pytest.mark.parametrize(
    ("replies", "code", "verdict"),
    [
        ((Reply(401), Reply(401)), 401, "BLOCK"),
        ((Reply(403), Reply(200)), 401, "BLOCK"),
        ((Reply(401), Reply(500)), 500, "RETRY"),
        ((Reply(404), Reply(200)), 422, "DEAD"),
        ((Reply(404), Reply(401)), 401, "BLOCK"),
        ((Reply(404), Reply(breaks=True)), 500, "RETRY"),
        ((Reply(429), Reply(200)), 429, "PAUSE"),
        ((Reply(429), Reply(500)), 500, "RETRY"),
        ((Reply(302, headers={"Location": "/x"}), Reply(200)), 500, "RETRY"),
    ],
)
def test_as_long_as_one_may_take_it_it_is_tried_again(
    sinks: tuple[Sink, Sink],
    tmp_path: Path,
    replies: tuple[Reply, Reply],
    code: int,
    verdict: str,
) -> None:
    for sink, reply in zip(sinks, replies, strict=True):
        sink.reply = reply
    urls = [address(sink, "?redirect=no") for sink in sinks]
    outcome = start(tmp_path, *urls).send("build_finished")
    assert (outcome.code, outcome.verdict.name) == (code, verdict)


def test_a_service_that_hangs_is_tried_again(
    sinks: tuple[Sink, Sink], tmp_path: Path
) -> None:
    sink, _ = sinks
    sink.reply = Reply(None)
    outcome = start(tmp_path, address(sink, "?rto=0.2")).send("build_finished")
    assert (outcome.code, outcome.message) == (500, "line 1 (json) has not taken it")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What a plugin's log would have: pytest's own also asks loggers one by one."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.setLevel(level)
    root.removeHandler(handler)


def test_addresses_are_in_no_message_and_no_file(
    sinks: tuple[Sink, Sink], tmp_path: Path, logged: io.StringIO
) -> None:
    sink, _ = sinks
    sink.reply = Reply(500)
    outcome = start(tmp_path, address(sink)).send("build_finished")
    with pytest.raises(StartFailed) as refused:
        start(tmp_path, address(sink), "jsn://user:s3cret@host")
    said = f"{outcome!r} {outcome.log} {logged.getvalue()} {refused.value}"
    assert "s3cret" not in said
    assert str(sink.server_port) not in said
    assert not any(b"s3cret" in file.read_bytes() for file in tmp_path.iterdir())
    assert "secrets.urls: line 2 is no address that Apprise knows" in said


@pytest.mark.parametrize(
    ("urls", "settings", "message"),
    [
        ([], {}, "secrets.urls: is required"),
        (["# nothing"], {}, "secrets.urls: is required"),
        (["json://localhost"] * 33, {}, "secrets.urls: has 33 addresses"),
        (["json://localhost"], {"tell": "x"}, "settings.tell: invalid enum value"),
        (["json://localhost"], {"jobs": "("}, "settings.jobs: is no regular"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(
    tmp_path: Path, urls: list[str], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(StartFailed) as refused:
        start(tmp_path, *urls, **settings)
    assert str(refused.value).startswith(f"422 {message}")
