"""A cgroup (version 2) for each plugin, where the host was given a subtree of its own.

Under systemd that is `Delegate=yes`. A cgroup with processes of its own can pass no
controllers on, so the host moves into one beside those of its plugins. They guard
against accidents: a plugin that runs as the host's user and may write below
/sys/fs/cgroup can change its own.
"""

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import trio

from hydra_notify.limits import KILL_GRACE, KILL_POLL
from hydra_notify.sandbox import Toll

_HOST: Final = "host"
"""The cgroup of the host itself; `DelegateSubgroup=host` has it started in there."""

_WANTED: Final = ("memory", "pids", "cpu")
"""The controllers of which limits are made."""

_OPTIONAL: Final = ("memory.swap.max",)
"""Not there in a kernel without swap."""

_MARKS: Final = ("user.delegate", "trusted.delegate")
"""Attributes by which systemd says that a cgroup was delegated."""


class Cgroups:
    """Where the cgroups of plugins are made; nowhere, at first.

    Attributes:
        controllers: That bound the cgroups made here.
        missing: Why none are made, or without controllers; "" where they have what the
            kernel has to give.
    """

    def __init__(self) -> None:
        self.controllers: frozenset[str] = frozenset()
        self.missing = "this process is not a host alone"
        self._base: Path | None = None

    def settle(self, proc: Path = Path("/proc/self")) -> None:
        """Move this process, the host alone, into a cgroup beside those of its plugins.

        Where no subtree is delegated, nothing is changed and `missing` says why.

        Args:
            proc: Where the kernel tells of this process.
        """
        try:
            own = own_cgroup(
                (proc / "cgroup").read_text(), (proc / "mountinfo").read_text()
            )
        except OSError:
            own = None
        if own is None:
            self.missing = "this machine has no cgroups of version 2"
            return
        base = own.parent if own.name == _HOST else own
        if not _is_delegated(base):
            self.missing = "the host was given no cgroup of its own"
            return
        try:
            _move(base / _HOST)
            there = (base / "cgroup.controllers").read_text().split()
        except OSError as error:
            self.missing = f"the host's cgroup cannot be used ({error.strerror})"
            return
        self._base, self.missing = base, ""
        wanted = [each for each in _WANTED if each in there]
        self.controllers = frozenset(each for each in wanted if _enable(base, each))
        if wanted and not self.controllers:
            self.missing = "processes that are not the host's are in its cgroup"

    def make(self, plugin: str, settings: Mapping[str, str]) -> "Cgroup | None":
        """An empty cgroup for a plugin; None where they cannot be made.

        What is left of an earlier one is ended.

        Args:
            plugin: Its name.
            settings: File to what is written into it.

        Raises:
            OSError: It cannot be made.
        """
        if self._base is None:
            return None
        cgroup = Cgroup(self._base / f"plugin-{plugin}")
        cgroup.make(settings)
        return cgroup


cgroups: Final = Cgroups()
"""A process has one cgroup, and so there is one of these."""


class Cgroup:
    """Of one life of a plugin.

    Attributes:
        path: Its directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self, settings: Mapping[str, str]) -> None:
        """Make it, with nobody in it.

        Raises:
            OSError: It cannot be made, or a setting was refused.
        """
        with suppress(FileExistsError):
            self.path.mkdir()
        self._kill()
        for name, value in settings.items():
            try:
                (self.path / name).write_text(value)
            except FileNotFoundError:
                if name not in _OPTIONAL:
                    raise

    def toll(self) -> Toll:
        """What the kernel has counted in it."""
        return Toll(
            oom_kills=self._count("memory.events", "oom_kill"),
            refused_tasks=self._count("pids.events", "max"),
        )

    async def end(self) -> Toll:
        """End all that is in it, and remove it; takes KILL_GRACE at most.

        Returns:
            What the kernel has counted in it.
        """
        self._kill()
        toll = self.toll()
        with trio.move_on_after(KILL_GRACE):
            while not self._remove():  # noqa: ASYNC110 -- nothing tells of it
                await trio.sleep(KILL_POLL)
        return toll

    def _kill(self) -> None:
        with suppress(OSError):
            (self.path / "cgroup.kill").write_text("1")

    def _remove(self) -> bool:
        """Whether it is gone: it can be removed when nobody is in it any more."""
        with suppress(OSError):
            # A plugin may have made some of its own below.
            for below in sorted(self.path.rglob("*/"), reverse=True):
                below.rmdir()
        try:
            self.path.rmdir()
        except FileNotFoundError:
            return True
        except OSError as error:
            return error.errno != errno.EBUSY
        return True

    def _count(self, file: str, name: str) -> int:
        with suppress(OSError):
            for line in (self.path / file).read_text().splitlines():
                key, _, value = line.partition(" ")
                if key == name:
                    return int(value)
        return 0


def own_cgroup(cgroup: str, mountinfo: str) -> Path | None:
    """The directory of a process's cgroup of version 2; None where it has none.

    Args:
        cgroup: The text of its /proc/PID/cgroup.
        mountinfo: The text of its /proc/PID/mountinfo.
    """
    paths = [line[3:] for line in cgroup.splitlines() if line.startswith("0::")]
    for line in mountinfo.splitlines():
        fields, _, kind = line.partition(" - ")
        if paths and kind.startswith("cgroup2 "):
            root, mount = fields.split()[3:5]
            if Path(paths[0]).is_relative_to(root):
                within = Path(paths[0]).relative_to(root)
                # In a container, it may lie outside of what is mounted.
                return None if ".." in within.parts else Path(mount, within)
    return None


def _is_delegated(base: Path) -> bool:
    """Whether we may make cgroups below `base`, and nobody else does."""
    if not (base / "cgroup.events").exists():
        # The root of all, which is nobody's.
        return False
    if os.geteuid() == 0:
        # Root may write anywhere, but most of it is systemd's.
        return any(_has_mark(base, mark) for mark in _MARKS)
    files = (base, base / "cgroup.procs", base / "cgroup.subtree_control")
    return all(os.access(file, os.W_OK) for file in files)


def _has_mark(base: Path, mark: str) -> bool:
    try:
        return os.getxattr(base, mark) == b"1"
    except (AttributeError, OSError):
        return False


def _move(leaf: Path) -> None:
    with suppress(FileExistsError):
        leaf.mkdir()
    (leaf / "cgroup.procs").write_text(str(os.getpid()))


def _enable(base: Path, controller: str) -> bool:
    """Whether cgroups below `base` have the controller now."""
    with suppress(OSError):
        (base / "cgroup.subtree_control").write_text(f"+{controller}")
        return controller in (base / "cgroup.subtree_control").read_text().split()
    return False
