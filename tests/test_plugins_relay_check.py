"""Plugins that hand events on keep every rule of `plugin check`, at level should."""

import os
from pathlib import Path

from tests.fake_store import FakeStore
from tests.nats_server import NatsServer
from tests.plugin_check import SERVICE, untried
from tests.s3_server import KEYS, S3Server
from tests.transcripts import Frame

from hydra_notify.kit.sink import serving

NEW_EVENTS = "new-events"
"""A rule that is tried on plugins with patterns of events."""

ONCE = "once"
"""A rule that looks for the id of an event in requests and files."""


async def test_run_command_keeps_every_rule() -> None:
    settings: Frame = {"commands": [{"command": "true"}]}
    assert await untried("run_command", settings) == SERVICE | {NEW_EVENTS, "window"}


async def test_webhook_keeps_every_rule() -> None:
    settings = {"url": "{sink}/hook", "timeout": 1}
    assert not await untried("webhook", settings, {"hmac_key": "a key of the test"})


async def test_nats_relay_keeps_every_rule(nats: NatsServer) -> None:
    nats.make_stream("CHECK", "check.>")
    settings: Frame = {"servers": [nats.url], "subject": "check.{event}"}
    try:
        assert await untried("nats_relay", settings) == SERVICE
    finally:
        nats.drop_stream("CHECK")


async def test_s3_backup_keeps_every_rule(s3: S3Server, tmp_path: Path) -> None:
    store, bucket = FakeStore(tmp_path / "bin"), s3.bucket()
    settings: Frame = {
        "bucket": bucket.name,
        "endpoint": bucket.url,
        "jobs": ".*:hello[.].*",
    }
    environment = {"PATH": f"{store.folder}:{os.environ['PATH']}"}
    found = await untried("s3_backup", settings, KEYS, environment)
    assert found == SERVICE | {NEW_EVENTS, "window", ONCE}
    assert bucket.names(), "it has copied something"


async def test_apprise_relay_keeps_every_rule() -> None:
    with serving() as sink:
        secrets = {"urls": f"json://127.0.0.1:{sink.server_port}/"}
        found = await untried("apprise_relay", {"tell": "all"}, secrets)
        assert found == SERVICE | {NEW_EVENTS, "window", ONCE}
        assert sink.calls, "it has told somebody"
