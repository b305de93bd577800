"""Each plugin: its program, its secrets, and how it is or would be."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hydra_notify import process
from hydra_notify.config import PluginConfig
from hydra_notify.config.wording import joined
from hydra_notify.doctor.check import Check, Mark, fail, ok, warn
from hydra_notify.doctor.files import secret_checks
from hydra_notify.metrics import PluginState
from hydra_notify.status import HostStatus, PluginStatus

_SECTION: Final = "plugins"

_WELL: Final = (PluginState.READY, PluginState.STARTING, PluginState.DRAINING)


def plugin_checks(
    plugin: PluginConfig, status: PluginStatus | None, environ: Mapping[str, str]
) -> list[Check]:
    """What can be seen of a plugin without starting it.

    Args:
        plugin: Its configuration.
        status: As the host says that runs it.
        environ: See `read_secret`.
    """
    # What has been started was found, and has read its secrets.
    in_use = status is not None and status.started_at is not None
    program = _program(plugin, environ)
    if program.mark is not Mark.OK and status is not None and status.pid is not None:
        # The host's PATH is another, or it sees more.
        words = f"its program is {plugin.command[0]}, which the host has started"
        program = ok(_SECTION, words, plugin.name)
    checks = [program]
    for name, source in plugin.secrets.items():
        key = joined(joined(joined("plugins", plugin.name), "secrets"), name)
        checks += secret_checks(
            _SECTION, key, source, environ, plugin=plugin.name, in_use=in_use
        )
    return checks


def is_startable(checks: list[Check]) -> bool:
    """Whether what was seen is enough to start the plugin with.

    Args:
        checks: Of `plugin_checks`.
    """
    unseen = any("only the service sees" in each.words for each in checks)
    return not unseen and all(each.mark is not Mark.FAIL for each in checks)


def _program(plugin: PluginConfig, environ: Mapping[str, str]) -> Check:
    command = (*plugin.sandbox.launcher, *plugin.command)
    program, name = command[0], plugin.name
    key = "sandbox.launcher" if plugin.sandbox.launcher else "command"
    if "/" not in program:
        variables = process.environment(name, Path(), plugin.environment, environ)
        path = variables.get("PATH", os.defpath)
        found = shutil.which(program, path=path)
        if found is None:
            words = f"its program {program} is not in PATH"
            fix = f"install it, or write its path into plugins.{name}.{key}"
            return fail(_SECTION, words, fix, name)
        return ok(_SECTION, f"its program is {found}", name)
    place = Path(program)
    try:
        is_file, is_there = place.is_file(), place.exists()
    except PermissionError:
        fix = "run this as the host's user"
        return warn(_SECTION, f"its program {program} cannot be looked at", fix, name)
    if not is_file:
        what = "is no file" if is_there else "is not there"
        fix = f"install it, or mend plugins.{name}.{key}"
        return fail(_SECTION, f"its program {program} {what}", fix, name)
    if not os.access(place, os.X_OK):
        words = f"its program {program} is not executable"
        return fail(_SECTION, words, f"chmod +x {program}", name)
    return ok(_SECTION, f"its program is {program}", name)


def told_by_host(host: HostStatus, plugin: PluginStatus) -> list[Check]:
    """How a plugin is that the host runs."""
    name = plugin.name
    program = f" ({plugin.program})" if plugin.program else ""
    own = [each for each in host.problems if each.plugin == name]
    checks = [
        (fail if each.severity == "critical" else warn)(
            _SECTION, each.summary.removeprefix(f"{name} "), each.fix, name
        )
        for each in own
    ]
    if plugin.state in _WELL or not own:
        checks.insert(0, ok(_SECTION, f"the host has it {plugin.state}{program}", name))
    return checks
