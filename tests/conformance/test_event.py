"""Hydra: t/Hydra/Event.t."""

from tests.conformance.upstream import parsed, refused

from hydra_notify.events import BuildEvent, Notification, notification_of


def test_an_event_has_its_channel_its_build_and_what_was_announced() -> None:
    event = parsed("build_started", "19")
    assert event == BuildEvent("build_started", 19)
    assert notification_of(event) == Notification("build_started", "19")


def test_a_channel_that_does_not_exist_is_an_error() -> None:
    assert refused("bogus", "") == "no such channel: 'bogus'"
