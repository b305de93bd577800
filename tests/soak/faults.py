"""What is done to the host, its plugins, its server and its link, as planned."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import trio
from tests.faults.proxy import Proxy
from tests.soak.evidence import Trouble, TroubleKind
from tests.soak.host import Host
from tests.soak.plan import LinkFault, Plan
from tests.soak.processes import kill_plugin, marked

from hydra_notify.database import Connection, Database
from hydra_notify.demo.server.postgres import Server
from hydra_notify.errors import DatabaseLost

RETRY: Final = 0.05
"""Seconds until a fault for which there was no victim is tried again."""

LATENCY: Final = 0.1
JITTER: Final = 0.2
"""Seconds that each chunk is late on a slow link."""

BACKENDS: Final = """
select pid from pg_stat_activity where application_name like 'hydra-notify%' order by 1
"""

TERMINATE: Final = "select pg_terminate_backend(pid) from unnest(%s::int[]) pid"


@dataclass(frozen=True, slots=True)
class Victims:
    """Who can be hurt."""

    host: Host
    server: Server
    proxy: Proxy
    database: Database
    state_dir: Path


class Faults:
    """The faults of a plan, done to the victims.

    Args:
        flags: Tells the builds whose flags are set, when a host was killed; or None.

    Attributes:
        done: How many of each kind there were.
        troubles: The times in which the database was hard to reach.
    """

    def __init__(
        self,
        plan: Plan,
        victims: Victims,
        flags: Callable[[], Awaitable[frozenset[int] | None]] | None,
        seed: int,
    ) -> None:
        self.done = Counter[str]()
        self.troubles: list[Trouble] = []
        self._plan = plan
        self._victims = victims
        self._flags = flags
        self._dice = Random(f"{seed} victims")
        self._began = 0.0

    async def run(self) -> None:
        """Do them all, each at its time; the host runs before and afterwards."""
        self._began = trio.current_time()
        async with trio.open_nursery() as nursery:
            # Ends with the last fault of the plan.
            nursery.start_soon(self._kill_hosts)
            nursery.start_soon(self._kill_plugins)
            nursery.start_soon(self._kill_backends)
            nursery.start_soon(self._restart_server)
            nursery.start_soon(self._disturb_link)

    async def _until(self, at: float) -> None:
        await trio.sleep_until(self._began + at)

    async def _kill_hosts(self) -> None:
        host = self._victims.host
        for at in self._plan.host_kills:
            await self._until(at)
            await host.kill(self._flags)
            self._forget_links()
            await host.start()
            self.done["kills of the host"] += 1

    def _forget_links(self) -> None:
        # The server would keep the connections of a dead host for ever.
        for link in self._victims.proxy.links:
            if link.swallowed:
                link.end(reset=True)

    async def _kill_plugins(self) -> None:
        for kill in self._plan.plugin_kills:
            await self._until(kill.at)
            # Just after its start a host has no plugins yet.
            while not self._kill_plugin(kill.plugin):  # noqa: ASYNC110
                await trio.sleep(RETRY)
            self.done["kills of plugins"] += 1

    def _kill_plugin(self, wanted: str) -> bool:
        """Kill the wanted one, or any other that runs; whether there was one."""
        host, state_dir = self._victims.host.pid, self._victims.state_dir
        running = list(marked(state_dir))
        self._dice.shuffle(running)
        running.sort(key=lambda each: each[1] != wanted)
        return any(kill_plugin(pid, host, state_dir) for pid, _ in running)

    async def _kill_backends(self) -> None:
        for kill in self._plan.backend_kills:
            await self._until(kill.at)
            work = partial(_terminate, all_of_them=kill.all, dice=self._dice)
            killed, began = 0, 0.0
            while not killed:
                began = time.monotonic()
                # The server may be down, or the host not yet there.
                with suppress(DatabaseLost):
                    killed = await self._victims.database.run(work)
                await trio.sleep(0 if killed else RETRY)
            self._note("terminated", began)
            self.done["kills of backends"] += killed

    async def _restart_server(self) -> None:
        server = self._victims.server
        for restart in self._plan.restarts:
            await self._until(restart.at)
            began = time.monotonic()
            await trio.to_thread.run_sync(server.stop, restart.mode)
            await trio.sleep(restart.down)
            await trio.to_thread.run_sync(server.start)
            self._note("restart", began)
            self.done[f"restarts of the server ({restart.mode})"] += 1

    async def _disturb_link(self) -> None:
        for fault in self._plan.link_faults:
            await self._until(fault.at)
            began = time.monotonic()
            await self._disturb(fault)
            self._note(fault.kind, began)
            self.done[f"faults of the link ({fault.kind})"] += 1

    async def _disturb(self, fault: LinkFault) -> None:
        proxy = self._victims.proxy
        match fault.kind:
            case "reset":
                proxy.reset()
            case "blackhole":
                proxy.blackhole()
            case "latency":
                proxy.latency(LATENCY, JITTER)
        await trio.sleep(fault.lasting)
        proxy.normal()

    def _note(self, kind: TroubleKind, began: float) -> None:
        self.troubles.append(Trouble(kind, began, time.monotonic()))


def _terminate(connection: Connection, *, all_of_them: bool, dice: Random) -> int:
    pids = [pid for (pid,) in connection.execute(BACKENDS)]
    if pids and not all_of_them:
        pids = [dice.choice(pids)]
    rows = connection.execute(TERMINATE, (pids,)).fetchall()
    return sum(gone for (gone,) in rows)
