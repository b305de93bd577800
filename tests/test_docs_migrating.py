"""docs/migrating.md, followed by somebody who moves a Hydra, and moves it back."""

import os
import re
import select
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import pytest
from click.testing import CliRunner
from psycopg import sql
from tests.hydra_rows import insert
from tests.pages import ROOT, blocks, commands, dead_links, looks_like

from hydra_notify.cli import main
from hydra_notify.config import parse_config
from hydra_notify.database import Connection
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.hydra import Hydra
from hydra_notify.demo.simulation.queue_runner import finish_build

PATH = ROOT / "docs" / "migrating.md"
PAGE = PATH.read_text()

NOT_HERE: Final[set[str]] = set()
"""What the page speaks of and this tree has not: commands of ours, programs of plugins.
A line less here, and the test below runs them."""

PROGRAM: Final = "hydra-notify-run-command"
"""What the page configures."""

STAND_IN: Final = ROOT / "example_plugins" / "run_command" / "run_command.py"
"""What is run in its place while it is not here."""

NOT_RUN: Final = [
    "python3 -m venv /opt/hydra-notify",
    "/opt/hydra-notify/bin/pip install . ./plugin_sdk ./example_plugins",
    "systemctl mask --now hydra-notify",
    "systemctl unmask hydra-notify",
    "systemctl start hydra-notify",
]
"""What is for a machine with a network, and for the Perl daemon."""

LIMIT: Final = 60
"""Seconds for one command, or one line of the log: far more than any takes."""

ROLE: Final = "hydra-notify"

PENDING: Final = 317_000_001
FAILED: Final = 317_000_002
"""The builds that the page names: the simulated Hydra's first."""


@dataclass(eq=False)
class Frames:
    """What the plugin is told, whatever it makes of it: a copy comes through a pipe,
    which has room for all of it."""

    path: Path
    pipe: int
    text: str = ""

    @classmethod
    def at(cls, path: Path) -> Self:
        os.mkfifo(path)
        # Written, too: it has no end, and nobody waits to open it.
        return cls(path, os.open(path, os.O_RDWR))

    def builds(self, count: int) -> list[int]:
        """The builds whose end it was told of, when there are so many."""
        while True:
            found = re.findall(r'"id":"build_finished:(\d+):', self.text)
            if len(found) >= count:
                return [int(build) for build in found]
            assert select.select([self.pipe], [], [], LIMIT)[0], self.text
            self.text += os.read(self.pipe, 65_536).decode()

    def close(self) -> None:
        os.close(self.pipe)


@dataclass(eq=False)
class Unit:
    """`hydra-notify-host`, as systemd would run it."""

    environment: dict[str, str]
    log: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    _settled: threading.Event = field(default_factory=threading.Event)

    def enable(self) -> str:
        self.process = subprocess.Popen(
            ["hydra-notify"],
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        assert self._settled.wait(LIMIT), self.log
        return ""

    def journal(self) -> str:
        found = (line for line in self.log if re.search("listening|ready", line))
        return "".join(found)

    def disable(self) -> str:
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(LIMIT) == 0
        return ""

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _read(self) -> None:
        assert self.process is not None
        assert self.process.stderr is not None
        with self.process.stderr:
            for line in self.process.stderr:
                self.log.append(line)
                journal = self.journal()
                if "listening" in journal and "ready" in journal:
                    self._settled.set()


@dataclass(eq=False)
class Reader:
    """Somebody with a shell, psql as the owner, and systemctl; in `directory`."""

    directory: Path
    environment: dict[str, str]
    owner: Connection
    unit: Unit
    frames: Frames
    not_run: list[str] = field(default_factory=list)

    def type(self, command: str) -> str | None:
        """What it prints; None where it is not run."""
        acts: dict[str, Callable[[], str]] = {
            "systemctl enable --now hydra-notify-host": self.unit.enable,
            "systemctl disable --now hydra-notify-host": self.unit.disable,
            "journalctl -u hydra-notify-host -g 'listening|ready'": self.unit.journal,
        }
        if command in acts:
            return acts[command]()
        if not is_ours(command) or missing(command):
            self.not_run.append(command)
            return None
        words = shlex.split(command)
        if words != ["hydra-notify", "--queued-only"]:
            # Without the cost of a process.
            runner = CliRunner(env=self.environment)
            result = runner.invoke(main, words[1:], prog_name=words[0])
            assert isinstance(result.exception, SystemExit | None), command
            return result.output
        done = subprocess.run(
            words,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert done.returncode == 0
        return done.stdout

    def ask(self, statements: str) -> None:
        """Run SQL as the owner of the tables."""
        name = sql.Identifier(self.owner.info.dbname).as_string()
        text = statements.replace("DATABASE hydra", f"DATABASE {name}")
        self.owner.execute(text.encode())


def is_ours(command: str) -> bool:
    return command.startswith("hydra-notify ")


def missing(command: str) -> set[str]:
    """The words of a command that would have to be there and are not."""
    words = [word for word in shlex.split(command)[1:2] if not word.startswith("-")]
    return {word for word in words if word not in main.commands}


def programs() -> set[str]:
    """Programs of plugins that the page names and that are not here."""
    named = re.findall(r'^command = \["([^"/]+)"', PAGE, re.M)
    assert named
    bin_ = Path(sys.executable).parent
    return {name for name in named if not (bin_ / name).exists()}


@pytest.fixture
def owner(hydra: Hydra) -> Iterator[Connection]:
    """A Hydra whose Perl daemon has left what it leaves."""
    pending, failed, _ = queue_builds(hydra, 3)
    assert (pending, failed) == (PENDING, FAILED)
    finish_build(hydra, failed)
    hydra.connection.execute("update builds set notificationpendingsince = null")
    finish_build(hydra, pending)
    for name in ("RunCommand", "SlackNotification"):
        row = {
            "channel": "build_finished",
            "pluginname": f"Hydra::Plugin::{name}",
            "payload": str(failed),
            "attempts": 4,
            "retry_at": 1_700_000_000,
        }
        insert(hydra.connection, "taskretries", row)
    yield hydra.connection
    found = hydra.connection.execute(
        "select from pg_roles where rolname = %s", (ROLE,)
    ).fetchone()
    if found is not None:
        # The page was not followed to its end.
        role = sql.Identifier(ROLE)
        hydra.connection.execute(sql.SQL("drop owned by {}").format(role))
        hydra.connection.execute(sql.SQL("drop role {}").format(role))


@pytest.fixture
def reader(
    owner: Connection,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Reader]:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (tmp_path / "hydra").mkdir()
    frames = Frames.at(tmp_path / "frames")
    own = Path(sys.executable).parent / PROGRAM
    program = [str(own)] if own.exists() else [sys.executable, str(STAND_IN)]
    wrapped = bin_ / PROGRAM
    copied = shlex.quote(str(frames.path))
    wrapped.write_text(f"#!/bin/sh\ntee {copied} | {shlex.join(program)}\n")
    wrapped.chmod(0o755)
    paths = (str(bin_), str(Path(sys.executable).parent), os.environ["PATH"])
    environment = os.environ | {
        "PATH": ":".join(paths),
        "COLUMNS": "100",
        "HYDRA_DATABASE_URL": database_url.replace("//hydra@", f"//{ROLE}@"),
        "STATE_DIRECTORY": str(tmp_path / "state"),
        "HYDRA_DATA": str(tmp_path / "hydra"),
    }
    monkeypatch.chdir(tmp_path)
    unit = Unit(environment)
    yield Reader(tmp_path, environment, owner, unit, frames)
    unit.end()
    frames.close()


def test_a_reader_who_types_everything_has_moved_and_is_back(reader: Reader) -> None:
    for language, name, text in blocks(PAGE):
        if name is not None:
            (reader.directory / name).write_text(text)
        if language == "sql":
            reader.ask(text)
        if language == "console":
            for command, expected in commands(text):
                if "disable" in command:
                    # One of them is told again, as ordered with `resend`.
                    told = reader.frames.builds(3)
                    assert sorted(told) == [PENDING, FAILED, FAILED]
                printed = reader.type(command)
                if printed is not None:
                    assert looks_like(expected, printed), f"$ {command}\n{printed}"
    absent = [each for each in reader.not_run if is_ours(each)]
    assert {word for each in absent for word in missing(each)} <= NOT_HERE
    assert [each for each in reader.not_run if not is_ours(each)] == NOT_RUN
    flags = "select from builds where notificationpendingsince is not null"
    assert reader.owner.execute(flags).fetchone() is None


def test_what_is_not_here_is_known() -> None:
    typed = [
        command
        for language, _, text in blocks(PAGE)
        if language == "console"
        for command, _ in commands(text)
        if is_ours(command)
    ]
    assert len(typed) > 10
    assert {word for each in typed for word in missing(each)} | programs() == NOT_HERE


def test_every_configuration_is_good(tmp_path: Path) -> None:
    texts = [text for language, _, text in blocks(PAGE) if language == "toml"]
    assert len(texts) > 1
    for text in texts:
        assert parse_config(text, directory=tmp_path, environ={}).plugins


def test_every_block_of_code_is_of_a_kind_that_is_tried_or_known_not_to_be() -> None:
    kinds = {(language, name is not None) for language, name, _ in blocks(PAGE)}
    assert kinds == {
        ("conf", True),
        ("console", False),
        ("nix", False),
        ("sql", False),
        ("toml", False),
        ("toml", True),
    }


def test_every_link_leads_somewhere() -> None:
    assert dead_links(PATH) == []
