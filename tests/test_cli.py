"""The command line as a person meets it: a process, its output, its exit status."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.command_line import run

import hydra_notify

GOOD = """
[plugins.one]
command = ["true"]
match.jobs = ["nixpkgs:*:*"]
"""

BAD = """
[database]
urk = "postgresql:///hydra"
[plugins.one]
match.jobs = ["a:b:c:d"]
"""


def test_help_names_every_command(tmp_path: Path) -> None:
    result = run("--help", cwd=tmp_path)
    assert result.returncode == 0
    for command in (
        *("run", "check-config", "demo", "completion"),
        *("ledger", "dead", "pending", "resend", "taskretries"),
        *("schema", "plugin"),
    ):
        assert f"\n  {command} " in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["dead", "retry", "--help"], ["plugin", "trace", "--help"]],
)
def test_help_and_completion_import_nothing_heavy(arguments: list[str]) -> None:
    heavy = ["trio", "psycopg", "msgspec", "rich", "hydra_notify.daemon"]
    program = (
        "import sys; from hydra_notify.cli import main\n"
        f"main({arguments}, standalone_mode=False)\n"
        f"sys.stderr.write(' '.join(m for m in {heavy} if m in sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    result = run("--version", cwd=tmp_path)
    assert result.stdout == f"hydra-notify, version {hydra_notify.__version__}\n"


def test_a_good_configuration_is_described(tmp_path: Path) -> None:
    (tmp_path / "hydra-notify.toml").write_text(GOOD)
    result = run("check-config", cwd=tmp_path)
    assert result.returncode == 0
    assert "nixpkgs:*:*" in result.stdout


@pytest.mark.parametrize("command", [["check-config"], ["run"], []])
def test_every_problem_of_a_bad_configuration_is_a_line_and_the_status_is_2(
    tmp_path: Path, command: list[str]
) -> None:
    (tmp_path / "hydra-notify.toml").write_text(BAD)
    result = run(*command, cwd=tmp_path)
    assert result.returncode == 2
    lines = result.stderr.splitlines()
    assert [line.split()[1] for line in lines] == [
        "database.urk",
        "plugins.one.command",
        "plugins.one.match.jobs[0]",
    ]
    assert "Traceback" not in result.stderr


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    result = run("check-config", "--config", "no-such.toml", cwd=tmp_path)
    assert result.returncode == 2
    assert "no-such.toml" in result.stderr


def test_the_configuration_may_be_named_by_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text(GOOD)
    result = run("check-config", cwd=tmp_path, HYDRA_NOTIFY_CONFIG=str(path))
    assert result.returncode == 0


def test_options_without_a_command_are_those_of_run(tmp_path: Path) -> None:
    result = run("--queued-only", "--config", "no-such.toml", cwd=tmp_path)
    assert result.returncode == 2
    assert "no-such.toml" in result.stderr


def test_an_unknown_command_is_refused_with_a_hint(tmp_path: Path) -> None:
    result = run("chek-config", cwd=tmp_path)
    assert result.returncode == 2
    assert "No such command 'chek-config'" in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(tmp_path: Path, shell: str) -> None:
    result = run("completion", shell, cwd=tmp_path)
    assert result.returncode == 0
    assert "_HYDRA_NOTIFY_COMPLETE" in result.stdout


def test_the_database_may_be_named_by_the_environment_as_hydra_does(
    tmp_path: Path,
) -> None:
    (tmp_path / "hydra-notify.toml").write_text("")
    result = run(
        "--queued-only",
        cwd=tmp_path,
        HYDRA_DATABASE_URL="",
        HYDRA_DBI="dbi:Pg:dbname=hydra;host=/no/such/directory",
    )
    assert result.returncode == 69
    assert "/no/such/directory" in result.stderr
