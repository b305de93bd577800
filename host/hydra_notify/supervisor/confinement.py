"""What a plugin may, set up for each of its lives."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from hydra_notify import process
from hydra_notify.config import PluginConfig
from hydra_notify.logs import about
from hydra_notify.sandbox import (
    Finding,
    Machine,
    blame,
    cgroup_settings,
    judge,
    launch_options,
)

_log = logging.getLogger(__name__)


class Confinement:
    """What one plugin may, from one life to the next.

    Args:
        plugin: Its configuration.
        state_dir: Its own directory.

    Attributes:
        findings: What of all that is enforced, as `examine` last saw it.
    """

    def __init__(self, plugin: PluginConfig, state_dir: Path) -> None:
        self._plugin = plugin
        self._state_dir = state_dir
        self._machine: Machine | None = None
        self._cgroup: process.Cgroup | None = None
        self.findings: tuple[Finding, ...] = ()

    def examine(self) -> str:
        """Why the plugin must not be started here; "" when it may.

        What is not enforced as it is written is said once in the log.
        """
        first = self._machine is None
        self._machine = process.find_machine(self._plugin.sandbox.user)
        judgement = judge(self._plugin, self._machine)
        self.findings = judgement.findings
        if judgement.refusal:
            return judgement.refusal
        if first:
            for finding in judgement.amiss:
                _log.warning("%s", finding, extra=about(self._plugin.name))
        return ""

    def prepare(self, env: Mapping[str, str]) -> list[str]:
        """Make its directory and its cgroup, on the machine that `examine` has found.

        Args:
            env: The plugin's environment.

        Returns:
            Options of the launcher.

        Raises:
            OSError: Something cannot be made.
        """
        assert self._machine is not None
        self._state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        account = self._machine.account
        if account is not None and account.uid != self._machine.uid:
            os.chown(self._state_dir, account.uid, account.gid)
        settings = cgroup_settings(self._plugin.limits, self._machine)
        self._cgroup = process.cgroups.make(self._plugin.name, settings)
        path = None if self._cgroup is None else self._cgroup.path
        return launch_options(self._plugin, self._machine, self._state_dir, env, path)

    async def clear(self) -> str:
        """End what is left of a life.

        Returns:
            Which limit had a part in its end; "" if none that is known.
        """
        cgroup, self._cgroup = self._cgroup, None
        if cgroup is None:
            return ""
        return blame(self._plugin.limits, await cgroup.end())
