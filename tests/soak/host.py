"""The host of the soak: a real process, killed and started again and again."""

import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import trio
from tests.soak.evidence import HostEnd
from tests.soak.processes import Usage, usage

TROUBLE: Final = ("Traceback", "ResourceWarning", "Exception ignored", "RuntimeWarning")
"""Words that are in no log of a healthy host."""

READY: Final = b"listening"

LOOK: Final = 0.02
"""Seconds between two looks into its log."""


class Host:
    """The host, one life after the other.

    Args:
        config: Its configuration.
        directory: For its logs, one for each life.

    Attributes:
        ends: Of its lives.
        exits: Of those that ended by themselves before anybody asked.
        usage: The most that any of them held.
    """

    def __init__(self, config: Path, directory: Path) -> None:
        self.ends: list[HostEnd] = []
        self.exits: list[str] = []
        self.usage = Usage()
        self._config = config
        self._directory = directory
        self._process: trio.Process | None = None
        self._started = 0.0
        self._lives = 0

    @property
    def pid(self) -> int:
        """Of the present life; 0 between two."""
        return 0 if self._process is None else self._process.pid

    async def start(self) -> None:
        """Spawn it; it is not ready yet."""
        self._lives += 1
        self._started = time.monotonic()
        with self._log.open("wb") as log:
            self._process = await trio.lowlevel.open_process(
                [
                    *(sys.executable, "-X", "faulthandler", "-m", "hydra_notify"),
                    *("run", "--config", str(self._config)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONWARNINGS": "default"},
            )

    async def kill(
        self, flags: Callable[[], Awaitable[frozenset[int] | None]] | None = None
    ) -> None:
        """SIGKILL, and be gone.

        Args:
            flags: Tells the builds whose flags are set then, if that matters.
        """
        process = self._present()
        self.look()
        killed = time.monotonic()
        process.kill()
        await process.wait()
        self._process = None
        left = await flags() if flags is not None else frozenset[int]()
        self.ends.append(HostEnd(process.pid, self._started, killed, left))

    async def stop(
        self, patience: float, flags: Callable[[], Awaitable[frozenset[int] | None]]
    ) -> int | None:
        """SIGTERM; the exit status, or None if it had to be killed after `patience`.

        Args:
            patience: Seconds.
            flags: Tells the builds whose flags are set in the end.
        """
        process = self._present()
        self.look()
        told = time.monotonic()
        process.terminate()
        with trio.move_on_after(patience):
            await process.wait()
        status = process.returncode
        if status is None:
            process.kill()
            await process.wait()
        self._process = None
        end = HostEnd(process.pid, self._started, told, await flags(), drained=True)
        self.ends.append(end)
        return status

    async def listening(self, patience: float) -> bool:
        """Whether the present life listens within `patience` seconds."""
        with trio.move_on_after(patience):
            # It writes to a file, which tells nobody.
            while READY not in self._log.read_bytes():  # noqa: ASYNC110
                await trio.sleep(LOOK)
            return True
        return False

    def look(self) -> None:
        """Note what it holds now, and whether it has ended by itself."""
        process = self._present()
        self.usage = self.usage.most(usage(process.pid))
        if process.poll() is not None:
            last = self._log.read_text(errors="replace").splitlines()[-1:]
            said = "".join(last)
            self.exits.append(f"exit status {process.returncode}; it said: {said}")

    def trouble(self) -> list[str]:
        """Lines of its logs that are in no log of a healthy host, and where."""
        found = []
        for path in sorted(self._directory.glob("host-*.log")):
            lines = path.read_text(errors="replace").splitlines()
            for number, line in enumerate(lines, 1):
                if any(word in line for word in TROUBLE):
                    found.append(f"{path}:{number}: {line}")
        return found

    @property
    def _log(self) -> Path:
        return self._directory / f"host-{self._lives:04}.log"

    def _present(self) -> trio.Process:
        assert self._process is not None, "the host is between two lives"
        return self._process
