"""What was measured on."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from hydra_notify.database import connect
from hydra_notify.demo.server.postgres import Server

BUSY = 0.5
"""A load average above which something else is at work."""


class Machine(msgspec.Struct):
    """Attributes:
    version: Of what was measured: the commit, with `-dirty` if there was more.
    load: Processes that ran or wanted to, on average of the last minute.
    """

    when: str
    version: str
    cores: int
    processor: str
    kernel: str
    python: str
    postgres: str
    load: float

    def words(self) -> str:
        return (
            f"{self.when}, commit {self.version}: {self.cores} cores of"
            f" {self.processor}, Linux {self.kernel}, Python {self.python},"
            f" Postgres {self.postgres}, load average {self.load:.2f} at the start."
        )

    def warning(self) -> str | None:
        """What speaks against figures from here."""
        if self.load <= BUSY:
            return None
        return (
            f"The load average is {self.load:.2f}: something else is at work, and the"
            f" figures say little. Wait until it is below {BUSY}."
        )


def this_machine(server: Server) -> Machine:
    with connect(server.url()) as connection:
        row = connection.execute("show server_version").fetchone()
    assert row is not None
    return Machine(
        when=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=_commit(),
        cores=len(os.sched_getaffinity(0)),
        processor=_processor(),
        kernel=platform.release(),
        python=platform.python_version(),
        postgres=str(row[0]),
        load=os.getloadavg()[0],
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _commit() -> str:
    """Unknown where there is no git, or no history."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=Path(__file__).parent,
            capture_output=True,
            check=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()
