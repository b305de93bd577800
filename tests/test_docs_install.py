"""docs/operating.md, "Install": commands run, or are held against what they name."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.nix_eval import nix
from tests.packaging import PACKAGING, UNIT, unit
from tests.pages import ROOT, blocks, section
from tests.test_packaging_container import instructions
from tests.test_packaging_systemd import installed, verify

from hydra_notify.cli import main

__all__ = ["installed"]

TEXT = section((ROOT / "docs" / "operating.md").read_text(), "Install")

# In a list, blocks are indented.
BLOCKS = list(blocks(re.sub(r"^ {3}", "", TEXT, flags=re.M)))

COMMANDS = [
    command
    for language, _, text in BLOCKS
    if language == "sh"
    for command in text.splitlines()
]

HOST = "hydra-notify-host"


def venv(words: Sequence[str], _: Path) -> None:
    (start,) = unit("Service")["ExecStart"]
    assert words[:2] == ["-m", "venv"]
    assert start.startswith(f"{words[2]}/bin/hydra-notify ")


def pip(words: Sequence[str], _: Path) -> None:
    assert words[:2] == ["install", "--constraint"]
    assert (ROOT / words[2]).is_file()
    projects = [word for word in words[3:] if word.startswith(".")]
    for project in projects:
        folder, _bracket, extras = project.rstrip("]").partition("[")
        table = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())
        known = table["project"].get("optional-dependencies", {})
        assert set(filter(None, extras.split(","))) == set(known) - {"demo"}
    assert len(projects) == 3


def useradd(words: Sequence[str], _: Path) -> None:
    assert [words[-1]] == unit("Service")["User"]
    home = Path(words[words.index("--home-dir") + 1])
    assert [home.name] == unit("Service")["StateDirectory"]
    assert home.parent == Path("/var/lib")


def install(words: Sequence[str], root: Path) -> None:
    *_, source, target = words
    there = root / target.removeprefix("/")
    there.parent.mkdir(parents=True)
    subprocess.run(["install", *words[:-1], there], cwd=ROOT, check=True, timeout=60)
    assert there.read_text() == UNIT.read_text()
    assert (ROOT / source) == UNIT
    assert there.name == f"{HOST}.service"


def systemctl(words: Sequence[str], _: Path) -> None:
    assert words in (["daemon-reload"], ["enable", "--now", HOST])
    assert unit("Install")["WantedBy"] == ["multi-user.target"]


def nix_build(words: Sequence[str], _: Path) -> None:
    (folder,) = words
    nix("--parse", ROOT / folder / "default.nix")


def podman(words: Sequence[str], _: Path) -> None:
    if words[0] == "build":
        assert words[1:4:2] == ["--file", "--tag"]
        assert ROOT / words[2] == PACKAGING / "Containerfile"
        assert words[-1] == "."
        return
    assert f"podman {' '.join(words)}" in as_the_file_says()
    volumes = [words[n + 1] for n, word in enumerate(words) if word == "--volume"]
    inside = {volume.split(":")[1] for volume in volumes}
    (variables,) = instructions("ENV")
    assert instructions("VOLUME")[0] in inside
    assert inside <= {each.partition("=")[2] for each in variables.split()}


def as_the_file_says() -> str:
    text = (PACKAGING / "Containerfile").read_text()
    return re.sub(r"\\\n#\s*", "", text)


def ours(words: Sequence[str], root: Path) -> None:
    path = root / "hydra-notify.toml"
    path.write_text('[plugins.mail]\ncommand = ["hydra-notify-mail"]\n')
    result = CliRunner(env={"HYDRA_NOTIFY_CONFIG": str(path)}).invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "mail" in result.output or "complete" in result.output


TRIED: dict[str, Callable[[Sequence[str], Path], None]] = {
    "python3": venv,
    "/opt/hydra-notify/bin/pip": pip,
    "useradd": useradd,
    "install": install,
    "systemctl": systemctl,
    "nix-build": nix_build,
    "podman": podman,
    "hydra-notify": ours,
}
"""By program."""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_what_the_page_has_it_for(command: str, tmp_path: Path) -> None:
    program, *words = shlex.split(command)
    TRIED[program](words, tmp_path)


def test_every_program_is_used() -> None:
    assert {shlex.split(command)[0] for command in COMMANDS} == set(TRIED)


def test_the_drop_in_is_one(installed: Path) -> None:
    (text,) = (text for language, _, text in BLOCKS if language == "ini")
    folder = installed.with_name(f"{installed.name}.d")
    folder.mkdir()
    (folder / "override.conf").write_text(text)
    assert verify(installed) == []
    (folder / "override.conf").write_text(text.replace("ReadWritePaths", "WritePaths"))
    assert verify(installed) != []


def test_what_lies_beside_the_program_is_where_the_page_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    files = [*(PACKAGING / "man").iterdir(), *(PACKAGING / "completions").iterdir()]
    assert {str(file.relative_to(ROOT)) for file in files} == set(shared)
    assert all(target.startswith("share/") for target in shared.values())
