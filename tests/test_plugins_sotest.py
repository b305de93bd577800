"""The plugin `sotest`: which builds it makes a test of, and how."""

import base64
import re
from pathlib import Path

import pytest
from tests.forms import fields
from tests.plugin_check import SERVICE, untried

from hydra_notify.kit.sink import Reply, Sink
from hydra_notify_plugins.sotest import plugin
from hydra_notify_sdk import BuildEventData
from hydra_notify_sdk.testing import Host, Sample, StartFailed, drive, sample_event
from hydra_notify_sdk.wire import Product, Verdict

AUTH = "me:pass:word"


def host(sink: Sink, state_dir: Path, **settings: object) -> Host:
    config = {"url": f"{sink.url}/", **settings}
    return drive(plugin, config=config, secrets={"auth": AUTH}, state_dir=state_dir)


def product(number: int, subtype: str, path: Path) -> Product:
    return Product(
        product_nr=number,
        type="file",
        subtype=subtype,
        file_size=1,
        sha256hash=None,
        path=str(path),
        name=path.name,
        default_path="",
    )


@pytest.fixture
def event(tmp_path: Path) -> Sample[BuildEventData]:
    """A build with the products, in a store of its own."""
    config = tmp_path / "config.yaml"
    config.write_text("boot: yes\n")
    sample = sample_event("build_finished", status=0)
    sample.data.products += [
        product(2, "sotest-binaries", tmp_path / "bina ries.zip"),
        product(3, "sotest-config", config),
    ]
    return sample


def test_a_build_with_both_products_becomes_a_test(
    sink: Sink, event: Sample[BuildEventData], tmp_path: Path
) -> None:
    host(sink, tmp_path, priority=7).send(event).raise_for_failure()
    (call,) = sink.calls
    assert call.line == "POST /api/create"
    secret = base64.b64encode(AUTH.encode()).decode()
    assert call.headers["authorization"] == f"Basic {secret}"
    page = "https://hydra.example.org/build/4711"
    assert fields(call) == {
        "boot_files_url": (None, f"{page}/download/2/bina%20ries.zip"),
        "name": (None, "nixpkgs:trunk:hello.x86_64-linux"),
        "url": (None, page),
        "priority": (None, "7"),
        "config": ("config.yaml", "boot: yes\n"),
    }


@pytest.mark.parametrize("missing", ["sotest-binaries", "sotest-config"])
def test_a_build_without_one_of_them_is_no_test(
    sink: Sink, event: Sample[BuildEventData], tmp_path: Path, missing: str
) -> None:
    event.data.products = [p for p in event.data.products if p.subtype != missing]
    assert host(sink, tmp_path).send(event).skipped == "it has no products for SoTest"
    assert not sink.calls


def test_other_jobs_are_left_alone(
    sink: Sink, event: Sample[BuildEventData], tmp_path: Path
) -> None:
    plugged = host(sink, tmp_path, jobs="nixpkgs:trunk:hell")
    assert plugged.send(event).skipped == "not a job of this plugin"


def test_sent_again_it_makes_no_second_test(
    sink: Sink, event: Sample[BuildEventData], tmp_path: Path
) -> None:
    first, again = host(sink, tmp_path).send_twice(event)
    assert (first.delivered, again.skipped) == (True, "its test was made before")
    assert len(sink.calls) == 1


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(401), Verdict.BLOCK),
        (Reply(404), Verdict.DEAD),
        (Reply(429), Verdict.PAUSE),
        (Reply(500), Verdict.RETRY),
        (Reply(None), Verdict.RETRY),
    ],
)
def test_what_is_not_taken_is_not_delivered(
    sink: Sink,
    event: Sample[BuildEventData],
    tmp_path: Path,
    reply: Reply,
    verdict: Verdict,
) -> None:
    plugged = host(sink, tmp_path, timeout=0.2)
    sink.reply = reply
    failed = plugged.send(event)
    assert failed.verdict is verdict
    assert "pass:word" not in f"{failed} {failed.log}"
    sink.reply = Reply()
    assert plugged.send(event, attempt=2).delivered


def test_a_file_that_is_not_on_this_machine_is_named(
    sink: Sink, event: Sample[BuildEventData], tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").unlink()
    failed = host(sink, tmp_path).send(event)
    assert failed.verdict is Verdict.DEAD
    assert f"{tmp_path}/config.yaml cannot be read" in failed.message
    assert failed.fix == "the plugin has to run where Hydra's store is"


@pytest.mark.parametrize(
    ("settings", "auth", "problem"),
    [
        ({}, "", "secrets.auth: has to be name and password"),
        ({}, "me", "secrets.auth: has to be name and password"),
        ({"url": "sotest"}, AUTH, "settings.url: is no web address"),
        ({"jobs": "("}, AUTH, "settings.jobs: is no regular expression"),
        ({"priority": "high"}, AUTH, "settings.priority: expected"),
    ],
)
def test_what_can_never_work_is_refused(
    settings: dict[str, object], auth: str, problem: str
) -> None:
    with pytest.raises(StartFailed, match=re.escape(problem)) as found:
        drive(plugin, config=settings, secrets={"auth": auth} if auth else {})
    assert found.value.fix


async def test_it_keeps_every_rule() -> None:
    """Its service is not called: the sample build has no products for it."""
    found = await untried("sotest", {"url": "{sink}"}, {"auth": AUTH})
    assert found == {"new-events", "window", "once"} | SERVICE
