"""The host as it is run in production, and what `/proc` says of it."""

import mmap
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tomli_w

from benchmarks.hydra import Hydra
from benchmarks.waiting import wait_until

PROGRAMS = Path(__file__).with_name("programs")

START_PATIENCE = 60.0
STOP_PATIENCE = 60.0


def program(name: str, *arguments: object) -> list[str]:
    """The command of one of our plugins, which need no libraries."""
    return [sys.executable, "-I", "-S", str(PROGRAMS / name), *map(str, arguments)]


@dataclass
class Host:
    """A running host.

    Attributes:
        pid: Of its process.
        directory: With its log and its state.
        started: When it was spawned (monotonic seconds).
    """

    pid: int
    directory: Path
    started: float

    def cpu(self) -> float:
        """Seconds of its processor time so far, user and system, its own alone."""
        # What clock_getcpuclockid makes of a pid: /proc has hundredths of a second.
        return time.clock_gettime((~self.pid << 3) | 2)

    def rss(self) -> int:
        """Bytes of its memory now."""
        return self._status("VmRSS")

    def peak(self) -> int:
        """The most bytes of memory it has had."""
        return self._status("VmHWM")

    def wait_log(self, text: str, times: int = 1) -> float:
        """When its log had `text` so many times (monotonic seconds)."""
        log = self.directory / "host.log"
        wait_until(
            lambda: log.read_text().count(text) >= times, START_PATIENCE, repr(text)
        )
        return time.monotonic()

    def state(self, plugin: str) -> Path:
        return self.directory / "state" / "plugins" / plugin

    def told(self, plugin: str) -> dict[int, float]:
        """When a `told` was told of which build (monotonic seconds)."""
        log = (self.state(plugin) / "told.log").read_text()
        # The last line may be half written.
        lines = (line.split() for line in log.split("\n")[:-1])
        return {
            int(event.split(":")[1]): float(at)
            for event, at in lines
            if event != "ready"
        }

    @contextmanager
    def counts(self, plugins: Sequence[str]) -> Generator[list[memoryview]]:
        """How many events each of these plugins, all `echo`, has been told of."""
        with ExitStack() as stack:
            views = []
            for plugin in plugins:
                file = stack.enter_context((self.state(plugin) / "count").open("r+b"))
                views.append(memoryview(mmap.mmap(file.fileno(), 8)).cast("Q"))
            yield views

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        (value,) = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
        return int(value) * 1024


@contextmanager
def running_host(
    hydra: Hydra, plugins: Mapping[str, Mapping[str, Any]], *, wait: bool = True
) -> Generator[Host]:
    """A host with these plugins; gone at the end.

    Args:
        plugins: The tables of the configuration.
        wait: Whether to return only when it listens and every plugin is ready.
    """
    with TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        config = directory / "hydra-notify.toml"
        config.write_text(
            tomli_w.dumps(
                {
                    "database": {"url": hydra.host_url},
                    "host": {
                        "base_url": "https://hydra.example.org",
                        "state_dir": str(directory / "state"),
                    },
                    "plugins": plugins,
                }
            )
        )
        with (directory / "host.log").open("wb") as log:
            started = time.monotonic()
            process = subprocess.Popen(
                [sys.executable, "-m", "hydra_notify", "run", "--config", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        host = Host(process.pid, directory, started)
        try:
            if wait:
                host.wait_log("listening")
                host.wait_log(": ready (", len(plugins))
            yield host
        finally:
            process.terminate()
            try:
                process.wait(STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def echoes(count: int, window: int) -> dict[str, dict[str, Any]]:
    """So many of the quickest plugins."""
    command = program("echo.py", window)
    return {f"echo{number}": {"command": command} for number in range(count)}
