"""The demo as a user starts it: without a terminal, on one, and interrupted."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.end_to_end.stage import program_with
from tests.temporary import short_directory

LIMIT = 90
"""Seconds; with all that its flaky plugin does to it a demo takes less than 30."""

ON_SCREEN, OFF_SCREEN = "\x1b[?1049h", "\x1b[?1049l"
"""What takes the whole terminal, and gives it back."""


OWN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal one that Ctrl-C works on, then becomes the demo."""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "hydra_notify", "demo", *arguments]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Where the demo puts everything; nothing may be left of it."""
    # Not pytest's own directory: root's Postgres, another user, cannot enter that.
    parent = short_directory()
    with tempfile.TemporaryDirectory(prefix="demo-", dir=parent) as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory
        assert list(directory.iterdir()) == []


def environment(temporary: Path, **more: str) -> dict[str, str]:
    colours = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")
    kept = {k: v for k, v in os.environ.items() if k not in colours}
    return {**kept, "TMPDIR": str(temporary), **more}


class Terminal:
    """A demo on a terminal of 80 columns and 24 lines, and what it wrote there."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process = process
        self.written = ""
        self._descriptor = descriptor

    def press(self, keys: bytes) -> None:
        os.write(self._descriptor, keys)

    def wait_for(self, *words: str) -> None:
        """Return when one of `words` has been written."""
        while not any(word in self.written for word in words):
            assert self._read(), f"it ended without {words}: {self.written}"

    def end(self) -> int:
        """The exit status, when it has ended."""
        while self._read():
            pass
        return self.process.wait(LIMIT)

    def _read(self) -> bool:
        readable, _, _ = select.select([self._descriptor], [], [], LIMIT)
        assert readable, f"nothing for {LIMIT} s: {self.written[-2000:]}"
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:
            # So ends a terminal whose other side is closed.
            return False
        self.written += data.decode(errors="replace")
        return bool(data)


@contextmanager
def on_terminal(temporary: Path, *arguments: str) -> Generator[Terminal]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-c", OWN_TERMINAL, *command(*arguments)],
        env=environment(temporary, TERM="xterm-256color"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            yield Terminal(process, ours)
        finally:
            process.kill()
            os.close(ours)


def row_of(plugin: str, output: str) -> list[str]:
    """The plugin's row of the final table, from its first figure on."""
    (row,) = re.findall(rf"^ ?{plugin} +(\d.*)$", output, re.MULTILINE)
    return str(row).strip().split(maxsplit=5)


def test_without_a_terminal_it_writes_lines_and_ends_with_nothing_lost(
    temporary: Path,
) -> None:
    # Its flaky plugin crashes and hangs in any case, and need not be long about it.
    program = program_with({"RESTART_BASE": 0.1, "CANCEL_GRACE_MS": 500})
    done = subprocess.run(
        [*program, "demo", "--seconds", "6", "--rate", "8", "--seed", "3"],
        env=environment(temporary),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0].startswith("hydra-notify demo: ")
    assert any("pending flags; open deliveries: " in line for line in lines)
    assert lines[-1].startswith("nothing lost: ")
    # Whatever it wants, every plugin got.
    for plugin in ("log_events", "webhook"):
        owed, received, replaced, _, missing, restarts = row_of(plugin, done.stdout)
        assert (received, replaced, missing, restarts) == (owed, "0", "0", "0")
    *_, missing, restarts = row_of("flaky", done.stdout)
    assert missing == "0"
    assert "crash" in restarts, "the flaky plugin never crashed"
    assert any("ERROR" in line and " flaky: " in line for line in lines)


def test_on_a_terminal_it_draws_a_view_and_leaves_the_verdict(temporary: Path) -> None:
    with on_terminal(temporary, "--seconds", "2", "--rate", "3") as terminal:
        assert terminal.end() == 0, terminal.written
    before, _, rest = terminal.written.partition(ON_SCREEN)
    view, _, after = rest.rpartition(OFF_SCREEN)
    assert "hydra-notify demo: " in before
    for words in ("builds go on", "pending flags now", "delivered", "no_sdk_pl"):
        assert words in view, words
    assert "nothing lost: " not in view
    assert "nothing lost: " in after


def test_ctrl_c_ends_it_with_what_was_so_far(temporary: Path) -> None:
    with on_terminal(temporary, "--seconds", "600") as terminal:
        # Its first crash: there is something on its way.
        terminal.wait_for("starting it again")
        terminal.press(b"\x03")
        assert terminal.end() == 130, terminal.written
    *_, after = terminal.written.partition(OFF_SCREEN)
    assert "interrupted: " in after


def test_sigterm_ends_it_too(temporary: Path) -> None:
    with subprocess.Popen(
        command("--seconds", "600"),
        env=environment(temporary),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "starting it again" in line:
                process.send_signal(signal.SIGTERM)
                break
        rest = process.stdout.read()
        assert process.wait(LIMIT) == 130
    assert rest.splitlines()[-1].startswith("interrupted: ")
