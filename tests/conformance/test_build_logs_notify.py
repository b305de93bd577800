"""Hydra: the tests within crates/build-logs/src/notify.rs, another reader of channels.

It takes of a payload what it needs and passes over the rest in silence. This host is as
strict as Hydra's hydra-notify: what it cannot read it counts and logs.
"""

import pytest
from tests.conformance.upstream import parsed, refused

from hydra_notify.events import BuildFinished, StepFinished
from hydra_notify_sdk.wire import CHANNELS


def test_a_step_is_a_build_and_a_number() -> None:
    assert parsed("step_finished", "42\t5\tlogfile") == StepFinished(42, 5, "logfile")


@pytest.mark.parametrize(
    ("payload", "builds"), [("42", (42,)), ("42\t43\t44", (42, 43, 44))]
)
def test_a_finished_build_is_a_list_of_builds(
    payload: str, builds: tuple[int, ...]
) -> None:
    event = parsed("build_finished", payload)
    assert isinstance(event, BuildFinished)
    assert (event.build, *event.dependents) == builds


@pytest.mark.parametrize(
    ("channel", "payload"),
    [
        ("step_finished", "42"),
        ("step_finished", "abc\t5\tlog"),
        ("build_finished", ""),
        ("build_finished", "not-an-id"),
    ],
)
def test_what_cannot_be_read_is_no_event_and_unlike_there_it_is_said(
    channel: str, payload: str
) -> None:
    assert refused(channel, payload)


def test_unlike_there_nobody_listens_to_steps_that_start() -> None:
    """As Hydra's hydra-notify, for which no plugin has a hook either."""
    assert "step_started" not in CHANNELS
    assert "no such channel" in refused("step_started", "42\t5")
