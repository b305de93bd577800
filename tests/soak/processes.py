"""What `/proc` says of the host and of the plugins it started."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MARKER: Final = "HYDRA_NOTIFY_STATE_DIR"
"""In the environment of every plugin and of all that it starts."""

_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process holds.

    Attributes:
        descriptors: Open ones.
        threads: All.
        peak: The most memory it ever had resident, bytes.
    """

    descriptors: int = 0
    threads: int = 0
    peak: int = 0

    def most(self, other: "Usage") -> "Usage":
        """The larger of each figure."""
        return Usage(
            max(self.descriptors, other.descriptors),
            max(self.threads, other.threads),
            max(self.peak, other.peak),
        )


def usage(pid: int) -> Usage:
    """What a process holds now; nothing if it is gone."""
    with suppress(OSError):
        descriptors = sum(1 for _ in (_PROC / str(pid) / "fd").iterdir())
        status = _status(pid)
        if "VmHWM" in status:
            peak = int(status["VmHWM"].split()[0]) * 1024
            return Usage(descriptors, int(status["Threads"]), peak)
    return Usage()


def marked(state_dir: Path) -> Iterator[tuple[int, str]]:
    """The pids of processes started for plugins below `state_dir`, and their names."""
    start = f"{MARKER}={state_dir}/plugins/".encode()
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            for variable in (entry / "environ").read_bytes().split(b"\0"):
                if variable.startswith(start):
                    yield int(entry.name), variable[len(start) :].decode()


def parent(pid: int) -> int:
    """The pid of a process's parent; 0 if it is gone."""
    with suppress(OSError, KeyError):
        return int(_status(pid)["PPid"])
    return 0


def kill_plugin(pid: int, host: int, state_dir: Path) -> bool:
    """SIGKILL a plugin of `host`, if that is what the pid still stands for."""
    with suppress(OSError):
        descriptor = os.pidfd_open(pid)
        try:
            if parent(pid) == host and any(pid == p for p, _ in marked(state_dir)):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                return True
        finally:
            os.close(descriptor)
    return False


def _status(pid: int) -> dict[str, str]:
    text = (_PROC / str(pid) / "status").read_text()
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value.strip() for name, _, value in pairs}
