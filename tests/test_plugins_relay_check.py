"""Plugins that hand events on keep every rule of `plugin check`, at level should."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.fake_store import FakeStore
from tests.nats_server import NatsServer
from tests.s3_server import KEYS
from tests.transcripts import Frame

from hydra_notify.kit.check.candidate import Candidate, Patience
from hydra_notify.kit.check.formats import as_text
from hydra_notify.kit.check.report import Level
from hydra_notify.kit.check.run import check
from hydra_notify.kit.sink import Sink, serving

PATIENCE = Patience(quick=10)
"""The machine may have other work."""

NEVER_ASKED = {"new-events", "window"}
"""Rules that are not tried on plugins without patterns, or a window."""

WITHOUT_SERVICE = {"slow-down", "outage", "credentials", "hang"}


@dataclass
class Told:
    """What a plugin is told; `{sink}` is where the check listens.

    Attributes:
        untried: Rules that cannot be tried on it.
    """

    settings: Frame
    secrets: dict[str, str] = field(default_factory=dict)
    untried: frozenset[str] = frozenset()


PLUGINS = {
    "apprise_relay": Told({"tell": "all"}, {"urls": ""}, frozenset({"once"})),
    "nats_relay": Told({"servers": [], "subject": "check.{event}"}),
    "run_command": Told({"commands": [{"command": "true"}]}),
    "s3_backup": Told(
        {"bucket": "", "jobs": ".*:hello[.].*"}, KEYS, frozenset({"once"})
    ),
    "webhook": Told(
        {"url": "{sink}/hook", "timeout": 1}, {"hmac_key": "a key of the test"}
    ),
}


@pytest.fixture(scope="module")
def stream(nats: NatsServer) -> Iterator[NatsServer]:
    nats.make_stream("CHECK", "check.>")
    yield nats
    nats.drop_stream("CHECK")


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with serving() as server:
        yield server


@pytest.mark.parametrize("name", PLUGINS)
async def test_a_plugin_keeps_every_rule(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    told = PLUGINS[name]
    settings = dict(told.settings)
    secrets, environment = dict(told.secrets), {}
    if "urls" in secrets:
        sink = request.getfixturevalue("sink")
        secrets["urls"] = f"json://127.0.0.1:{sink.server_port}/"
    if "bucket" in settings:
        store = FakeStore(tmp_path / "bin")
        environment["PATH"] = f"{store.folder}:{os.environ['PATH']}"
        bucket = request.getfixturevalue("s3").bucket()
        settings |= {"bucket": bucket.name, "endpoint": bucket.url}
    if "servers" in settings:
        settings["servers"] = [request.getfixturevalue("stream").url]
    command = (sys.executable, "-m", f"hydra_notify_plugins.{name}")
    report = await check(
        Candidate(command, settings, secrets, environment), Level.SHOULD, PATIENCE
    )
    assert report.passed, as_text(report)
    untried = {each.rule for each in report.results if each.outcome == "not tried"}
    assert untried <= NEVER_ASKED | WITHOUT_SERVICE | told.untried, as_text(report)
    calls_sink = "{sink}" in str(told)
    assert bool(untried & WITHOUT_SERVICE) is not calls_sink, as_text(report)
