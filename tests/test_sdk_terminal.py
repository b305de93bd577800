"""A plugin that a person starts by hand."""

import json
import os
import pty
import re
import select
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.toy_host import LIMIT

PLUGIN = """
from hydra_notify_sdk import AnyEvent, Plugin
plugin = Plugin("talkative", "1")
@plugin.on("build_finished")
def handle(event: AnyEvent) -> None: ...
plugin.run()
"""


def test_at_a_terminal_it_says_what_it_is_and_how_to_try_it(tmp_path: Path) -> None:
    """The command line it shows is run: it has to work as it stands."""
    program = tmp_path / "a plugin.py"
    program.write_text(f"#!{sys.executable}\n{PLUGIN}")
    program.chmod(0o755)
    controller, terminal = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k != "HYDRA_NOTIFY_PLUGIN"}
    process = subprocess.Popen(
        [str(program)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment,
    )
    os.close(terminal)
    try:
        assert process.wait(LIMIT) == 2
        shown = read_terminal(controller)
    finally:
        process.kill()
        os.close(controller)
    assert "talkative 1 is a plugin of hydra-notify" in shown
    assert "It handles: build_finished." in shown
    _, _, tail = shown.partition("now:\r\n\r\n    ")
    command = tail.replace("\r\n", "")
    answer = subprocess.run(
        ["sh", "-c", command], capture_output=True, timeout=LIMIT, check=True
    )
    assert json.loads(answer.stdout)["result"]["events"] == ["build_finished"]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "a plugin.py"
    path.write_text(PLUGIN)
    return path


def run(
    program: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs it by hand and away from any terminal, with nothing to read."""
    clean = {k: v for k, v in os.environ.items() if k != "HYDRA_NOTIFY_PLUGIN"}
    return subprocess.run(
        [sys.executable, program, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env=clean | environment,
        check=True,
    )


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_asked_for_help_it_says_what_it_is_without_a_terminal_too(
    program: Path, option: str
) -> None:
    shown = run(program, option).stdout
    assert "talkative 1 is a plugin of hydra-notify" in shown
    commands = re.findall(r"hydra-notify plugin (.*)", shown)
    assert [shlex.split(command) for command in commands] == [
        ["run", str(program)],
        ["check", str(program)],
    ]


def test_asked_for_its_version_it_says_that_alone(program: Path) -> None:
    assert run(program, "--version").stdout == "talkative 1\n"


def test_arguments_of_its_own_are_its_own(program: Path) -> None:
    """Neither is a question: it works, and ends with its input."""
    assert run(program, "--help", "more").stdout == ""
    assert run(program, "--verbose").stdout == ""


def test_to_a_host_it_always_speaks_the_protocol(program: Path) -> None:
    assert run(program, "--help", HYDRA_NOTIFY_PLUGIN="1").stdout == ""


def read_terminal(controller: int) -> str:
    text = b""
    while select.select([controller], [], [], 0)[0]:
        try:
            text += os.read(controller, 65_536)
        except OSError:
            break
    return text.decode()
