import os
import re
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path
from stat import S_IXUSR
from typing import Any

import pytest

import hydra_notify
from hydra_notify import schema

ROOT = Path(__file__).parents[1]


def project_table(folder: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())
    return table


def build(
    kind: str, folder: Path, source: Path = ROOT, **environment: str
) -> zipfile.ZipFile:
    """The wheel that a build front end gets from us, in a process of its own."""
    code = f"from hatchling.build import build_{kind} as b; b({str(folder)!r})"
    clean = {k: v for k, v in os.environ.items() if k != "PIP_BUILD_TRACKER"}
    subprocess.run(
        [sys.executable, "-c", code], cwd=source, env=clean | environment, check=True
    )
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel)


def sdk_requirements(wheel: zipfile.ZipFile) -> list[str]:
    (metadata,) = (n for n in wheel.namelist() if n.endswith("dist-info/METADATA"))
    required = message_from_bytes(wheel.read(metadata)).get_all("Requires-Dist", [])
    return [r for r in required if r.startswith("hydra-notify-sdk")]


def test_host_and_sdk_bear_one_version_and_the_host_requires_it() -> None:
    host = project_table(ROOT)["project"]
    sdk = project_table(ROOT / "plugin_sdk")["project"]
    assert host["version"] == sdk["version"] == hydra_notify.__version__
    assert f"hydra-notify-sdk=={sdk['version']}" in host["dependencies"]


@pytest.mark.parametrize("kind", ["editable", "wheel"])
def test_pip_finds_the_sdk_of_a_checkout_beside_the_host(
    kind: str, tmp_path: Path
) -> None:
    with build(kind, tmp_path, PIP_BUILD_TRACKER="/tracker") as wheel:
        folder = (ROOT / "plugin_sdk").as_uri()
        assert sdk_requirements(wheel) == [f"hydra-notify-sdk @ {folder}"]


def test_a_released_wheel_names_the_version_of_the_sdk_and_no_folder(
    tmp_path: Path,
) -> None:
    with build("wheel", tmp_path) as wheel:
        version = hydra_notify.__version__
        assert sdk_requirements(wheel) == [f"hydra-notify-sdk=={version}"]


def test_the_wheel_of_the_plugins_brings_their_programs_and_the_perl_bridge(
    tmp_path: Path,
) -> None:
    source = ROOT / "example_plugins"
    with build("wheel", tmp_path, source) as wheel:
        names = set(wheel.namelist())
        (entries,) = (name for name in names if name.endswith("entry_points.txt"))
        programs = re.findall(
            r"^(hydra-notify-\S+) = ", wheel.read(entries).decode(), re.M
        )
    assert set(programs) == set(project_table(source)["project"]["scripts"])
    perl = {path.name for path in (source / "perl_bridge").iterdir() if path.is_file()}
    assert {f"hydra_notify_plugins/perl/{name}" for name in perl} <= names


@pytest.mark.parametrize("folder", [".", "plugin_sdk", "example_plugins"])
def test_a_wheel_says_on_its_page_what_it_is(folder: str, tmp_path: Path) -> None:
    """Classifiers that do not exist are refused while it is built."""
    with build("wheel", tmp_path, ROOT / folder) as wheel:
        (path,) = (n for n in wheel.namelist() if n.endswith("dist-info/METADATA"))
        metadata = message_from_bytes(wheel.read(path))
        licenses = [n for n in wheel.namelist() if "/licenses/" in n]
    assert metadata["Summary"]
    assert metadata["Description-Content-Type"] == "text/markdown"
    page = metadata.get_payload()
    assert isinstance(page, str)
    assert page.startswith("# hydra-notify")
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert len(licenses) == 1
    versions = [c for c in metadata.get_all("Classifier", []) if "Python :: 3." in c]
    assert len(versions) == 4
    assert metadata["Requires-Python"] == ">=3.11"


def test_a_wheel_brings_what_the_demo_runs(tmp_path: Path) -> None:
    with build("wheel", tmp_path) as wheel:
        examples = "hydra_notify/demo/examples/"
        shipped = {
            info.filename.removeprefix(examples): info.external_attr >> 16 & S_IXUSR
            for info in wheel.infolist()
            if info.filename.startswith(examples)
        }
    plugins = (p for p in (ROOT / "example_plugins").rglob("*") if p.is_file())
    expected = {
        path.relative_to(ROOT).as_posix(): path.stat().st_mode & S_IXUSR
        for path in (ROOT / "hydra-notify.toml", *plugins)
        if "__pycache__" not in path.parts
    }
    assert shipped == expected


def test_a_wheel_brings_the_schemas(tmp_path: Path) -> None:
    with build("wheel", tmp_path) as wheel:
        shipped = {name for name in wheel.namelist() if "/schema/v1/" in name}
    assert shipped == {f"hydra_notify/schema/v1/{name}.json" for name in schema.names()}


def test_an_editable_install_leaves_the_demo_to_the_checkout(tmp_path: Path) -> None:
    with build("editable", tmp_path) as wheel:
        assert not [n for n in wheel.namelist() if n.startswith("hydra_notify/")]


def test_constraints_pin_names_and_versions_and_nothing_else() -> None:
    pin = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; [a-z0-9_ .*'=!<>]+)?", re.I)
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if not pin.fullmatch(line)] == []


def test_everything_required_is_pinned() -> None:
    host, sdk = project_table(ROOT), project_table(ROOT / "plugin_sdk")
    plugins = project_table(ROOT / "example_plugins")["project"]
    lists = (
        plugins["dependencies"],
        *plugins["optional-dependencies"].values(),
        host["build-system"]["requires"],
        host["project"]["dependencies"],
        *host["project"]["optional-dependencies"].values(),
        *host["dependency-groups"].values(),
        sdk["build-system"]["requires"],
        sdk["project"]["dependencies"],
    )
    required = {
        re.split(r"[^A-Za-z0-9-]", requirement)[0]
        for requirements in lists
        for requirement in requirements
    }
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {pin.split("==")[0] for pin in pins}
    ours = {"hydra-notify", "hydra-notify-plugins", "hydra-notify-sdk"}
    assert required - pinned == ours
