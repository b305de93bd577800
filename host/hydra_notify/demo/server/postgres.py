"""A private Postgres: started in a second, gone without a trace.

It listens on a Unix socket in a directory of its own under the system's temporary
directory, so no port is taken and no other user gets in. A guard process
(`guard`) owns the server: it stops it and removes the directory when this
process ends, even by SIGKILL.
"""

import os
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from hydra_notify.demo.limits import GUARD_EXIT_LIMIT, START_LIMIT, STOP_LIMIT
from hydra_notify.demo.server.binaries import (
    Account,
    find_programs,
    reachable_programs,
    unprivileged_account,
)
from hydra_notify.demo.server.cluster import (
    SUPERUSER,
    PostgresFailed,
    environment,
    initdb,
    make_directory,
)

DEFAULT_PORT: Final = 5432
"""Names the socket's file; nothing listens on it unless `tcp` is asked for."""

SETTINGS: Final = (
    "shared_buffers=16MB",
    "logging_collector=off",
    "log_destination=stderr",
    "timezone=UTC",
    "log_timezone=UTC",
)

FORGETFUL_SETTINGS: Final = (
    "fsync=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
)
"""Faster by far, and safe for anything but a crash of the operating system.

Not `synchronous_commit=off`: with it a crash of the server, such as an immediate
restart, forgets what it had said was committed.
"""

GUARD: Final = Path(__file__).with_name("guard.py")
"""A program of its own; it imports nothing of ours."""


class Server:
    """A running or stopped private Postgres. One thread at a time may control it."""

    def __init__(
        self, directory: Path, guard: subprocess.Popen[bytes], port: int, *, tcp: bool
    ) -> None:
        self.directory = directory
        self.tcp = tcp
        self.port = port
        self._guard = guard

    def url(self, dbname: str = "postgres") -> str:
        """Where libpq finds that database, by the Unix socket."""
        host = quote(str(self.directory), safe="")
        return f"postgresql://{SUPERUSER}@{host}:{self.port}/{quote(dbname, safe='')}"

    def tcp_url(self, dbname: str = "postgres") -> str:
        """Where libpq finds that database by TCP, if the server was made with `tcp`."""
        assert self.tcp, "this server was started without tcp=True"
        return (
            f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{quote(dbname, safe='')}"
        )

    def start(self) -> int:
        """Start the server, unless it runs, and wait until it accepts connections.

        Returns:
            The process id of the postmaster.

        Raises:
            PostgresFailed: It did not start.
        """
        word, _, pid = self._ask("start", START_LIMIT).partition(" ")
        if word != "ready":
            raise PostgresFailed(f"the private Postgres did not start:\n{self.log()}")
        return int(pid)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server, if it runs, and wait until it is gone.

        Args:
            mode: "fast" disconnects the clients and shuts down in order; "immediate"
                is a crash, from which the next start recovers.
        """
        self._ask(mode, STOP_LIMIT)

    def restart(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop and start; connections are lost, the address stays."""
        self.stop(mode)
        self.start()

    def log(self) -> str:
        """The last lines the server wrote."""
        try:
            written = (self.directory / "server.log").read_text(errors="replace")
        except FileNotFoundError:
            return "(it wrote no log)"
        return "\n".join(written.splitlines()[-20:])

    def _ask(self, command: str, patience: float) -> str:
        assert self._guard.stdin is not None
        assert self._guard.stdout is not None
        if self._guard.stdin.closed:
            raise PostgresFailed("this private Postgres was removed at its end")
        try:
            os.write(self._guard.stdin.fileno(), command.encode() + b"\n")
        except BrokenPipeError:
            raise PostgresFailed("the guard of the private Postgres is gone") from None
        answer = b""
        deadline = time.monotonic() + patience
        source = self._guard.stdout.fileno()
        # Not select: its file numbers end at 1024.
        poll = select.poll()
        poll.register(source, select.POLLIN)
        while not answer.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise PostgresFailed(
                    f"the private Postgres did not answer {command!r} within"
                    f" {patience:g} s:\n{self.log()}"
                )
            if not (part := os.read(source, 4096)):
                raise PostgresFailed(
                    f"the guard of the private Postgres died:\n{self.log()}"
                )
            answer += part
        return answer.decode().strip()


@contextmanager
def private_postgres(
    *,
    durable: bool = False,
    tcp: bool = False,
    programs: Path | None = None,
    settings: Sequence[str] = (),
) -> Generator[Server]:
    """A running Postgres with an empty cluster; at the end nothing is left of it.

    Args:
        durable: Write every commit to the disk, as a real server does. Costs time; for
            measurements and for tests of crashes.
        tcp: Listen on a free port of 127.0.0.1 as well. Every user of this machine can
            then connect without a password.
        programs: The directory of `initdb` and `postgres`; found when not given, see
            `binaries.find_programs`.
        settings: Of the server, each `name=value`; they win over ours.

    Raises:
        PostgresUnavailable: No Postgres can be run here.
        PostgresFailed: It could not be set up or started.
    """
    programs = find_programs() if programs is None else programs
    account = unprivileged_account()
    directory = make_directory(account)
    port = _free_port() if tcp else DEFAULT_PORT
    try:
        programs = reachable_programs(programs, account, directory / "programs")
        everything = [
            *SETTINGS,
            *(() if durable else FORGETFUL_SETTINGS),
            f"port={port}",
            f"listen_addresses={'127.0.0.1' if tcp else ''}",
            f"unix_socket_directories={directory}",
            *settings,
        ]
        command = [str(programs / "postgres"), "-D", str(directory / "data")]
        for setting in everything:
            command += ["-c", setting]
        guard = _start_guard(directory, account, command)
        try:
            # Only now: when we die during this, the guard removes what it made.
            initdb(programs, directory, account)
            server = Server(directory, guard, port, tcp=tcp)
            server.start()
            yield server
        finally:
            _end_guard(guard)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _free_port() -> int:
    # Another program may take it before the server does; the start then fails.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start_guard(
    directory: Path, account: Account | None, command: list[str]
) -> subprocess.Popen[bytes]:
    uid, gid = (-1, -1) if account is None else (account.uid, account.gid)
    guard = [sys.executable, "-I", "-S", str(GUARD), str(directory)]
    with (directory / "server.log").open("ab") as log:
        return subprocess.Popen(
            [*guard, str(uid), str(gid), *command],
            cwd="/",
            env=environment(),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )


def _end_guard(guard: subprocess.Popen[bytes]) -> None:
    assert guard.stdin is not None
    assert guard.stdout is not None
    guard.stdin.close()
    try:
        guard.wait(timeout=GUARD_EXIT_LIMIT)
    except subprocess.TimeoutExpired:
        guard.kill()
        guard.wait()
    finally:
        guard.stdout.close()
