"""A host with two plugins, a simulated Hydra, a server and the link between them."""

import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import tomli_w
import trio
from tests.faults.proxy import Proxy, proxied
from tests.soak.host import Host

from hydra_notify.demo.server.postgres import Server
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.hydra import Hydra, open_hydra
from hydra_notify.demo.simulation.queue_runner import finish_build
from hydra_notify.demo.simulation.schema import new_database

PROGRAM = Path(__file__).with_name("programs") / "told.py"
PLUGINS = ("one", "two")

PATIENCE = 120.0
"""Seconds: what has not happened by then does not happen."""

LOOK = 0.01
"""Seconds between two looks; the times are the plugins' own."""


@dataclass
class Rig:
    server: Server
    hydra: Hydra
    proxy: Proxy
    host: Host
    directory: Path

    async def start(self) -> float:
        """Start the host; seconds until it listens."""
        began = time.monotonic()
        await self.host.start()
        assert await self.host.listening(PATIENCE), "the host does not listen"
        return time.monotonic() - began

    def queue(self, count: int = 1) -> tuple[int, ...]:
        return queue_builds(self.hydra, count)

    def finish(self, build: int, *, notify: bool = True) -> str:
        """Finish a build; the id of the event."""
        done = finish_build(self.hydra, build, notify=notify)
        return f"build_finished:{build}:{done.start}-{done.stop}:{done.status}"

    def told(self, plugin: str) -> dict[str, float]:
        """When a plugin was told what, the latest time for each."""
        path = self.directory / "state" / "plugins" / plugin / "told.log"
        if not path.exists():
            return {}
        lines = (line.split() for line in path.read_text().split("\n")[:-1])
        return {event: float(at) for event, at in lines}

    async def first_told(self, event: str) -> float:
        """When the first plugin was told an event, once one has been."""
        with trio.fail_after(PATIENCE):
            while True:
                times = [self.told(p)[event] for p in PLUGINS if event in self.told(p)]
                if times:
                    return min(times)
                await trio.sleep(LOOK)


@asynccontextmanager
async def rig_on(server: Server) -> AsyncGenerator[Rig]:
    """A rig on a new database; its host is not running yet."""
    name = f"bench_{uuid4().hex}"
    url = new_database(server, name)
    with TemporaryDirectory(prefix="bench-") as directory, open_hydra(url) as hydra:
        async with proxied(server) as proxy:
            config = Path(directory) / "hydra-notify.toml"
            config.write_text(_config(proxy.url(name), Path(directory)))
            host = Host(config, Path(directory))
            try:
                yield Rig(server, hydra, proxy, host, Path(directory))
            finally:
                with trio.CancelScope(shield=True):
                    if host.pid:
                        await host.kill()


def _config(url: str, directory: Path) -> str:
    command = [sys.executable, "-I", "-S", str(PROGRAM)]
    return tomli_w.dumps(
        {
            "database": {"url": url},
            "host": {
                "base_url": "https://hydra.test",
                "state_dir": str(directory / "state"),
            },
            "plugins": {plugin: {"command": command} for plugin in PLUGINS},
        }
    )
