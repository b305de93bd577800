"""What of each plugin's limits and sandbox holds, and what mends the rest."""

from dataclasses import replace
from typing import Final

from hydra_notify.config import PluginConfig
from hydra_notify.doctor.check import Check, fail, ok, parted, warn
from hydra_notify.sandbox import Finding, Machine, judge
from hydra_notify.status import PluginStatus

_SECTION: Final = "sandbox"

_OUTSIDE: Final = "seen from outside the service"


def told_by_host(plugin: PluginStatus) -> list[Check]:
    """What the host itself has found: it sees its own cgroup, and nobody else does."""
    name = plugin.name
    checks = [warn(_SECTION, *parted(each), name) for each in plugin.degraded]
    if plugin.enforced:
        keys = ", ".join(each.partition(" ")[0] for each in plugin.enforced)
        checks.insert(0, ok(_SECTION, f"enforced: {keys}", name))
    return checks


def judged_here(plugin: PluginConfig, machine: Machine) -> list[Check]:
    """What this machine has to offer, as far as a process beside the host can tell.

    Args:
        plugin: Its configuration.
        machine: As this process sees it.
    """
    # Of a cgroup it is known by the host alone.
    judgement = judge(plugin, replace(machine, no_cgroup=_OUTSIDE))
    amiss = judgement.amiss
    held = [each.key for each in judgement.findings if each not in amiss]
    checks: list[Check] = []
    if held:
        words = f"enforced ({_OUTSIDE}): {', '.join(held)}"
        checks.append(ok(_SECTION, words, plugin.name))
    for finding in amiss:
        refused = judgement.required or finding.refuses
        sure = refused and _is_of_machine(finding, machine)
        words = f"{finding.key} {finding.words}"
        if sure:
            checks.append(fail(_SECTION, words, finding.fix, plugin.name))
        else:
            fix = f"if it is so for the service, too: {finding.fix}"
            seen = "" if _OUTSIDE in words else f" ({_OUTSIDE})"
            checks.append(warn(_SECTION, f"{words}{seen}", fix, plugin.name))
    return checks


def _is_of_machine(finding: Finding, machine: Machine) -> bool:
    """Whether it is so for every process here, and not for this one alone."""
    if finding.key == "sandbox.user":
        return machine.account is None
    return finding.key.startswith("sandbox.") and finding.key != "sandbox.no_new_privs"
