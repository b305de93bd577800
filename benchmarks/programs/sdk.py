"""The quickest plugin that the SDK makes. Its argument is its window."""

import sys

from hydra_notify_sdk import BuildEvent, Plugin

plugin = Plugin("sdk", "1", max_in_flight=int(sys.argv.pop()))


@plugin.on("build_finished")
def nod(_event: BuildEvent) -> None:
    pass


plugin.run()
