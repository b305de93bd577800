"""A cgroup that is delegated to a test, where this machine lets us make one."""

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from hydra_notify.process.cgroup import Cgroup, own_cgroup

PROC = Path("/proc/self")


@contextmanager
def delegated(*controllers: str) -> Generator[Path]:
    """A cgroup as systemd makes it for `Delegate=yes`; skips the test without one.

    Args:
        controllers: That it has to be able to pass on.
    """
    path = _place() / f"hydra-notify-test-{os.getpid()}"
    try:
        path.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    try:
        there = set((path / "cgroup.controllers").read_text().split())
        if missing := set(controllers) - there:
            pytest.skip(f"cgroups have no {', '.join(sorted(missing))} here")
        os.setxattr(path, "user.delegate", b"1")
        yield path
    finally:
        (path / "cgroup.kill").write_text("1")
        for below in (*path.glob("*/"), path):
            while not Cgroup(below)._remove():
                pass


def within(cgroup: Path, command: Sequence[str]) -> tuple[str, ...]:
    """`command`, run in a cgroup."""
    join = f'echo $$ >{cgroup}/cgroup.procs && exec "$@"'
    return ("sh", "-c", join, "sh", *command)


def _place() -> Path:
    """Where cgroups of ours can be: at the top for root, else below our own."""
    try:
        own, mounts = ((PROC / name).read_text() for name in ("cgroup", "mountinfo"))
    except OSError:
        pytest.skip("this system has no cgroups")
    found = own_cgroup("0::/" if os.geteuid() == 0 else own, mounts)
    if found is None:
        pytest.skip("no cgroups of version 2 are mounted here")
    return found
