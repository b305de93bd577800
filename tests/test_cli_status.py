"""`hydra-notify status`: how the host is, at a glance and as it goes on."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
import tomli_w
from tests import pretended_host
from tests.command_line import Commands
from tests.hydra_rows import insert_finished
from tests.pretended_host import pretending
from tests.statuses import NOW

from hydra_notify.database import connect
from hydra_notify.election import take_lock
from hydra_notify.http import SOCKET_NAME
from hydra_notify.metrics import LedgerState, PluginState
from hydra_notify.status import Health, Latency, Problem, Trend

PATIENCE = 20.0
"""Seconds: what has not come by then does not come."""

NOWHERE = "postgresql://nobody:hunter22@127.0.0.1:1/hydra"

CRASHING = pretended_host.plugin(
    "github-status",
    state=PluginState.FLAPPING,
    queued=1234,
    retrying=3,
    restarts=14,
    latency=Latency(),
    next_start_at=NOW + 48,
    last_error="exit status 1: \x1b[31mModuleNotFoundError\x07 " + "x" * 200,
    last_error_at=NOW - 40,
)

AILING = pretended_host.host(
    pretended_host.plugin("slack"),
    CRASHING,
    pretended_host.plugin("mail", paused=True, queued=12, rate=Trend(10.0, [])),
    health=Health.DEGRADED,
    words="github-status gets nothing; everything else is delivered.",
    problems=[
        Problem("plugin-flapping", "critical", "it keeps ending " * 9, "mend it"),
        Problem("ledger-missing", "warning", "no ledger", "hydra-notify ledger create"),
    ],
    ledger=LedgerState.ABSENT,
    retrying_count=3,
)


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    commands = Commands(tmp_path / "hydra-notify.toml")
    configure(commands, NOWHERE)
    return commands


def configure(commands: Commands, url: str) -> None:
    state = {"state_dir": str(commands.path.parent)}
    commands.path.write_text(tomli_w.dumps({"database": {"url": url}, "host": state}))


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / SOCKET_NAME


def test_a_host_that_is_well_is_said_to_be_in_the_first_line(
    commands: Commands, socket: Path
) -> None:
    with pretending(socket, pretended_host.host(pretended_host.plugin("slack"))) as at:
        lines = commands.said("status").splitlines()
    assert at.asked == [("GET", "/status.json")]
    assert lines[0] == "OK  Everything is delivered."
    slack = "slack ready 0 0 1/16 0.5 12 ms 340 ms 0"
    assert slack in [" ".join(line.split()) for line in lines]
    pending = "12 builds, the oldest for 5 min (seen 10 s ago); 0.5/s are cleared"
    assert f"pending    {pending}" in lines


def test_problems_come_with_what_helps_and_the_status_tells_scripts(
    commands: Commands, socket: Path
) -> None:
    with pretending(socket, AILING):
        said = commands.said("status", status=1)
    lines = said.splitlines()
    assert lines[0] == (
        "DEGRADED  github-status gets nothing; everything else is delivered."
    )
    assert lines[lines.index("WARNING  no ledger") + 1] == (
        "  fix:  hydra-notify ledger create"
    )
    (crashing,) = (line for line in lines if line.startswith("github-status"))
    # Nothing is cut where there is no terminal, and nothing acts on one.
    assert "flapping 48 s" in crashing
    assert crashing.endswith(
        f"40 s ago: exit status 1: ·[31mModuleNotFoundError· {200 * 'x'}"
    )
    (mail,) = (line for line in lines if line.startswith("mail"))
    assert mail.split()[:3] == ["mail", "paused", "12"]


@pytest.mark.parametrize("width", [1, 30, 50, 80, 200])
def test_on_a_terminal_it_is_no_wider_than_that(
    commands: Commands, socket: Path, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    with pretending(socket, AILING):
        said = commands.said("status", status=1)
    assert "\x1b[" in said
    lines = re.sub(r"\x1b\[[0-9;]*m", "", said).splitlines()
    if width >= 50:
        assert max(map(len, lines)) <= width
    # What cannot be left out is there at any width.
    assert any("github-status" in line and "flapping" in line for line in lines)
    assert any("p99" in line for line in lines) is (width >= 80)


def test_programs_get_the_document_as_it_is(commands: Commands, socket: Path) -> None:
    # Of a newer host, say.
    document = {**msgspec.to_builtins(AILING), "more": "é"}
    body = msgspec.json.encode(document)
    with pretending(socket, lambda *_: (200, body + b"\n")):
        result = commands.run("status", "--json")
    assert result.stdout_bytes == body + b"\n"
    assert result.exit_code == 1
    with pretending(socket, pretended_host.host()):
        assert commands.run("status", "--json").exit_code == 0


def test_a_host_that_cannot_be_understood_is_no_traceback(
    commands: Commands, socket: Path
) -> None:
    with pretending(socket, lambda *_: (200, b'{"health": 5}')):
        assert "is of another version" in commands.said("status", status=1)
        assert commands.run("status", "--json").exit_code == 1
    refusal = b'{"error": "32 connections are open already"}'
    with pretending(socket, lambda *_: (503, refusal)):
        said = commands.said("status", status=1)
    assert said.startswith("UNKNOWN  the host says: 32 connections are open already\n")


def test_without_a_host_it_says_what_to_do_and_that_nothing_else_answers(
    commands: Commands,
) -> None:
    said = commands.said("status", status=1)
    assert said.startswith("DOWN  no host listens at /")
    assert "  fix:  start the host" in said
    assert "database  cannot be asked either: " in said
    assert "hunter22" not in said
    result = commands.run("status", "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "no host listens" in result.stderr


def test_without_a_host_the_database_tells_what_it_knows(
    commands: Commands, database_url: str
) -> None:
    configure(commands, database_url)
    with connect(database_url) as connection:
        insert_finished(connection, 1)
        insert_finished(connection, 2)
        said = commands.said("status", status=1)
        assert "host      none, as the database knows" in said
        assert "pending   2 builds; see `hydra-notify pending`" in said
        take_lock(connection)
        pid = connection.info.backend_pid
        said = commands.said("status", status=1)
    assert f"host      another one is active (backend {pid}, " in said


def test_what_cannot_be_had_together_is_a_usage_error(
    commands: Commands, tmp_path: Path
) -> None:
    assert "leave it out" in commands.said("status", "--watch", "--json", status=2)
    assert "needs a terminal" in commands.said("status", "--watch", status=2)
    commands.path.write_text("[host]\nstate_dir = 5\n")
    assert "host.state_dir" in commands.said("status", status=2)


FIXED = ("COLUMNS", "LINES")


class Watched:
    """A `status --watch` at a terminal, and what it has drawn."""

    def __init__(self, config: Path, stack: ExitStack) -> None:
        self._master, slave = pty.openpty()
        stack.callback(os.close, self._master)
        self.resize(80, 24)
        self._drawn = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hydra_notify", "status", "--watch"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={
                # With these a terminal would have the same size for ever.
                **{k: v for k, v in os.environ.items() if k not in FIXED},
                "TERM": "xterm-256color",
                "HYDRA_NOTIFY_CONFIG": str(config),
            },
        )
        os.close(slave)
        stack.callback(self.process.wait)
        stack.callback(self.process.kill)

    def resize(self, columns: int, lines: int) -> None:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def until(self, words: str) -> None:
        """Return when `words` have been drawn anew."""
        until = time.monotonic() + PATIENCE
        self._drawn = b""
        while words.encode() not in self._drawn:
            left = until - time.monotonic()
            ready, _, _ = select.select([self._master], [], [], max(0.0, left))
            assert ready, self._drawn
            self._drawn += os.read(self._master, 65_536)


@pytest.fixture
def watched(commands: Commands) -> Iterator[Watched]:
    with ExitStack() as stack:
        yield Watched(commands.path, stack)


def test_whoever_watches_sees_the_host_leave_and_come_back(
    watched: Watched, socket: Path
) -> None:
    watched.until("GONE")
    with pretending(socket, AILING):
        watched.until("DEGRADED")
        watched.resize(60, 40)
        watched.process.send_signal(signal.SIGWINCH)
        # A line below the head of the table, which is narrower now.
        watched.until(f"m{'─' * 53}\x1b")
    watched.until("before")
    watched.process.send_signal(signal.SIGINT)
    assert watched.process.wait(PATIENCE) == 0
