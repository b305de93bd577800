#!/usr/bin/env python3
"""The smallest plugin: a line of log for each event.

With the setting `receipts = true` it also keeps a list of what it has handled.
"""

from pathlib import Path

from hydra_notify_sdk import AnyEvent, BuildEventData, Context, Plugin

plugin = Plugin("log-events", "1.0")


@plugin.on("*")
def log(event: AnyEvent, context: Context[dict[str, object]]) -> None:
    """Logs one event."""
    context.log.info("%s: %s", event.name, event.data.url)
    if context.config.get("receipts"):
        note(event)


def note(event: AnyEvent) -> None:
    """Writes down the event and the builds it is about."""
    data, builds = event.data, list[int]()
    if isinstance(data, BuildEventData):
        builds = [data.build, *(data.dependent_ids or [])]
    with Path("received.log").open("a") as received:
        received.write(f"{event.id}\t{' '.join(map(str, builds))}\n")


plugin.run()
