"""The soak from its first start to its findings."""

import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import trio
from tests.faults.proxy import proxied
from tests.soak.cast import CALM, CAST, write_config
from tests.soak.evidence import Evidence, TimedLog
from tests.soak.faults import Faults, Victims
from tests.soak.findings import Findings, find, judge_channels
from tests.soak.host import Host
from tests.soak.plan import make_plan
from tests.soak.processes import marked
from tests.soak.record import Record, read_record
from tests.soak.settings import (
    GONE_LIMIT,
    LISTEN_LIMIT,
    LOOK,
    MIX,
    PROGRESS,
    RATE,
    STALL_LIMIT,
    STOP_LIMIT,
    Settings,
)

from hydra_notify.database import Database
from hydra_notify.demo.acts import pending_flags
from hydra_notify.demo.server.postgres import Server
from hydra_notify.demo.simulation.hydra import Hydra, open_hydra
from hydra_notify.demo.simulation.schema import new_database
from hydra_notify.demo.simulation.traffic import run_traffic
from hydra_notify.errors import DatabaseLost


async def soak(settings: Settings, server: Server) -> Findings:
    """Play it.

    Args:
        settings: What and how long.
        server: A private one, with TCP, that nobody else uses.
    """
    name = "hydra"
    url = new_database(server, name)
    with open_hydra(url, seed=settings.seed) as hydra:
        log = TimedLog()
        hydra.log = log
        # The host's connections are found by their name, and ours is none of them.
        database = Database(f"{url}?application_name=soak")
        async with proxied(server) as proxy:
            config = write_config(settings.directory, proxy.url(name))
            if settings.ledger:
                # In a thread: the proxy runs in this one.
                await trio.to_thread.run_sync(command, config, "ledger", "create")
            victims = Victims(
                host=Host(config, settings.directory),
                server=server,
                proxy=proxy,
                database=database,
                state_dir=settings.directory / "state",
            )
            play = _Play(settings, hydra, log, victims, config)
            await play.perform()
            found = play.findings(await play.flags() or frozenset())
        await database.close()
        return found


def command(config: Path, *words: str) -> None:
    """Run a command of the host's.

    Raises:
        CalledProcessError: It failed; its words are on standard error.
    """
    program = [sys.executable, "-m", "hydra_notify", *words, "--config", str(config)]
    subprocess.run(program, check=True, stdin=subprocess.DEVNULL, timeout=60)


class _Play:
    def __init__(
        self,
        settings: Settings,
        hydra: Hydra,
        log: TimedLog,
        victims: Victims,
        config: Path,
    ) -> None:
        self._settings = settings
        self._hydra = hydra
        self._log = log
        self._victims = victims
        self._config = config
        self._host = victims.host
        self._trouble: list[str] = []
        seconds, seed = settings.seconds, settings.seed
        plan = make_plan(seed, seconds, tuple(CAST))
        # With a ledger it does not matter which flags are set when a host is killed.
        flags = None if settings.ledger else self.flags
        self._faults = Faults(plan, victims, flags, seed)
        self._began = time.monotonic()

    async def flags(self) -> frozenset[int] | None:
        """The builds whose flag is set; None if the server does not answer."""
        for _ in range(2):
            # After a restart the first use finds the old connection broken.
            with suppress(DatabaseLost):
                return frozenset(await self._victims.database.run(pending_flags))
        return None

    async def perform(self) -> None:
        """Everything from the first start of the host to the end of all processes."""
        await self._host.start()
        await self._wait_for_host()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell)
            async with self._traffic():
                await self._faults.run()
            self._settings.say("the faults are over")
            # What a plugin's crashes have made a dead letter is tried again. But a
            # program that has just been started does not hear signals yet.
            await self._wait_for_host()
            await self._stop_host()
            (self._settings.directory / CALM).touch()
            if self._settings.ledger:
                dead = partial(command, self._config, "dead", "retry", "--all")
                await trio.to_thread.run_sync(dead)
            await self._host.start()
            await self._wait_for_the_rest()
            await self._stop_host()
            await self._wait_for_the_end_of_all()
            nursery.cancel_scope.cancel()

    def findings(self, flags: frozenset[int]) -> Findings:
        """The findings, once all is over."""
        facts = "".join(f"{fact}\n" for fact in self._log.facts)
        (self._settings.directory / "facts.log").write_text(facts)
        trouble = [*self._host.exits, *self._host.trouble()]
        trouble = [f"host: {line}" for line in trouble] + self._trouble
        return find(
            self._evidence(),
            self._records(),
            tuple(sorted(flags)),
            self._faults.done,
            self._host.usage,
            trouble,
        )

    @asynccontextmanager
    async def _traffic(self) -> AsyncGenerator[None]:
        stop = threading.Event()
        work = partial(run_traffic, self._hydra, RATE, stop, MIX)
        async with trio.open_nursery() as nursery:
            # Ends soon after the event is set: the thread winds down.
            nursery.start_soon(trio.to_thread.run_sync, work)
            try:
                yield
            finally:
                stop.set()

    async def _wait_for_host(self) -> None:
        if not await self._host.listening(LISTEN_LIMIT):
            self._trouble.append(f"the host did not listen within {LISTEN_LIMIT:g} s")

    async def _stop_host(self) -> None:
        status = await self._host.stop(STOP_LIMIT, self.flags)
        if status is None:
            self._trouble.append(f"the host did not end within {STOP_LIMIT:g} s")
        elif status != 0:
            self._trouble.append(f"the host ended with exit status {status}")

    async def _wait_for_the_rest(self) -> None:
        """Return when nothing is missing, or nothing has come for too long."""
        least, since = float("inf"), trio.current_time()
        while trio.current_time() < since + STALL_LIMIT:
            flags = await self.flags()
            if flags is not None:
                missing = await trio.to_thread.run_sync(self._missing)
                if not missing and not flags:
                    return
                if missing + len(flags) < least:
                    least, since = missing + len(flags), trio.current_time()
            await trio.sleep(LOOK)

    def _missing(self) -> int:
        records = self._records()
        return judge_channels(self._evidence(), records, (), durable=True).missing

    async def _wait_for_the_end_of_all(self) -> None:
        with trio.move_on_after(GONE_LIMIT):
            # Nobody tells that a grandchild has ended.
            while list(marked(self._victims.state_dir)):  # noqa: ASYNC110
                await trio.sleep(LOOK)
        left = [f"{name} ({pid})" for pid, name in marked(self._victims.state_dir)]
        if left:
            self._trouble.append(f"processes left over: {', '.join(left)}")

    def _records(self) -> dict[str, Record]:
        plugins = self._victims.state_dir / "plugins"
        return {name: read_record(plugins / name) for name in CAST}

    def _evidence(self) -> Evidence:
        times = tuple(self._log.times)
        return Evidence(
            facts=tuple(self._log.facts[: len(times)]),
            times=times,
            ends=tuple(self._host.ends),
            troubles=tuple(self._faults.troubles),
            ledger=self._settings.ledger,
        )

    async def _tell(self) -> None:
        while True:
            await trio.sleep(PROGRESS)
            if self._host.pid:
                self._host.look()
            flags = await self.flags()
            done = self._faults.done
            pending = "unknown" if flags is None else f"{len(flags):,}"
            self._settings.say(
                f"{time.monotonic() - self._began:5.0f} s:"
                f" {done['kills of the host']:,} hosts and"
                f" {done['kills of plugins']:,} plugins killed,"
                f" {len(self._log.times):,} facts, flags set: {pending}"
            )
