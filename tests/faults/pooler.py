"""pgbouncer in front of a server, as operators have it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import pytest

from hydra_notify.demo.server.binaries import unprivileged_account
from hydra_notify.demo.server.postgres import Server

# `options` is what every guide tells operators to let it ignore.
SETTINGS: Final = """
[databases]
* = host=127.0.0.1 port={server_port} user=hydra
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
ignore_startup_parameters = options,extra_float_digits
logfile = {directory}/log
"""

PATIENCE: Final = 20.0


Mode = Literal["session", "transaction"]


@dataclass(frozen=True, slots=True)
class Pooler:
    """A running pgbouncer."""

    port: int
    settings: Path
    process: subprocess.Popen[bytes]

    def change(self, mode: Mode) -> None:
        """Pool otherwise, for those who connect from now on."""
        text = self.settings.read_text()
        for other in get_args(Mode):
            text = text.replace(f"pool_mode = {other}", f"pool_mode = {mode}")
        self.settings.write_text(text)
        self.process.send_signal(signal.SIGHUP)

    def url(self, dbname: str) -> str:
        return f"postgresql://hydra@127.0.0.1:{self.port}/{dbname}"


@contextmanager
def pooler(server: Server, mode: Mode) -> Generator[Pooler]:
    """A pgbouncer in front of `server`, which has to listen on TCP."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.fail("this test needs pgbouncer (Debian package: pgbouncer)")
    account = unprivileged_account()
    with tempfile.TemporaryDirectory() as name, socket.socket() as probe:
        directory = Path(name)
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        probe.close()
        settings = directory / "pgbouncer.ini"
        settings.write_text(
            SETTINGS.format(
                server_port=server.port,
                port=port,
                mode=mode,
                directory=directory,
            )
        )
        if account is not None:
            for path in (directory, settings):
                os.chown(path, account.uid, account.gid)
        process = subprocess.Popen(
            [program, "--quiet", str(settings)],
            # It refuses to be root.
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until_it_accepts(port, process)
            yield Pooler(port, settings, process)
        finally:
            process.kill()
            process.wait()


def wait_until_it_accepts(port: int, process: subprocess.Popen[bytes]) -> None:
    """Connect again and again: it does not say when it is ready."""
    for _ in range(int(PATIENCE * 50)):
        assert process.poll() is None, "pgbouncer did not start"
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            threading.Event().wait(0.02)
        else:
            return
    raise AssertionError("pgbouncer does not accept connections")
