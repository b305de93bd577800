"""What the launcher and a cgroup are told, for a plugin on a machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hydra_notify.config import LimitsConfig, PluginConfig
from hydra_notify.sandbox.machine import Machine

_CPU_PERIOD: Final = 100_000
"""Microseconds over which a share of a processor is measured: the kernel's default."""

READ_BY_ALL: Final = (
    "/bin",
    "/lib",
    "/lib32",
    "/lib64",
    "/sbin",
    "/usr",
    "/nix/store",
    "/run/current-system",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/locale.alias",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/run/NetworkManager/resolv.conf",
    "/run/nscd",
    "/run/resolvconf",
    "/run/systemd/resolve",
    "/proc",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
)
"""What programs need to start, to find others by name, and to trust them: no secrets.
Of other processes /proc shows to a plugin under Landlock what it shows to any user."""

USED_BY_ALL: Final = (
    "/dev/full",
    "/dev/null",
    "/dev/random",
    "/dev/tty",
    "/dev/urandom",
    "/dev/zero",
)
"""Devices that are no way to anything."""

_CERTIFICATES: Final = ("SSL_CERT_FILE", "NIX_SSL_CERT_FILE")
"""Variables that every plugin gets, and that name a file."""


def launch_options(
    plugin: PluginConfig,
    machine: Machine,
    state_dir: Path,
    env: Mapping[str, str],
    cgroup: Path | None,
) -> list[str]:
    """The launcher's options; none where a plugin can be started without it.

    What the machine cannot enforce is left out: see `judge`.

    Args:
        plugin: Its configuration.
        machine: Where it is started.
        state_dir: The plugin's own directory.
        env: The plugin's environment.
        cgroup: Its own, if it has one.
    """
    options: list[str] = []
    if cgroup is not None:
        options += ["cgroup", str(cgroup)]
    restricted = _landlock(plugin, machine, state_dir, env)
    wanted = plugin.sandbox.no_new_privs and not machine.no_new_privs
    if machine.linux and (restricted or wanted):
        options += ["no-new-privs", "yes"]
    options += restricted
    options += _user(machine, state_dir)
    options += _rlimits(plugin.limits, machine)
    return options


def _landlock(
    plugin: PluginConfig, machine: Machine, state_dir: Path, env: Mapping[str, str]
) -> list[str]:
    sandbox = plugin.sandbox
    options: list[str] = []
    if sandbox.restricts_files and machine.landlock:
        options += ["files", "yes", "write", str(state_dir)]
        for path in sandbox.read or ():
            options += ["read", str(path)]
        for path in sandbox.write or ():
            options += ["write", str(path)]
        certificates = [env[name] for name in _CERTIFICATES if name in env]
        for place in (*READ_BY_ALL, *certificates):
            options += ["read-if-there", place]
        for device in USED_BY_ALL:
            options += ["use-if-there", device]
    # Before its ABI 4, Landlock knows no network.
    if sandbox.connect_tcp is not None and machine.landlock >= 4:
        options += ["network", "yes"]
        for port in sandbox.connect_tcp:
            options += ["connect", str(port)]
    return ["landlock", str(machine.landlock), *options] if options else []


def _user(machine: Machine, state_dir: Path) -> list[str]:
    account = machine.account
    if account is None or account.uid == machine.uid:
        return []
    return [
        "groups",
        ",".join(map(str, account.groups)),
        "gid",
        str(account.gid),
        "uid",
        str(account.uid),
        "directory",
        str(state_dir),
    ]


def _rlimits(limits: LimitsConfig, machine: Machine) -> list[str]:
    options: list[str] = []
    # Elsewhere, what is mapped at the start of any program may be more already.
    by_process = machine.linux and "memory" not in machine.controllers
    if limits.memory_bytes is not None and by_process:
        options += ["as", str(limits.memory_bytes)]
    if limits.tasks is not None and "pids" not in machine.controllers:
        options += ["nproc", str(limits.tasks)]
    if limits.open_files is not None:
        options += ["nofile", str(limits.open_files)]
    if limits.file_size_bytes is not None:
        options += ["fsize", str(limits.file_size_bytes)]
    return options


def cgroup_settings(limits: LimitsConfig, machine: Machine) -> dict[str, str]:
    """What is written into which file of a plugin's cgroup."""
    settings: dict[str, str] = {}
    if limits.memory_bytes is not None and "memory" in machine.controllers:
        settings["memory.max"] = str(limits.memory_bytes)
        # Memory that is swapped out is memory, too.
        settings["memory.swap.max"] = "0"
        # A plugin of which a part is missing is no plugin.
        settings["memory.oom.group"] = "1"
    if limits.tasks is not None and "pids" in machine.controllers:
        settings["pids.max"] = str(limits.tasks)
    if limits.cpu_percent is not None and "cpu" in machine.controllers:
        quota = limits.cpu_percent * _CPU_PERIOD // 100
        settings["cpu.max"] = f"{quota} {_CPU_PERIOD}"
    return settings
