#!/usr/bin/env python3
"""A plugin in Python with the SDK: logs finished builds, and keeps a list of them."""

from dataclasses import dataclass

from hydra_notify_sdk import BuildEvent, Context, Plugin, Skipped


@dataclass
class Settings:
    """What the operator writes below [plugins.note_builds.settings]."""

    failures_only: bool = False


plugin = Plugin("note_builds", "1.0", config=Settings)


@plugin.on("build_finished")
def note(event: BuildEvent, context: Context[Settings]) -> Skipped | None:
    """Your code goes here. It returns, or raises `Retry`, `Permanent`, ..."""
    data = event.data
    if context.config.failures_only and data.build_status == 0:
        return Skipped("it succeeded")
    builds = [data.build, *(data.dependent_ids or [])]
    line = f"{event.id}\t{' '.join(map(str, builds))}\n"
    path = context.state_dir / "received.log"
    if event.redelivered and path.exists() and line in path.read_text():
        return None
    with path.open("a") as received:
        received.write(line)
    context.log.info("build ended with status %s: %s", data.build_status, data.url)
    return None


if __name__ == "__main__":
    plugin.run()
