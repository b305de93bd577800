"""The unit for systemd: as systemd judges it, and as the host's own limits want it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.languages import need
from tests.packaging import UNIT, seconds, unit

from hydra_notify import limits
from hydra_notify.cli.options import EXIT_USAGE

NEWER = {"RestartSteps", "RestartMaxDelaySec", "DelegateSubgroup"}
"""Keys that systemd knows since 254; an older one says so, and goes on."""

MOST_EXPOSED = 30
"""Tenths of the scale of `systemd-analyze security`, on which less is better."""

SERVICE = unit("Service")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The unit with the program that is here."""
    need("systemd-analyze")
    program = Path(sys.executable).parent / "hydra-notify"
    text = UNIT.read_text().replace("/opt/hydra-notify/bin/hydra-notify", str(program))
    assert str(program) in text
    path = tmp_path / UNIT.name
    path.write_text(text)
    return path


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def verify(path: Path) -> list[str]:
    """What systemd finds wrong."""
    result = analyze("verify", "--man=no", path)
    complaints = [
        line
        for line in result.stderr.splitlines()
        if not ((key := re.search(r"Unknown key .*?'(\w+)'", line)) and key[1] in NEWER)
    ]
    assert result.returncode == 0 or complaints
    return complaints


def test_systemd_finds_nothing_wrong(installed: Path) -> None:
    assert verify(installed) == []
    installed.write_text(installed.read_text() + "NoSuchKey=yes\n")
    assert verify(installed) != []


def test_what_takes_a_line_back_is_understood(installed: Path) -> None:
    comments = " ".join(re.findall(r"^# +(.*)$", UNIT.read_text(), re.MULTILINE))
    lifts = re.findall(r"\b([A-Z]\w+=[^\s,;]+[^\s,;.])", comments)
    assert "RestrictNamespaces=no" in lifts
    folder = installed.with_name(f"{installed.name}.d")
    folder.mkdir()
    (folder / "lifts.conf").write_text("\n".join(["[Service]", *lifts, ""]))
    assert verify(installed) == []


def test_it_is_little_exposed(installed: Path) -> None:
    security = ("security", "--offline=true", f"--threshold={MOST_EXPOSED}")
    result = analyze(*security, installed)
    assert result.returncode == 0, result.stdout
    open_to_all = "\n".join(
        line
        for line in installed.read_text().splitlines()
        if not line.startswith(("Protect", "Private", "Restrict", "SystemCall", "Cap"))
    )
    installed.write_text(open_to_all)
    assert analyze(*security, installed).returncode != 0


def test_it_lets_the_host_finish_what_it_has() -> None:
    stopping = (
        limits.STOP_LIMIT
        + limits.CLEAR_ON_EXIT
        + limits.HTTP_CLOSE
        + limits.STATEMENT_DEADLINE
        + limits.LOG_CLOSE
    )
    assert stopping < seconds(SERVICE, "TimeoutStopSec") < 2 * stopping


def test_the_host_tells_that_it_lives_more_often_than_it_has_to() -> None:
    assert seconds(SERVICE, "WatchdogSec") > 2 * limits.KEEPALIVE
    assert 2 * limits.KEEPALIVE < limits.START_EXTENSION
    # One attempt to reach the database: until then it has told nothing but itself.
    first = limits.CONNECT_TIMEOUT + limits.STATEMENT_DEADLINE
    assert first < seconds(SERVICE, "TimeoutStartSec")
    assert SERVICE["Type"] == ["notify"]


def test_it_is_started_again_for_ever_unless_its_configuration_is_wrong() -> None:
    assert SERVICE["Restart"] == ["always"]
    assert unit("Unit")["StartLimitIntervalSec"] == ["0"]
    assert SERVICE["RestartPreventExitStatus"] == [str(EXIT_USAGE)]


def test_plugins_are_ended_by_the_host_and_each_alone() -> None:
    assert SERVICE["KillMode"] == ["mixed"]
    assert SERVICE["OOMPolicy"] == ["continue"]
    assert SERVICE["Delegate"] == ["yes"]
