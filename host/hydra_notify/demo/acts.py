"""The show under way: host, simulated Hydra and display in one run of trio."""

import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final

import trio

from hydra_notify.config import Config
from hydra_notify.daemon import Daemon
from hydra_notify.database import Connection, Database
from hydra_notify.demo.history import History, history_of
from hydra_notify.demo.pace import (
    EVIDENCE_LOOK,
    FLAGS_LOOK,
    LISTEN_LIMIT,
    LISTEN_LOOK,
    STALL_LIMIT,
    SWEEP,
)
from hydra_notify.demo.receipts import Receipt, read_receipts
from hydra_notify.demo.reference import FLAKY, WEBHOOK
from hydra_notify.demo.scene import Scene
from hydra_notify.demo.simulation.hydra import Hydra
from hydra_notify.demo.simulation.traffic import run_traffic
from hydra_notify.demo.sink import Sink
from hydra_notify.demo.verdict import Evidence, Verdict, judge
from hydra_notify.errors import HydraNotifyError

PENDING: Final = """
select id from builds where notificationpendingsince is not null order by id
"""


def pending_flags(connection: Connection) -> tuple[int, ...]:
    """The builds whose pending flag is set."""
    return tuple(build for (build,) in connection.execute(PENDING).fetchall())


class Play:
    """One performance.

    Args:
        config: What the host runs.
        hydra: Goes to work when the host listens.
        rate: Builds a second.
        sink: Takes what the webhook posts.
        scene: Kept up to date for the display.
        serve: Whether the host goes on when everything has arrived, until Ctrl-C.

    Attributes:
        interrupted: Whether it was ended by a signal.
    """

    def __init__(
        self,
        config: Config,
        hydra: Hydra,
        rate: float,
        sink: Sink,
        scene: Scene,
        *,
        serve: bool,
    ) -> None:
        self.interrupted = False
        self._config = config
        self._hydra = hydra
        self._rate = rate
        self._sink = sink
        self._scene = scene
        self._serve_on = serve
        self._database = Database(config.database.url)
        self._daemon = Daemon(config, scene.counts, sweep_interval=SWEEP)
        self._over = False
        self._script = trio.CancelScope()

    async def perform(self, display: Callable[[], Awaitable[None]]) -> None:
        """Play it to its end: the traffic's time, and whatever is late by then.

        Ctrl-C ends it early, and then the host hands in what it has in hand.

        Args:
            display: Shows the scene until cancelled.
        """
        # A terminal that closes must not leave a plugin that hangs without its host.
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        with trio.open_signal_receiver(*numbers) as signals:
            async with trio.open_nursery() as nursery:
                # Ends when the host has: display and signals only watch.
                nursery.start_soon(display)
                nursery.start_soon(self._watch_flags)
                nursery.start_soon(self._watch_signals, signals)
                await self._run_host()
                nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await self._database.close()

    def judge(self, history: History, flags: tuple[int, ...]) -> Verdict:
        """The verdict on what has been received so far."""
        evidence = {
            name: Evidence(channels, self._receipts(name), fails=name == FLAKY)
            for name, channels in self._scene.channels.items()
        }
        return judge(history, evidence, flags)

    def _receipts(self, name: str) -> tuple[Receipt, ...]:
        if name == WEBHOOK:
            return tuple(self._sink.receipts)
        return read_receipts(self._config.host.state_dir / "plugins" / name)

    async def _run_host(self) -> None:
        async with trio.open_nursery() as nursery:
            # Ends when the host has ended: it is told to at the end of the script, and
            # when it ends by itself the script ends as well.
            nursery.start_soon(self._serve)
            with self._script:
                await self._follow_script()
            self._over = True
            self._scene.phase = "the host stops"
            self._daemon.stop()

    async def _serve(self) -> None:
        # While it runs it is the host that hears signals.
        await self._daemon.serve()
        self._interrupt()

    def _interrupt(self) -> None:
        self.interrupted = self.interrupted or not self._over
        self._script.cancel()

    async def _follow_script(self) -> None:
        with trio.move_on_after(LISTEN_LIMIT):
            # The host tells nobody when it listens; it counts.
            while not self._scene.counts.connects:  # noqa: ASYNC110
                await trio.sleep(LISTEN_LOOK)
            self._scene.phase, self._scene.began = "builds go on", time.monotonic()
        if self._scene.began is None:
            return
        await self._let_builds_go_on()
        self._scene.phase = "builds have ended"
        await self._wait_for_the_rest()
        if self._serve_on:
            # Nothing is missing that more time would bring: Ctrl-C is no interruption.
            self._over = True
            self._scene.phase = f"look at {self._scene.page}; Ctrl-C ends"
            await trio.sleep_forever()

    async def _let_builds_go_on(self) -> None:
        stop = threading.Event()
        work = partial(run_traffic, self._hydra, self._rate, stop)
        async with trio.open_nursery() as nursery:
            # Ends soon after the event is set: the thread winds down.
            nursery.start_soon(trio.to_thread.run_sync, work)
            try:
                await trio.sleep(self._scene.seconds)
            finally:
                stop.set()

    async def _wait_for_the_rest(self) -> None:
        """Return when nothing is missing, or nothing has come for too long."""
        history = history_of(self._hydra.log.facts)
        least, since = float("inf"), trio.current_time()
        while trio.current_time() < since + STALL_LIMIT:
            with suppress(HydraNotifyError):
                flags = await self._database.run(pending_flags)
                look = partial(self.judge, history, flags)
                verdict = await trio.to_thread.run_sync(look)
                if verdict.complete:
                    return
                left = verdict.missing + len(verdict.flags)
                if left < least:
                    least, since = left, trio.current_time()
                self._scene.phase = _words(verdict)
            await trio.sleep(EVIDENCE_LOOK)

    async def _watch_flags(self) -> None:
        while True:
            with suppress(HydraNotifyError):
                flags = await self._database.run(pending_flags)
                self._scene.pending = len(flags)
            await trio.sleep(FLAGS_LOOK)

    async def _watch_signals(self, signals: AsyncIterator[int]) -> None:
        async for _ in signals:
            self._interrupt()


def _words(verdict: Verdict) -> str:
    lacking = [
        f"{name} {len(share.missing)}"
        for name, share in verdict.shares.items()
        if share.missing
    ]
    if lacking:
        return f"still missing: {', '.join(lacking)}"
    return f"flags still set: {len(verdict.flags)}"
