"""Write a hydra-notify plugin in Python.

    from hydra_notify_sdk import BuildEvent, Plugin, Retry

    plugin = Plugin("chat", "1.0")

    @plugin.on("build_finished")
    def tell(event: BuildEvent) -> None:
        if not post(event.data.url, event.data.build_status):
            raise Retry("the chat does not answer", after=30)

    plugin.run()

`testing` drives a plugin in the tests of its author. The protocol itself is in `wire`,
which needs nothing of the rest.
"""

from hydra_notify_sdk.events import Context, Event
from hydra_notify_sdk.failures import (
    Cancelled,
    ConfigProblem,
    Failure,
    Permanent,
    Retry,
    Skipped,
    Unauthorized,
)
from hydra_notify_sdk.plugin import Plugin
from hydra_notify_sdk.routes import AnyEvent, BuildEvent, EvalEvent
from hydra_notify_sdk.wire import BuildEventData, EvalEventData

__all__ = [
    "AnyEvent",
    "BuildEvent",
    "BuildEventData",
    "Cancelled",
    "ConfigProblem",
    "Context",
    "EvalEvent",
    "EvalEventData",
    "Event",
    "Failure",
    "Permanent",
    "Plugin",
    "Retry",
    "Skipped",
    "Unauthorized",
]
