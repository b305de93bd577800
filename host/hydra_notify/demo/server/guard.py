"""Run a Postgres for as long as another process lives.

A program of its own: `python -I -S guard.py DIRECTORY UID GID COMMAND...`
(UID and GID are -1 for our own). It imports nothing outside the standard library and
lives in a session of its own, so no Ctrl-C reaches it or the server.

Standard input brings one command at a time, and each gets one line in answer:

    start                `ready PID` once connections are accepted, or `failed`
    fast, immediate      `stopped`, also when nothing ran

The end of standard input means that the other process is done or dead, however it
died: the server is stopped and DIRECTORY removed. So is it on SIGTERM. The messages of
the server go to DIRECTORY/server.log.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

STDIN: Final = 0
STDOUT: Final = 1

ESCALATION: Final = (
    (signal.SIGINT, 10.0),
    (signal.SIGQUIT, 8.0),
    (signal.SIGKILL, 5.0),
)
"""Signals to stop a server with, and seconds to wait after each.

SIGINT disconnects the clients (SIGTERM would wait for them), SIGQUIT leaves recovery to
the next start; on it the server itself kills its children after 5 s.
"""

READY: Final = b"ready to accept connections"


class Server:
    """The one server of this guard, running or not."""

    def __init__(self, directory: Path, account: tuple[int, int], command: list[str]):
        self.directory = directory
        self.account = account
        self.command = command
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> bytes:
        """Start it unless it runs; the answer to the command."""
        if self.process is not None and self.process.poll() is not None:
            self.stop("immediate")
        if self.process is None:
            uid, gid = self.account
            self.process = subprocess.Popen(
                self.command,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                user=None if uid < 0 else uid,
                group=None if gid < 0 else gid,
                extra_groups=None if uid < 0 else [],
            )
            said = b""
            while READY not in said:
                # Input while it starts is the end of input: nobody waits any more.
                if not (more := self.read(watch_stdin=True)):
                    self.stop("immediate")
                    return b"failed"
                said += more
        return b"ready %d" % self.process.pid

    def stop(self, mode: str) -> bytes:
        """Stop it if it runs; the answer to the command."""
        for number, patience in ESCALATION[0 if mode == "fast" else 1 :]:
            if self.process is None:
                break
            self.process.send_signal(number)
            deadline = time.monotonic() + patience
            while self.read(deadline=deadline):
                pass
            if self.process.poll() is not None:
                self.forget()
        return b"stopped"

    def forget(self) -> None:
        if self.process is not None and self.process.stderr is not None:
            self.process.stderr.close()
        self.process = None

    def read(
        self, deadline: float | None = None, *, watch_stdin: bool = False
    ) -> bytes:
        """The next thing the server says, kept in its log; empty when it is gone.

        Empty also at the deadline (seconds, monotonic), and when there is input while
        that is watched.
        """
        if self.process is None or self.process.stderr is None:
            return b""
        source = self.process.stderr.fileno()
        watched = [source, STDIN] if watch_stdin else [source]
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        readable, _, _ = select.select(watched, [], [], left)
        if source not in readable:
            return b""
        said = os.read(source, 65536)
        with (self.directory / "server.log").open("ab") as log:
            log.write(said)
        if not said:
            # Its pipe closes before it can be waited for; when a child of a killed
            # server still holds the pipe, the deadline of `stop` ends the wait.
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=1.0)
        return said


def commands(server: Server) -> Iterator[str]:
    """Commands as they come, while the server's messages are kept flowing."""
    while True:
        process = server.process
        pipe = None if process is None or process.poll() is not None else process.stderr
        watched = [STDIN] if pipe is None else [STDIN, pipe.fileno()]
        readable, _, _ = select.select(watched, [], [])
        if STDIN in readable:
            # The other side waits for an answer before it writes again, so whatever
            # can be read is one whole command.
            if not (command := os.read(STDIN, 64)):
                return
            yield command.decode().strip()
        else:
            server.read()


def leave(number: int, frame: object) -> NoReturn:
    """Turn a signal into an orderly end."""
    sys.exit(128 + number)


def main(directory: str, uid: str, gid: str, *command: str) -> None:
    """Serve commands until standard input ends."""
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    server = Server(Path(directory), (int(uid), int(gid)), list(command))
    try:
        with suppress(BrokenPipeError):
            for wanted in commands(server):
                answer = server.start() if wanted == "start" else server.stop(wanted)
                os.write(STDOUT, answer + b"\n")
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        server.stop("fast")
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
