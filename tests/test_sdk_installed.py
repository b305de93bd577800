"""The SDK as authors have it: its wheel and msgspec, without the host."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from email import message_from_bytes
from pathlib import Path

import msgspec
import pytest
from tests.toy_host import LIMIT, ToyHost
from tests.transcripts import Frame

from hydra_notify.config import parse_config

ROOT = Path(__file__).parents[1]
TYPING = ROOT / "tests" / "typing"
README = (ROOT / "plugin_sdk" / "README.md").read_text()


def programs() -> dict[str, str]:
    """The Python files of the SDK's README, by the name in their first line."""
    found = re.findall(r"```python\n(# (\w+\.py)\n.*?)```", README, re.DOTALL)
    assert len(found) == README.count("```python")
    return {name: code for code, name in found}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    code = f"from hatchling.build import build_wheel as b; b({str(folder)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "plugin_sdk", check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel and what it requires."""
    folder = tmp_path_factory.mktemp("site")
    venv = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(venv, check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    installed = Path(msgspec.__file__).parent
    shutil.copytree(installed, packages / "msgspec")
    return folder / "bin" / "python"


def ask(python: Path, code: str) -> object:
    """The JSON that a program prints, run by itself."""
    done = subprocess.run(
        [python, "-I", "-c", code], capture_output=True, timeout=LIMIT, check=True
    )
    return json.loads(done.stdout)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with the files of the README."""
    for name, code in programs().items():
        (tmp_path / name).write_text(code)
    return tmp_path


def host_for(python: Path, program: Path) -> ToyHost:
    return ToyHost([str(python), "-I", str(program)], program.parent / "state")


def test_the_wheel_requires_msgspec_alone_and_brings_readme_and_types(
    wheel: Path,
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        message = message_from_bytes(archive.read(metadata))
    assert message.get_all("Requires-Dist") == ["msgspec>=0.21"]
    assert str(message.get_payload()).strip() == README.strip()
    assert "hydra_notify_sdk/py.typed" in names
    assert "hydra_notify_sdk/testing/__init__.py" in names


def test_nothing_of_the_host_is_needed(python: Path) -> None:
    others = ["hydra_notify", "trio", "psycopg", "click", "rich", "pytest"]
    code = f"""
import importlib.util, json
import hydra_notify_sdk.testing
found = [name for name in {others} if importlib.util.find_spec(name)]
print(json.dumps([found, hydra_notify_sdk.__file__]))
"""
    answer = ask(python, code)
    assert isinstance(answer, list)
    assert answer[0] == []
    assert Path(answer[1]).is_relative_to(python.parents[1])


def test_a_plugin_that_starts_imports_nothing_it_may_not_need(python: Path) -> None:
    """Every plugin pays for that at each of its starts."""
    code = """
import sys
import hydra_notify_sdk
names = sorted(sys.modules)
import json
print(json.dumps(names))
"""
    imported = ask(python, code)
    assert isinstance(imported, list)
    spared = {
        "argparse",
        "asyncio",
        "dataclasses",
        "difflib",
        "json",
        "shlex",
        "socket",
        "subprocess",
        "tempfile",
        "hydra_notify_sdk.testing",
        "hydra_notify_sdk.usage",
        "hydra_notify_sdk.wire.samples",
    }
    assert spared.intersection(imported) == set()


def test_the_readmes_first_plugin_is_the_projects_and_runs(
    python: Path, files: Path
) -> None:
    first = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert first is not None
    assert programs()["shout.py"] == f"# shout.py\n{first[1]}"
    with host_for(python, files / "shout.py") as host:
        host.initialize()
        assert host.event("build_finished")["result"] == {}
        assert host.shutdown() == 0
        assert "ended with status 1" in host.stderr


def test_the_readmes_chat_explains_what_is_wrong(python: Path, files: Path) -> None:
    config = {"url": "http://127.0.0.1:1/", "room": "x"}
    with host_for(python, files / "chat.py") as host:
        error = host.initialize(config=config)["error"]
        assert error == {
            "code": 422,
            "message": "secrets.token: is required",
            "data": {"help": "set it in [plugins.chat.secrets]"},
        }
        answer = host.initialize(config=config, secrets={"token": "s3cret"})
        assert "result" in answer
        error = host.event("build_finished")["error"]
        assert isinstance(error, dict)
        assert error["message"].startswith("the chat does not answer: ")
        assert error["data"] == {"retry_after_ms": 30_000}


def test_the_readmes_mirror_reports_and_logs(python: Path, files: Path) -> None:
    with host_for(python, files / "mirror.py") as host:
        manifest = host.initialize()["result"]
        assert isinstance(manifest, dict)
        assert (manifest["max_in_flight"], manifest["timeout_ms"]) == (8, 300_000)
        assert host.event("build_finished")["result"] == {}
        assert said(host.frames) == ["log", "progress"]
        assert host.shutdown() == 0


def said(frames: Iterable[Frame]) -> list[object]:
    return [frame["method"] for frame in frames]


def test_the_readmes_tests_pass(files: Path) -> None:
    (files / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=files,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=LIMIT * 3,
    )
    assert re.search(r"\n3 passed in", done.stdout), done.stdout + done.stderr


def test_the_readmes_configuration_is_good(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    environ = {"HYDRA_DATABASE_URL": "postgresql:///hydra"}
    config = parse_config(block, directory=tmp_path, environ=environ)
    assert list(config.plugins) == ["chat"]


@pytest.fixture
def typed(files: Path) -> Path:
    """A folder with plugins, right and wrong, and those of the README."""
    for path in TYPING.glob("*.py"):
        shutil.copy(path, files)
    return files


def marked(place: int) -> set[tuple[int, str]]:
    """Lines and codes of the mistakes in `wrong.py`: mypy's first, then pyright's."""
    lines = (TYPING / "wrong.py").read_text().splitlines()
    return {
        (number, line.partition("# wrong: ")[2].split(", ")[place])
        for number, line in enumerate(lines, 1)
        if "# wrong: " in line
    }


Found = tuple[str, int, str]
"""A file, a line, and the name of what is wrong with it."""


WITHOUT_PYTEST = {"untyped-decorator", "reportMissingImports"}
"""What is said of the README's test, since pytest is not there."""


def check(found: list[Found], place: int) -> None:
    wrong = {(line, code) for name, line, code in found if name == "wrong.py"}
    # There may be more than one complaint about a line.
    assert {line for line, _ in wrong} == {line for line, _ in marked(place)}
    assert marked(place) <= wrong
    others = [one for one in found if one[0] != "wrong.py"]
    assert [one for one in others if one[2] not in WITHOUT_PYTEST] == []


def test_mypy_finds_the_authors_mistakes_and_no_others(
    python: Path, typed: Path
) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file="),
            *("--cache-dir", str(typed / "cache")),
            *("--python-executable", str(python)),
            *("--disable-error-code", "import-not-found"),
            ".",
        ],
        cwd=typed,
        capture_output=True,
        text=True,
        timeout=LIMIT * 3,
    )
    lines = re.findall(r"^(\S+?):(\d+): error: .*\[([a-z-]+)\]$", done.stdout, re.M)
    check([(name, int(line), code) for name, line, code in lines], 0)


def test_pyright_finds_the_authors_mistakes_and_no_others(
    python: Path, typed: Path
) -> None:
    command = [sys.executable, "-m", "pyright", "--pythonpath", str(python)]
    done = subprocess.run(
        [*command, "--outputjson", "."],
        cwd=typed,
        capture_output=True,
        timeout=LIMIT * 3,
    )
    diagnostics = json.loads(done.stdout)["generalDiagnostics"]
    found = [
        (
            Path(one["file"]).name,
            one["range"]["start"]["line"] + 1,
            one.get("rule", one["message"]),
        )
        for one in diagnostics
    ]
    check(found, 1)
