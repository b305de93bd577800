"""What of a plugin's limits and sandbox is enforced on a machine, and what to mend."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hydra_notify.config import LimitsConfig, PluginConfig, SandboxConfig
from hydra_notify.sandbox.machine import Machine

_ABI_TRUNCATE: Final = 3
"""Of Landlock, from which on it guards truncation (Linux 6.2)."""

_ABI_NETWORK: Final = 4
"""Of Landlock, from which on it guards TCP (Linux 6.7)."""


class Standing(StrEnum):
    """How far something can be relied on."""

    ENFORCED = "enforced"
    DEGRADED = "degraded"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Finding:
    """One key of a plugin's `limits` or `sandbox`, on a machine.

    Attributes:
        key: Such as `limits.memory`.
        standing: How far it can be relied on.
        words: By what, or why not; the end of a sentence that begins with `key`.
        fix: What to do about it; "" when it is enforced.
        refuses: Whether the plugin must not start without it, whatever `required` says.
    """

    key: str
    standing: Standing
    words: str
    fix: str = ""
    refuses: bool = False

    def __str__(self) -> str:
        return f"{self.key} {self.words}" + (f"; {self.fix}" if self.fix else "")


@dataclass(frozen=True, slots=True)
class Judgement:
    """All that is asked for a plugin.

    Attributes:
        findings: One for each key that is set.
        required: Whether the operator wants it enforced or not started.
    """

    findings: tuple[Finding, ...]
    required: bool

    @property
    def amiss(self) -> tuple[Finding, ...]:
        """What is not enforced as it is written."""
        return tuple(
            each for each in self.findings if each.standing is not Standing.ENFORCED
        )

    @property
    def refusal(self) -> str:
        """Why the plugin must not start here; "" when it may."""
        reasons = [
            str(finding) for finding in self.amiss if finding.refuses or self.required
        ]
        return "; ".join(reasons)


def judge(plugin: PluginConfig, machine: Machine) -> Judgement:
    """What of the plugin's limits and sandbox this machine enforces."""
    sandbox = plugin.sandbox
    findings = (
        *_limits(plugin.limits, sandbox, machine),
        *_landlock(sandbox, machine),
        *_user(sandbox, machine),
        *_privileges(sandbox, machine),
    )
    return Judgement(findings, sandbox.required)


def _limits(
    limits: LimitsConfig, sandbox: SandboxConfig, machine: Machine
) -> Iterator[Finding]:
    uid = machine.uid if machine.account is None else machine.account.uid
    if limits.memory is not None:
        yield _by_cgroup("limits.memory", "memory", machine) or _address_space(machine)
    if limits.tasks is not None:
        yield _by_cgroup("limits.tasks", "pids", machine) or _tasks_of_user(
            uid, machine
        )
    if limits.cpu is not None:
        yield _by_cgroup("limits.cpu", "cpu", machine) or Finding(
            "limits.cpu",
            Standing.IMPOSSIBLE,
            f"is not enforced ({_why_no(machine, 'cpu')})",
            _FIX_CGROUP,
        )
    for key, value in (
        ("limits.open_files", limits.open_files),
        ("limits.file_size", limits.file_size),
    ):
        if value is not None:
            yield _by_process(key, uid, sandbox)


def _by_cgroup(key: str, controller: str, machine: Machine) -> Finding | None:
    if controller not in machine.controllers:
        return None
    return Finding(key, Standing.ENFORCED, "holds for all its processes (cgroup)")


def _address_space(machine: Machine) -> Finding:
    if not machine.linux:
        words = "is not enforced (this is not Linux)"
        return Finding("limits.memory", Standing.IMPOSSIBLE, words, _FIX_LINUX)
    why = _why_no(machine, "memory")
    words = f"holds for the address space of each process by itself ({why})"
    return Finding("limits.memory", Standing.DEGRADED, words, _FIX_CGROUP)


def _by_process(key: str, uid: int, sandbox: SandboxConfig) -> Finding:
    if uid == 0:
        return Finding(
            key,
            Standing.DEGRADED,
            "holds until the plugin raises it, as root may",
            'set sandbox.user = "..."',
        )
    words = "holds for each of its processes (rlimit)"
    return Finding(key, Standing.ENFORCED, words)


def _tasks_of_user(uid: int, machine: Machine) -> Finding:
    why = _why_no(machine, "pids")
    if uid == 0:
        words = f"is not enforced, since root is not bound by it ({why})"
        fix = f'{_FIX_CGROUP}; or set sandbox.user = "..."'
        return Finding("limits.tasks", Standing.IMPOSSIBLE, words, fix)
    words = f"counts all processes and threads of its user, not its own alone ({why})"
    return Finding("limits.tasks", Standing.DEGRADED, words, _FIX_CGROUP)


_FIX_CGROUP: Final = (
    "add Delegate=yes to the host's unit, with cgroups of version 2 alone"
)
_FIX_LINUX: Final = "run the host on Linux"


def _why_no(machine: Machine, controller: str) -> str:
    if machine.no_cgroup:
        return machine.no_cgroup
    return f"the host's cgroup has no controller {controller} to pass on"


def _landlock(sandbox: SandboxConfig, machine: Machine) -> Iterator[Finding]:
    for key, paths in (
        ("sandbox.read", sandbox.read),
        ("sandbox.write", sandbox.write),
    ):
        if paths is not None:
            yield _files(key, machine)
    if sandbox.connect_tcp is not None:
        yield _network(machine)


def _files(key: str, machine: Machine) -> Finding:
    if machine.landlock == 0:
        return Finding(key, Standing.IMPOSSIBLE, _NO_LANDLOCK, _FIX_LANDLOCK)
    if machine.landlock < _ABI_TRUNCATE:
        words = "does not keep it from emptying other files (Landlock of this kernel)"
        return Finding(key, Standing.DEGRADED, words, "run Linux 6.2 or later")
    return Finding(key, Standing.ENFORCED, "names what files it reaches (Landlock)")


def _network(machine: Machine) -> Finding:
    key = "sandbox.connect_tcp"
    if machine.landlock == 0:
        return Finding(key, Standing.IMPOSSIBLE, _NO_LANDLOCK, _FIX_LANDLOCK)
    if machine.landlock < _ABI_NETWORK:
        words = "is not enforced (Landlock of this kernel knows no network)"
        return Finding(key, Standing.IMPOSSIBLE, words, "run Linux 6.7 or later")
    words = "names what it connects to by TCP (Landlock)"
    return Finding(key, Standing.ENFORCED, words)


_NO_LANDLOCK: Final = "is not enforced (this machine has no Landlock)"
_FIX_LANDLOCK: Final = (
    "run Linux 5.13 or later with landlock among its security modules (lsm=)"
)


def _user(sandbox: SandboxConfig, machine: Machine) -> Iterator[Finding]:
    if sandbox.user is None:
        return
    # Whoever names a user relies on it: never as another one instead.
    if machine.account is None:
        words = f"is {sandbox.user}, and there is no such user"
        fix = f"create it: useradd --system {sandbox.user}"
        yield Finding("sandbox.user", Standing.IMPOSSIBLE, words, fix, refuses=True)
    elif machine.uid not in (0, machine.account.uid):
        words = f"is {sandbox.user}, and the host is not root and cannot become it"
        fix = "run the host as root, or leave it out"
        yield Finding("sandbox.user", Standing.IMPOSSIBLE, words, fix, refuses=True)
    else:
        words = f"is whose rights it has (uid {machine.account.uid})"
        yield Finding("sandbox.user", Standing.ENFORCED, words)


def _privileges(sandbox: SandboxConfig, machine: Machine) -> Iterator[Finding]:
    key = "sandbox.no_new_privs"
    if not sandbox.no_new_privs:
        if machine.no_new_privs:
            words = "cannot be false: the host itself was started under it"
            fix = (
                "take NoNewPrivileges= and what implies it out of the host's unit, "
                "and start the host again, not only reload it"
            )
            yield Finding(key, Standing.IMPOSSIBLE, words, fix)
    elif machine.linux:
        words = "keeps what it starts from gaining rights by setuid"
        yield Finding(key, Standing.ENFORCED, words)
    elif sandbox.required:
        words = "is not enforced (this is not Linux)"
        yield Finding(key, Standing.IMPOSSIBLE, words, _FIX_LINUX)
