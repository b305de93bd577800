"""The plugin `coverity`: what it uploads, and what it takes for accepted."""

import re
from pathlib import Path

import pytest
from tests.forms import fields
from tests.plugin_check import SERVICE, untried

from hydra_notify.kit.sink import Reply, Sink
from hydra_notify_plugins import coverity
from hydra_notify_plugins.coverity import plugin, version_of
from hydra_notify_sdk import BuildEventData
from hydra_notify_sdk.testing import Host, Sample, StartFailed, drive, sample_event
from hydra_notify_sdk.wire import Output, Verdict

TOKEN = "token-of-the-test"

SETTINGS = {"project": "nixos/patchelf", "email": "me@example.org"}

ACCEPTED = Reply(body=b"Build successfully submitted.")


@pytest.fixture
def sink(sink: Sink) -> Sink:
    sink.reply = ACCEPTED
    return sink


def host(sink: Sink, state_dir: Path, **settings: object) -> Host:
    config = {**SETTINGS, "url": f"{sink.url}/builds", **settings}
    return drive(plugin, config=config, secrets={"token": TOKEN}, state_dir=state_dir)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """An output with something to upload."""
    tarballs = tmp_path / "hash-patchelf" / "tarballs"
    tarballs.mkdir(parents=True)
    (tarballs / "patchelf-0.18.0.tar.bz2").write_bytes(b"the source")
    (tarballs / "patchelf-0.18.0-coverity-int.xz").write_bytes(b"captured")
    return tarballs.parent


def finished(*outputs: Path, status: int = 0) -> Sample[BuildEventData]:
    sample = sample_event("build_finished", status=status)
    sample.data.outputs = [Output("out", str(path)) for path in outputs]
    return sample


def test_what_the_build_has_captured_is_uploaded(
    sink: Sink, store: Path, tmp_path: Path
) -> None:
    outcome = host(sink, tmp_path).send(finished(store))
    outcome.raise_for_failure()
    (call,) = sink.calls
    assert call.line == "POST /builds?project=nixos%2Fpatchelf"
    job = "nixpkgs:trunk:hello.x86_64-linux"
    assert fields(call) == {
        "project": (None, "nixos/patchelf"),
        "email": (None, "me@example.org"),
        "token": (None, TOKEN),
        "version": (None, "0.18.0"),
        "description": (None, f"Hydra Coverity Build ({job}) - 4711:0.18.0"),
        "file": ("patchelf-0.18.0-coverity-int.xz", "captured"),
    }
    assert b"Content-Type: application/x-xz" in call.body
    assert TOKEN not in str(outcome.log)


def test_an_address_may_have_a_query_of_its_own(
    sink: Sink, store: Path, tmp_path: Path
) -> None:
    url = f"{sink.url}/cgi-bin/upload.py?a=b"
    host(sink, tmp_path, url=url).send(finished(store)).raise_for_failure()
    path = "/cgi-bin/upload.py?a=b&project=nixos%2Fpatchelf"
    assert sink.calls[0].line == f"POST {path}"


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("patchelf-0.18.0-coverity-int.tgz", "0.18.0"),
        ("my_tool-x-1.0-rc1-coverity-int.zip", "1.0-rc1"),
        ("tool-snapshot-coverity-int.bz2", "snapshot"),
        ("tool-coverity-int.lzma", "4711"),
    ],
)
def test_the_version_is_that_of_the_files_name(name: str, version: str) -> None:
    assert version_of(Path("/nix/store/x/tarballs", name), 4711) == version


def test_the_output_that_has_something_is_found(
    sink: Sink, store: Path, tmp_path: Path
) -> None:
    other = tmp_path / "hash-doc"
    other.mkdir()
    host(sink, tmp_path).send(finished(other, store)).raise_for_failure()
    assert len(sink.calls) == 1


def test_nothing_to_upload_is_nothing_to_do(sink: Sink, tmp_path: Path) -> None:
    plugged = host(sink, tmp_path)
    note = "it has left no tarballs/*-coverity-int.*"
    assert plugged.send(finished(tmp_path)).skipped == note
    assert plugged.send(finished(tmp_path / "none", status=1)).skipped == note
    other = host(sink, tmp_path, jobs="nixpkgs:trunk:other")
    assert other.send(finished(tmp_path)).skipped == "not a job of this plugin"


@pytest.mark.parametrize("status", [3, 4])
def test_upstream_an_aborted_or_cancelled_build_is_not_uploaded(
    sink: Sink, store: Path, tmp_path: Path, status: int
) -> None:
    outcome = host(sink, tmp_path).send(finished(store, status=status))
    assert outcome.skipped == "it did not run to an end"
    assert not sink.calls


def test_an_output_that_is_not_on_this_machine_is_named(
    sink: Sink, tmp_path: Path
) -> None:
    failed = host(sink, tmp_path).send(finished(tmp_path / "gone"))
    assert failed.verdict is Verdict.DEAD
    assert f"{tmp_path}/gone cannot be found" in failed.message
    assert failed.fix == "the plugin has to run where Hydra's store is"


def test_sent_again_it_is_not_uploaded_again(
    sink: Sink, store: Path, tmp_path: Path
) -> None:
    first, again = host(sink, tmp_path).send_twice(finished(store))
    assert (first.delivered, again.skipped) == (True, "it was uploaded before")
    assert len(sink.calls) == 1


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(body=b"ERROR! Wrong token"), Verdict.DEAD),
        (Reply(body=b"The build submission quota is used up."), Verdict.DEAD),
        (Reply(401), Verdict.BLOCK),
        (Reply(404), Verdict.DEAD),
        (Reply(429), Verdict.PAUSE),
        (Reply(500), Verdict.RETRY),
        (Reply(None), Verdict.RETRY),
    ],
)
def test_what_is_not_accepted_is_not_delivered(
    sink: Sink, store: Path, tmp_path: Path, reply: Reply, verdict: Verdict
) -> None:
    plugged = host(sink, tmp_path, timeout=0.2)
    sink.reply = reply
    failed = plugged.send(finished(store))
    assert failed.verdict is verdict
    assert TOKEN not in f"{failed} {failed.log}"
    sink.reply = ACCEPTED
    assert plugged.send(finished(store), attempt=2).delivered


def test_the_words_of_a_refusal_are_told(
    sink: Sink, store: Path, tmp_path: Path
) -> None:
    sink.reply = Reply(body=b"The build submission quota\n is used up.")
    failed = host(sink, tmp_path).send(finished(store))
    assert failed.message.endswith("The build submission quota is used up.")


def test_a_long_upload_says_that_it_goes_on(
    sink: Sink, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverity, "REPORT_EVERY", 0.0)
    big = store / "tarballs" / "patchelf-0.18.0-coverity-int.xz"
    big.write_bytes(b"x" * 200_000)
    outcome = host(sink, tmp_path).send(finished(store))
    outcome.raise_for_failure()
    percents = [each.percent or 0.0 for each in outcome.progress]
    assert len(percents) > 2
    assert percents == sorted(percents)
    assert percents[-1] == 100


def test_an_upload_that_nobody_waits_for_stops(
    sink: Sink, store: Path, tmp_path: Path
) -> None:
    failed = host(sink, tmp_path).send(finished(store), cancel_after=0)
    assert (failed.code, failed.message) == (499, "stopped after 0 of 8 bytes")
    assert host(sink, tmp_path).send(finished(store), attempt=2).delivered


@pytest.mark.parametrize(
    ("settings", "secrets", "problem"),
    [
        ({}, {}, "secrets.token: is required"),
        ({"project": ""}, {"token": "t"}, "settings.project: is empty"),
        ({"token": "t"}, {}, "settings.token: there is no such setting"),
        ({"jobs": "("}, {"token": "t"}, "settings.jobs: is no regular expression"),
        ({"url": "coverity"}, {"token": "t"}, "settings.url: is no web address"),
        ({"timeout": 300}, {"token": "t"}, "settings.timeout: expected"),
    ],
)
def test_what_can_never_work_is_refused(
    settings: dict[str, object], secrets: dict[str, str], problem: str
) -> None:
    with pytest.raises(StartFailed, match=re.escape(problem)) as found:
        drive(plugin, config={**SETTINGS, **settings}, secrets=secrets)
    assert found.value.fix


async def test_it_keeps_every_rule() -> None:
    """Its service is not called: the sample build has nothing for it."""
    found = await untried("coverity", {**SETTINGS, "url": "{sink}"}, {"token": TOKEN})
    assert found == {"new-events", "window", "once"} | SERVICE
