"""The loop over a plugin's lives: start, restart with backoff, never give up.

A plugin that cannot start, or says that starting it again is useless, is disabled until
the configuration changes; its deliveries wait, and the flags they hold stay set.
"""

import hashlib
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import msgspec
import trio

from hydra_notify import process
from hydra_notify.backoff import CrashHistory
from hydra_notify.config import HostConfig, PluginConfig, read_secrets
from hydra_notify.dispatcher import Dispatcher
from hydra_notify.errors import ConfigError
from hydra_notify.limits import KILL_GRACE, SHORTEST_SECRET, STOP_LIMIT
from hydra_notify.logs import about, hide, mask
from hydra_notify.metrics import PluginCounts, PluginState
from hydra_notify.plugin_log import one_line
from hydra_notify.sandbox import Finding
from hydra_notify.supervisor.confinement import Confinement
from hydra_notify.supervisor.end import End
from hydra_notify.supervisor.hello import hello
from hydra_notify.supervisor.life import Life
from hydra_notify.supervisor.stopping import Stopping, StopReason
from hydra_notify.supervisor.tap import Tap
from hydra_notify_sdk.wire import InitializeResult
from hydra_notify_sdk.wire.limits import MAX_IN_FLIGHT

_log = logging.getLogger(__name__)


class Supervisor:
    """Keeps one plugin alive.

    Args:
        plugin: Its configuration.
        host: The host's, which `initialize` tells the plugin of.
        dispatcher: Where events come from and answers go.
        counts: Of the plugin.
        chance: A random number in [0, 1) at each call, for jitter.
        tap: Where others see what it says and is told.

    Attributes:
        state_dir: The plugin's own directory.
    """

    def __init__(
        self,
        plugin: PluginConfig,
        host: HostConfig,
        dispatcher: Dispatcher,
        counts: PluginCounts,
        chance: Callable[[], float],
        tap: Tap,
    ) -> None:
        self.state_dir = host.state_dir / "plugins" / plugin.name
        self._plugin = plugin
        self._host = host
        self._dispatcher = dispatcher
        self._counts = counts
        self._chance = chance
        self._tap = tap
        self._history = CrashHistory()
        self._key = os.urandom(32)
        # Not the name: one that takes its place may be there before it has ended.
        self._owner = f"plugins.{plugin.name} {self._key.hex()}"
        self._stopping = Stopping()
        self._confinement = Confinement(plugin, self.state_dir)
        self._given: bytes | None = None
        self._over = trio.Event()

    async def run(self) -> None:
        """Start the plugin again and again, until stopped or cancelled."""
        while not self._stopping.is_set():
            self._counts.state = PluginState.STARTING
            end = await self._live()
            self._dispatcher.crashed(self._plugin.name)
            if self._stopping.is_set():
                self._tap.note(f"ended: {end.reason}")
                break
            await self._wait_to_restart(end)
        self._counts.state = PluginState.STOPPED
        hide(self._owner, ())
        self._over.set()

    async def stop(self, reason: StopReason = "host_stop") -> None:
        """Drain and end the plugin; returns when it is gone, or should be.

        Args:
            reason: What the plugin is told.
        """
        self._stopping.set(reason)
        with trio.move_on_after(STOP_LIMIT):
            await self._over.wait()

    @property
    def findings(self) -> Sequence[Finding]:
        """What of its limits and sandbox is enforced; empty before its first start."""
        return self._confinement.findings

    def secrets_changed(self) -> bool:
        """Whether its secrets are others than those its process was given.

        No, if they cannot be read now, which is said in the log, or if nothing was
        given yet: its next start reads them anyway.
        """
        if self._given is None:
            return False
        name = self._plugin.name
        try:
            secrets = read_secrets(self._plugin, environ=os.environ)
        except ConfigError as error:
            words, extra = "goes on with the secrets it has: %s", about(name)
            _log.warning(words, error, extra=extra)
            return False
        return self._digest(secrets) != self._given

    def _hide(self, secrets: dict[str, str]) -> None:
        """Nothing of it in the log from now on, whoever writes it there."""
        name = self._plugin.name
        hide(self._owner, secrets.values())
        short = [key for key, value in secrets.items() if len(value) < SHORTEST_SECRET]
        if short and not self._counts.starts:
            words = "shorter than %d characters, and so masked nowhere: secrets.%s"
            names = ", secrets.".join(short)
            _log.warning(words, SHORTEST_SECRET, names, extra=about(name))

    def _digest(self, secrets: dict[str, str]) -> bytes:
        """Of the values, keyed: they are kept nowhere, nor can they be guessed."""
        text = msgspec.json.encode(secrets, order="deterministic")
        return hashlib.blake2b(text, key=self._key).digest()

    async def _live(self) -> End:
        name, state_dir = self._plugin.name, self.state_dir
        try:
            secrets = read_secrets(self._plugin, environ=os.environ)
        except ConfigError as error:
            return End("secrets", str(error))
        self._given = self._digest(secrets)
        self._hide(secrets)
        refusal = await trio.to_thread.run_sync(self._confinement.examine)
        if refusal:
            return End("sandbox", refusal, final=True)
        env = process.environment(name, state_dir, self._own_variables, os.environ)
        command = (*self._plugin.sandbox.launcher, *self._plugin.command)
        words = ""
        try:
            try:
                options = await trio.to_thread.run_sync(self._confinement.prepare, env)
                running = await process.spawn(command, state_dir, env, options)
            except OSError as error:
                where = error.filename or command[0]
                end = End("start", f"cannot start: {error.strerror}: {where}")
            else:
                end = await self._converse(running, secrets)
        finally:
            # It has its own limit, which is shorter.
            with trio.move_on_after(2 * KILL_GRACE, shield=True):
                words = await self._confinement.clear()
        return replace(end, reason=f"{end.reason}; {words}") if words else end

    @property
    def _own_variables(self) -> Mapping[str, str]:
        """What the operator sets, and what the plugin may be short of otherwise."""
        own = self._plugin.environment
        if self._plugin.sandbox.restricts_files:
            # Nobody's /tmp is among the files that it reaches.
            own = {"TMPDIR": str(self.state_dir), **own}
        return own

    async def _converse(self, running: trio.Process, secrets: dict[str, str]) -> End:
        name, counts = self._plugin.name, self._counts
        counts.starts += 1
        counts.pid, counts.started_at = running.pid, time.time()
        _log.info("started (pid %d)", running.pid, extra=about(name))
        self._tap.start(running.pid, secrets.values())
        life = Life(
            self._plugin,
            running,
            hello(self._plugin, self._host, self.state_dir, secrets),
            os.urandom(4).hex(),
            self._dispatcher,
            self._stopping,
            self._greeted,
            counts,
            self._tap,
        )
        try:
            return await life.run()
        finally:
            # One that outlived STOP_LIMIT may have been followed by another already.
            if counts.pid == running.pid:
                counts.pid = counts.started_at = None

    def _greeted(self, manifest: InitializeResult) -> None:
        self._counts.state = PluginState.READY
        most = self._plugin.max_in_flight or manifest.max_in_flight
        self._counts.window = min(manifest.max_in_flight, most, MAX_IN_FLIGHT)
        self._counts.program = one_line(mask(f"{manifest.name} {manifest.version}"))
        name = self._plugin.name
        _log.info(
            "ready (%s %s, window %d)",
            manifest.name,
            manifest.version,
            manifest.max_in_flight,
            extra=about(name),
        )
        self._dispatcher.greet(name, manifest)
        self._dispatcher.bell(name).ring()

    async def _wait_to_restart(self, end: End) -> None:
        name, counts = self._plugin.name, self._counts
        counts.ends[end.cause] += 1
        counts.last_error, counts.last_error_at = end.reason, time.time()
        if end.final:
            counts.state = PluginState.DISABLED
            words = f"disabled until its configuration changes: {end.reason}"
            _log.error("%s", words, extra=about(name))
            self._tap.note(words)
            await self._stopping.wait()
            return
        now = trio.current_time()
        self._history = self._history.add(now, ready_for=end.ready_for)
        flapping = self._history.flapping
        counts.state = PluginState.FLAPPING if flapping else PluginState.BACKOFF
        delay = self._history.restart_delay(self._chance())
        counts.next_start_at = time.time() + delay
        words = f"{end.reason}; starting it again in {delay:.1f} s"
        _log.error("%s", words, extra=about(name))
        self._tap.note(words)
        with trio.move_on_after(delay):
            await self._stopping.wait()
        counts.next_start_at = None
