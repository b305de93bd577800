"""Cgroups of plugins, where the kernel has them."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.delegation import delegated, within

from hydra_notify import process
from hydra_notify.process.cgroup import Cgroups, own_cgroup
from hydra_notify.sandbox import Toll

LIMIT = 20.0
"""Seconds for one program: far beyond any that it takes."""

UNIFIED = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
HYBRID = (
    "25 24 0:22 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
    "31 24 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
)
BELOW = "30 23 0:26 /../../a.service /sys/fs/cgroup rw - cgroup2 cgroup rw\n"


@pytest.mark.parametrize(
    ("cgroup", "mountinfo", "found"),
    [
        ("0::/a.slice/b.service\n", UNIFIED, "/sys/fs/cgroup/a.slice/b.service"),
        ("8:pids:/x\n0::/b.service\n", HYBRID, "/sys/fs/cgroup/unified/b.service"),
        ("0::/\n", UNIFIED, "/sys/fs/cgroup"),
        ("0::/../../a.service/host\n", BELOW, "/sys/fs/cgroup/host"),
        ("0::/../other.service\n", UNIFIED, None),
        ("8:pids:/x\n", HYBRID, None),
        ("0::/b.service\n", "25 24 0:22 / /proc rw - proc proc rw\n", None),
        ("", "", None),
    ],
)
def test_the_cgroup_of_a_process_is_found(
    cgroup: str, mountinfo: str, found: str | None
) -> None:
    assert own_cgroup(cgroup, mountinfo) == (None if found is None else Path(found))


def test_where_nothing_is_delegated_nothing_is_changed(tmp_path: Path) -> None:
    def settled(cgroup: str, mounted: Path) -> Cgroups:
        (tmp_path / "cgroup").write_text(cgroup)
        mount = f"30 23 0:26 / {mounted} rw - cgroup2 cgroup2 rw\n"
        (tmp_path / "mountinfo").write_text(mount)
        cgroups = Cgroups()
        cgroups.settle(tmp_path)
        return cgroups

    empty = tmp_path / "empty"
    empty.mkdir()
    none = Cgroups()
    none.settle(tmp_path / "none")
    assert "no cgroups of version 2" in none.missing
    top = settled("0::/\n", empty)
    assert "was given no cgroup" in top.missing
    assert top.make("one", {}) is None
    assert list(empty.iterdir()) == []


def test_what_is_written_into_a_cgroup_and_read_from_it(tmp_path: Path) -> None:
    # A directory in the place of the kernel, which may lack the controllers.
    cgroup = process.Cgroup(tmp_path / "plugin-one")
    cgroup.make({"memory.max": "4096", "pids.max": "7"})
    assert (cgroup.path / "memory.max").read_text() == "4096"
    assert (cgroup.path / "pids.max").read_text() == "7"
    (cgroup.path / "memory.events").write_text("low 1\noom 3\noom_kill 2\n")
    (cgroup.path / "pids.events").write_text("max 5\n")
    assert cgroup.toll() == Toll(oom_kills=2, refused_tasks=5)


HOST = """
import json, os, subprocess, sys, trio
from pathlib import Path
from hydra_notify import process

def inside(path):
    return (path / "cgroup.procs").read_text().split()

async def main():
    process.cgroups.settle()
    said = {"missing": process.cgroups.missing,
            "controllers": sorted(process.cgroups.controllers),
            "host": Path("/proc/self/cgroup").read_text()}
    cgroup = process.cgroups.make("one", {})
    options = ["cgroup", str(cgroup.path)]
    # It forgets whose it is, leaves its group and its parent.
    stray = 'env -i "PATH=$PATH" setsid sh -c "echo made; exec sleep 1000" & '
    code = stray + stray + "read -r _"
    plugin = await process.spawn(["sh", "-c", code], Path("/"), os.environ, options)
    made = b""
    while made.count(b"made") < 2:
        made += await plugin.stdout.receive_some()
    said["inside"] = len(inside(cgroup.path))
    process.kill(plugin)
    await process.wait_end(plugin)
    said["left"] = len(inside(cgroup.path))
    (cgroup.path / "own").mkdir()
    with trio.fail_after(20):
        await cgroup.end()
    said["gone"] = not cgroup.path.exists()
    # As one that an earlier host has left.
    again = process.cgroups.make("one", {})
    said["again"] = inside(again.path)
    await again.end()
    print(json.dumps(said))

trio.run(main)
"""


@pytest.mark.parametrize("place", ["", "host"], ids=["moves", "is moved already"])
def test_a_cgroup_ends_whatever_a_plugin_has_started(place: str) -> None:
    with delegated() as cgroup:
        (cgroup / place).mkdir(exist_ok=True)
        said = run_host(cgroup / place)
    host = said.pop("host")
    assert isinstance(host, str)
    assert host.strip().endswith("/host")
    del said["controllers"]
    # The shell and what it started; then what was out of reach of its group.
    assert said == {"missing": "", "inside": 3, "left": 2, "gone": True, "again": []}


def test_controllers_are_passed_on_unless_somebody_is_in_the_way() -> None:
    with delegated() as cgroup:
        there = (cgroup / "cgroup.controllers").read_text().split()
        if not there:
            pytest.skip("cgroups have no controllers here")
        # Whichever this machine has: they are all passed on in one way.
        wanted = f"import hydra_notify.process.cgroup as c\nc._WANTED = {there}\n"
        said = run_host(cgroup, wanted)
        assert (said["controllers"], said["missing"]) == (sorted(there), "")
        (cgroup / "cgroup.subtree_control").write_text(
            " ".join(f"-{each}" for each in there)
        )
        with subprocess.Popen(within(cgroup, ["sleep", "1000"])) as other:
            try:
                wait_for(lambda: (cgroup / "cgroup.procs").read_text() != "")
                said = run_host(cgroup, wanted)
            finally:
                other.kill()
    assert said["controllers"] == []
    assert said["missing"] == "processes that are not the host's are in its cgroup"
    # What they started is ended all the same.
    assert said["gone"]


def run_host(cgroup: Path, before: str = "") -> dict[str, object]:
    """What HOST says of itself when it is started in `cgroup`."""
    ran = subprocess.run(
        within(cgroup, [sys.executable, "-c", before + HOST]),
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert ran.returncode == 0, ran.stderr
    said: dict[str, object] = json.loads(ran.stdout)
    return said


def wait_for(true: Callable[[], bool]) -> None:
    """Nobody tells of who comes into a cgroup: look until it is so."""
    deadline = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < deadline
