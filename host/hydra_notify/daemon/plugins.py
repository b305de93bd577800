"""The plugins of a term: started, changed while the others go on, stopped."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import trio

from hydra_notify.config import HostConfig, PluginConfig
from hydra_notify.dispatcher import Dispatcher
from hydra_notify.logs import about
from hydra_notify.metrics import Counts, PluginState
from hydra_notify.sandbox import Finding
from hydra_notify.supervisor import Supervisor, Tap

_log = logging.getLogger(__name__)


class Plugins:
    """Every plugin that is configured, each under its supervisor.

    Args:
        host: What plugins are told of the host.
        dispatcher: Where events come from and answers go.
        counts: Of the host.
        chance: A random number in [0, 1) at each call.
    """

    def __init__(
        self,
        host: HostConfig,
        dispatcher: Dispatcher,
        counts: Counts,
        chance: Callable[[], float],
    ) -> None:
        self._host = host
        self._dispatcher = dispatcher
        self._counts = counts
        self._chance = chance
        self._configs: dict[str, PluginConfig] = {}
        self._supervisors: dict[str, Supervisor] = {}
        # Not a supervisor's: who looks at a plugin sees it before and after a reload.
        self._taps: dict[str, Tap] = {}
        self._restarting: set[str] = set()
        self._nursery: trio.Nursery | None = None

    @property
    def directories(self) -> list[Path]:
        """The directory of each plugin."""
        return [self._host.state_dir / "plugins" / name for name in self._configs]

    @property
    def names(self) -> list[str]:
        """The name of each plugin."""
        return list(self._configs)

    def tap(self, name: str) -> Tap | None:
        """Where to look at what a plugin says and is told; None if there is none."""
        return self._taps.get(name)

    def add(self, configs: Mapping[str, PluginConfig]) -> None:
        """Owe plugins what they want, from now on; they do not run yet."""
        for name, config in configs.items():
            self._dispatcher.roster.add(config)
            self._configs[name] = config
            self._taps[name] = Tap()

    def start(self, nursery: trio.Nursery) -> None:
        """Run every plugin in `nursery`, until stopped."""
        self._nursery = nursery
        for name in self._configs:
            self._start(name)

    async def change(self, configs: Mapping[str, PluginConfig]) -> None:
        """Make it these plugins; those that stay as they are notice nothing."""
        added = [name for name in configs if name not in self._configs]
        removed = [name for name in self._configs if name not in configs]
        changed = [
            name
            for name, config in configs.items()
            if name in self._configs and self._is_to_restart(name, config)
        ]
        self.add({name: configs[name] for name in added})
        for name in added:
            self._start(name)
        async with trio.open_nursery() as nursery:
            # Ends when the old ones have ended; each wait in it is bounded.
            for name in removed:
                nursery.start_soon(self._remove, name)
            for name in changed:
                nursery.start_soon(self._replace, configs[name])
        untouched = len(configs) - len(added) - len(changed)
        _log.info(
            "reloaded: %s added, %s removed, %s restarted, %d untouched",
            *(", ".join(names) or "none" for names in (added, removed, changed)),
            untouched,
        )

    async def stop(self) -> None:
        """Let every plugin finish what it has, and end it."""
        self._nursery = None
        async with trio.open_nursery() as nursery:
            # Ends when every plugin has ended; each wait in it is bounded.
            for supervisor in self._supervisors.values():
                nursery.start_soon(supervisor.stop)
        for tap in self._taps.values():
            tap.close("the host stops, or starts over")

    def restart(self, name: str) -> None:
        """Have a plugin finish what it has, end, and be started again, at once.

        One that waits for its next start, or is disabled, is started now.
        """
        if self._nursery is not None and name not in self._restarting:
            self._restarting.add(name)
            self._nursery.start_soon(self._restart, name)

    def pause(self, name: str, *, on: bool) -> None:
        """Have a plugin sent nothing, until it is resumed; it goes on running."""
        if on != self._counts.plugin(name).paused:
            words = "paused: it is sent nothing" if on else "resumed"
            _log.warning("%s", words, extra=about(name))
        self._dispatcher.pause(name, on=on)

    def findings(self, name: str) -> Sequence[Finding]:
        """What of a plugin's limits and sandbox is enforced; empty before it starts."""
        supervisor = self._supervisors.get(name)
        return () if supervisor is None else supervisor.findings

    async def _restart(self, name: str) -> None:
        _log.info("ends, it is to be restarted", extra=about(name))
        try:
            await self._supervisors[name].stop("reload")
            if name in self._configs:
                self._start(name)
        finally:
            self._restarting.discard(name)

    def _start(self, name: str) -> None:
        if self._nursery is None:
            # Stopping: what was about to be started waits for the next host.
            return
        counts = self._counts.plugin(name)
        supervisor = Supervisor(
            self._configs[name],
            self._host,
            self._dispatcher,
            counts,
            self._chance,
            self._taps[name],
        )
        self._supervisors[name] = supervisor
        self._nursery.start_soon(supervisor.run)

    def _is_to_restart(self, name: str, config: PluginConfig) -> bool:
        """Whether anything of it is new: its table, its secrets, or that it is mended.

        Whoever reloads after mending what had disabled a plugin means that one, too.
        """
        disabled = self._counts.plugin(name).state is PluginState.DISABLED
        return (
            config != self._configs[name]
            or disabled
            or self._supervisors[name].secrets_changed()
        )

    async def _remove(self, name: str) -> None:
        _log.info("ends, it is no longer configured", extra=about(name))
        await self._supervisors.pop(name).stop("reload")
        del self._configs[name]
        self._taps.pop(name).close("it is no longer configured")
        self._dispatcher.roster.remove(name)

    async def _replace(self, config: PluginConfig) -> None:
        _log.info("ends, something of it is new", extra=about(config.name))
        await self._supervisors[config.name].stop("reload")
        self._configs[config.name] = config
        self._dispatcher.roster.change(config)
        self._start(config.name)
