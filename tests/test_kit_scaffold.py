"""`plugin new`: what it writes works at once."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.command_line import Commands
from tests.languages import EXAMPLES as TOOLS
from tests.languages import LANGUAGES as FOLDERS
from tests.languages import need, offline

from hydra_notify.config import parse_config
from hydra_notify.kit.scaffold import EXAMPLE, LANGUAGES, NotWritten, write_plugin
from hydra_notify.kit.settings import read_settings

NAME = "my-chat_2"
"""A name with everything that a name may have."""

LIMIT = 120
"""Seconds for a compiler and a test."""


@pytest.mark.parametrize("word", LANGUAGES)
def test_a_new_plugin_passes_its_own_test_and_keeps_to_the_protocol(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(*TOOLS[word].tools, *(("cargo",) if word == "rust" else ()))
    steps = write_plugin(word, NAME, tmp_path)
    go, tests = steps[0].split(" && ", 1)
    assert go == f"cd {NAME}"
    monkeypatch.chdir(tmp_path / NAME)
    # The interpreter that has the SDK.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    monkeypatch.setenv("PATH", path)
    done = subprocess.run(
        ["bash", "-c", tests],
        env=offline(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    program, *arguments = shlex.split(steps[1])
    assert program == "hydra-notify"
    report = Commands(tmp_path / "hydra-notify.toml").said(*arguments)
    assert f"{NAME} 1.0" in report


@pytest.mark.parametrize("word", LANGUAGES)
def test_a_new_plugin_has_its_own_name_everywhere(word: str, tmp_path: Path) -> None:
    write_plugin(word, NAME, tmp_path)
    written = [path for path in (tmp_path / NAME).rglob("*") if path.is_file()]
    example = {
        path.relative_to(FOLDERS / word).as_posix()
        for path in (FOLDERS / word).rglob("*")
        if path.is_file() and not {"__pycache__", "target"} & set(path.parts)
    }
    assert set(LANGUAGES[word].files) == example - {EXAMPLE, "Cargo.lock"}
    assert len(written) == len(LANGUAGES[word].files) + 2
    for path in written:
        text = path.read_text()
        assert EXAMPLE not in text + path.name
        assert os.access(path, os.X_OK) == text.startswith("#!")


@pytest.mark.parametrize("word", LANGUAGES)
def test_the_configuration_in_its_readme_is_good(word: str, tmp_path: Path) -> None:
    write_plugin(word, NAME, tmp_path)
    readme = (tmp_path / NAME / "README.md").read_text()
    (block,) = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    config = parse_config(block, directory=tmp_path, environ={})
    told = read_settings(tmp_path / NAME / "settings.toml")
    assert config.plugins[NAME].settings == told.settings
    uncommented = re.sub(r"^# (?=\w+ = )", "", block, flags=re.MULTILINE)
    parse_config(uncommented, directory=tmp_path, environ={})
    secrets = tomllib.loads(uncommented)["plugins"][NAME]["secrets"]
    assert set(secrets) == set(told.secrets)


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(NotWritten, match="is there already"):
        write_plugin("bash", NAME, tmp_path)
    assert list((tmp_path / NAME).iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(NotWritten, match="is there already"):
        write_plugin("bash", "file", tmp_path)
    with pytest.raises(NotWritten, match="cannot be written: No such file"):
        write_plugin("bash", NAME, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("word", "name", "problem"),
    [
        ("cobol", NAME, "the languages are: python, bash, node, go, rust, perl, ruby"),
        ("perl", "My Chat", "use 1 to 63 of a-z 0-9 _ -, a letter or digit first"),
        ("perl", "../chat", "is not a plugin's name"),
        ("rust", "2chat", "begins with a digit"),
        ("bash", "test", "test.sh is what its test is called"),
    ],
)
def test_what_cannot_be_is_refused(
    word: str, name: str, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(NotWritten, match=problem):
        write_plugin(word, name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_command_says_what_to_do_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = Commands(tmp_path / "hydra-notify.toml")
    assert commands.said("plugin", "new", "bash", "chat").splitlines() == [
        "cd chat && ./test.sh",
        "hydra-notify plugin check ./chat.sh --config settings.toml --level should",
        "Your code goes into handle in chat.sh; README.md says how to install it.",
    ]
    said = commands.said("plugin", "new", "bash", "chat", status=2)
    assert said == (
        "hydra-notify: chat is there already, and nothing is overwritten; "
        "choose another name\n"
    )
    words = commands.said("plugin", "new", "--help")
    assert all(word in words for word in LANGUAGES)
