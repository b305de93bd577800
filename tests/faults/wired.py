"""A stage whose host reaches its database through a faulty wire."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from tests.end_to_end.stage import Stage, stage_at
from tests.faults.proxy import Proxy, proxied

from hydra_notify.demo.server.postgres import Server
from hydra_notify.demo.simulation.schema import new_database


@asynccontextmanager
async def stage_on(server: Server) -> AsyncGenerator[Stage]:
    """A stage on a new database of `server`."""
    url = new_database(server, f"test_{uuid4().hex}")
    with tempfile.TemporaryDirectory(prefix="stage-") as directory:
        async with stage_at(url, Path(directory)) as stage:
            yield stage


@asynccontextmanager
async def wired_stage(server: Server) -> AsyncGenerator[tuple[Stage, Proxy]]:
    """A stage, and the wire that its host will use to `server`, which has TCP."""
    async with proxied(server) as proxy, stage_on(server) as stage:
        stage.url = proxy.url(stage.watcher.info.dbname)
        yield stage, proxy
