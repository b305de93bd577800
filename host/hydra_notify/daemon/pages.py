"""What can be asked of the host over its socket."""

from collections.abc import Mapping

from hydra_notify.daemon.plugins import Plugins
from hydra_notify.http import Reply, Route


def pages(plugins: Plugins) -> list[Route]:
    """Everything there is to be had.

    Args:
        plugins: Those of the term.
    """

    async def frames(reply: Reply, values: Mapping[str, str]) -> None:
        tap = plugins.tap(values["name"])
        if tap is None:
            names = ", ".join(plugins.names) or "none"
            words = f"there is no plugin {values['name']!r}; there are: {names}"
            await reply.refuse(404, words)
            return
        with tap.follow() as follower:
            async with reply.stream("application/x-ndjson"):
                while line := await follower.next():
                    await reply.add(line)

    return [Route("/plugins/{name}/frames", frames)]
