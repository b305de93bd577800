#!/usr/bin/env python3
"""The smallest plugin: a line of log for each event.

With the setting `receipts = true` it also keeps a list of what it has handled.
"""

from dataclasses import dataclass
from pathlib import Path

from hydra_notify_sdk import AnyEvent, BuildEventData, Context, Plugin


@dataclass
class Settings:
    """What the operator may write."""

    receipts: bool = False


plugin = Plugin("log-events", "1.0", config=Settings)


@plugin.on("*")
def log(event: AnyEvent, context: Context[Settings]) -> None:
    """Logs one event."""
    context.log.info("%s: %s", event.name, event.data.url)
    if context.config.receipts:
        note(event)


def note(event: AnyEvent) -> None:
    """Writes down the event and the builds it is about."""
    data, builds = event.data, list[int]()
    if isinstance(data, BuildEventData):
        builds = [data.build, *(data.dependent_ids or [])]
    line = f"{event.id}\t{' '.join(map(str, builds))}\n"
    path = Path("received.log")
    if event.redelivered and path.exists() and line in path.read_text():
        return
    with path.open("a") as received:
        received.write(line)


plugin.run()
