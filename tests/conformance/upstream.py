"""What Hydra's own tests ask of an event, asked of ours.

The files beside this one bear the names of files of Hydra's test suite, and their
parametrized cases are its cases: payloads and what has to come of them. Hydra's tests
are under another licence: facts are taken from them, and no text.
"""

import pytest
from tests.state_machine.host import plugin

from hydra_notify.delivery import OpenEvents, Queue
from hydra_notify.dispatcher.subscriber import Subscriber
from hydra_notify.errors import PayloadError
from hydra_notify.events import Event, Notification, parse
from hydra_notify.metrics import PluginCounts
from hydra_notify_sdk.wire import InitializeResult


def parsed(channel: str, payload: str) -> Event:
    """The event that this payload is."""
    return parse(Notification(channel, payload))


def refused(channel: str, payload: str) -> str:
    """Why this payload is none."""
    with pytest.raises(PayloadError) as caught:
        parsed(channel, payload)
    return str(caught.value)


def interested(channel: str, *events: str) -> bool:
    """Whether a plugin whose manifest names these events gets those of `channel`."""
    subscriber = Subscriber(plugin("one"), Queue(OpenEvents().parked), PluginCounts())
    manifest = InitializeResult(
        protocol_version=1, name="one", version="1", events=list(events)
    )
    subscriber.greet(manifest)
    return channel in subscriber.channels
