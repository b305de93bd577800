"""Hydra: t/Hydra/Event/BuildQueued.t and BuildStarted.t, which are alike."""

from typing import Literal

import pytest
from tests.conformance.upstream import interested, parsed, refused
from tests.event_samples import NO_PARTS, build_data
from tests.hydra_rows import insert_build, loaded

from hydra_notify.database import Connection
from hydra_notify.events import BuildEvent

Name = Literal["build_queued", "build_started"]

both = pytest.mark.parametrize("channel", ["build_queued", "build_started"])


@both
@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ("", "0 fields where these are needed: build"),
        ("abc123\tabc123", "2 fields where these are needed: build"),
        ("abc123", "build is not an integer: 'abc123'"),
    ],
)
def test_payloads_that_are_refused(channel: Name, payload: str, why: str) -> None:
    assert refused(channel, payload) == why


@both
def test_a_payload_that_is_taken(channel: Name) -> None:
    assert parsed(channel, "19") == BuildEvent(channel, 19)


@both
def test_a_plugin_without_a_hook_is_not_interested(channel: Name) -> None:
    assert not interested(channel, "build_finished")
    assert interested(channel, channel)


def test_the_hook_gets_the_build(connection: Connection) -> None:
    insert_build(connection, 19, job="hello")
    for channel, hook in (
        ("build_queued", "buildQueued"),
        ("build_started", "buildStarted"),
    ):
        event = parsed(channel, "19")
        data = build_data(loaded(connection, event), NO_PARTS)
        assert (data.event, data.build, data.job) == (hook, 19, "hello")
