"""The Containerfile: what it copies is there, and its check tells a host from none."""

import json
import os
import re
import subprocess
import sys
import tomllib

from tests.end_to_end.conftest import stage
from tests.end_to_end.stage import Stage
from tests.packaging import PACKAGING, seconds, unit
from tests.pages import ROOT

__all__ = ["stage"]

TEXT = (PACKAGING / "Containerfile").read_text()

INSTRUCTIONS = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", TEXT, flags=re.M)).split(
    "\n"
)


def instructions(name: str) -> list[str]:
    return [
        line.removeprefix(f"{name} ")
        for line in INSTRUCTIONS
        if line.startswith(f"{name} ")
    ]


def test_all_that_is_copied_is_in_the_checkout() -> None:
    copied = [
        source
        for line in instructions("COPY")
        if "--from=" not in line
        for source in line.split()[:-1]
    ]
    assert {"host", "plugin_sdk", "example_plugins", "packaging"} <= set(copied)
    assert [source for source in copied if not (ROOT / source).exists()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    needed = {
        *shared,
        project["project"]["readme"],
        "hatch_build.py",
        "constraints.txt",
    }
    assert {path.partition("/")[0] for path in needed} <= set(copied)


def test_it_installs_every_plugin_with_all_that_it_needs() -> None:
    (run, _) = instructions("RUN")
    plugins = tomllib.loads((ROOT / "example_plugins" / "pyproject.toml").read_text())
    extras = ",".join(sorted(plugins["project"]["optional-dependencies"]))
    assert f"./example_plugins[{extras}]" in run


def test_nobody_in_it_is_root() -> None:
    (_, made) = instructions("RUN")
    (user,) = instructions("USER")
    assert made.startswith("useradd --system")
    assert made.endswith(f" {user}")


def test_the_host_has_the_time_to_stop_that_it_has_under_systemd() -> None:
    timeout = seconds(unit("Service"), "TimeoutStopSec")
    assert f"--stop-timeout {timeout:g} " in TEXT


async def test_the_check_tells_an_active_host_from_none(stage: Stage) -> None:
    (check,) = instructions("HEALTHCHECK")
    python, *arguments = json.loads(check.partition(" CMD ")[2])
    assert python == "python"

    def status() -> int:
        return subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "STATE_DIRECTORY": str(stage.directory / "state")},
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
        ).returncode

    assert status() != 0
    stage.puppet("one")
    host = await stage.listening()
    assert status() == 0
    await host.kill()
    assert status() != 0
