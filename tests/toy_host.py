"""The smallest host: starts one plugin and speaks with it, one question at a time."""

import contextlib
import fcntl
import json
import mmap
import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.transcripts import Frame, sample

from hydra_notify_sdk.wire import Framer, Oversized

LIMIT = 20.0
"""Seconds for one answer: far beyond any that comes."""


class ToyHost:
    """A plugin process, started as the host starts it.

    Attributes:
        frames: What it sent and nobody has asked for yet.
        stray: Lines of its stdout that are no frames.
        state_dir: Where it works.
    """

    def __init__(self, command: Sequence[str], state_dir: Path) -> None:
        self.frames: deque[Frame] = deque()
        self.stray: list[bytes] = []
        self._framer = Framer()
        self._log = (state_dir.parent / f"{state_dir.name}.stderr").open("wb+")
        self.state_dir = state_dir
        state_dir.mkdir(exist_ok=True)
        self._count = 0
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=state_dir,
            start_new_session=True,
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "HYDRA_NOTIFY_PLUGIN": "1",
                "HYDRA_NOTIFY_INSTANCE": "test",
                "HYDRA_NOTIFY_STATE_DIR": str(state_dir),
                "PYTHONUNBUFFERED": "1",
                "NO_COLOR": "1",
                "TERM": "dumb",
            },
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self.hang_up()
        self._stdout.close()
        self._log.close()

    @property
    def pid(self) -> int:
        """Of the plugin, and of its process group."""
        return self._process.pid

    @property
    def stderr(self) -> str:
        """What it has written there so far."""
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")

    @property
    def log(self) -> str:
        """What it has logged so far: there, and as notifications."""
        words = (
            frame["params"] for frame in self.frames if frame.get("method") == "log"
        )
        return self.stderr + "\n".join(str(each) for each in words)

    def initialize(self, config: object = None, secrets: object = None) -> Frame:
        """Its answer to the first request."""
        params = {
            "protocol_versions": [1],
            "host": {"name": "toy", "version": "1", "base_url": "https://hydra.test"},
            "instance": "test",
            "config": config or {},
            "secrets": secrets or {},
            "state_dir": str(self.state_dir),
        }
        return self.ask("initialize", params)

    def event(self, name: str, *, attempt: int = 1, redelivered: bool = False) -> Frame:
        """Its answer to the sample event called `name`."""
        return self.ask("event", event_params(name, attempt, redelivered=redelivered))

    def shutdown(self) -> int:
        """Its exit status after an orderly end."""
        answer = self.ask("shutdown", {"reason": "host_stop", "grace_ms": 5000})
        assert answer["result"] == {}
        return self.end()

    def end(self) -> int:
        """Its exit status after the end of its stdin."""
        self.hang_up()
        return self.exit_status()

    def hang_up(self) -> None:
        """Closes its stdin."""
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()

    def is_silent(self, seconds: float) -> bool:
        """Whether it writes nothing and lives on for so long."""
        return not select.select([self._stdout], [], [], seconds)[0]

    def is_closed(self) -> bool:
        """Whether its stdout ends, with nothing more in it: all who had it are gone."""
        ready, _, _ = select.select([self._stdout], [], [], LIMIT)
        return bool(ready) and not os.read(self._stdout.fileno(), 1)

    def exit_status(self) -> int:
        """Waits for its end."""
        return self._process.wait(LIMIT)

    def ask(self, method: str, params: object = None) -> Frame:
        """Sends a request and waits for its answer; anything else stays in `frames`."""
        return self.answer(self.request(method, params))

    def request(self, method: str, params: object = None) -> str:
        """Sends a request; returns its id."""
        self._count += 1
        name = f"{method[0]}{self._count}-t0y"
        self.send({"jsonrpc": "2.0", "id": name, "method": method, "params": params})
        return name

    def send(self, frame: object) -> None:
        """Sends one frame."""
        self.send_raw(json.dumps(frame).encode() + b"\n")

    def send_raw(self, data: bytes) -> None:
        """Sends bytes."""
        self._stdin.write(data)
        self._stdin.flush()

    def answer(self, name: str) -> Frame:
        """Waits for the answer to request `name`."""
        while True:
            for frame in self.frames:
                if frame.get("id") == name and "method" not in frame:
                    self.frames.remove(frame)
                    return frame
            self.wait()

    def next_frame(self) -> Frame:
        """Waits for any frame."""
        while not self.frames:
            self.wait()
        return self.frames.popleft()

    def rest(self) -> bytes:
        """What it still writes, up to the end of its stdout."""
        ready, _, _ = select.select([self._stdout], [], [], LIMIT)
        assert ready, "its stdout does not end"
        return os.read(self._stdout.fileno(), 65_536)

    def wait_until_blocked(self) -> None:
        """Waits until the pipe of its stdout holds no more of what it writes."""
        size = fcntl.fcntl(self._stdout, fcntl.F_GETPIPE_SZ)
        deadline = time.monotonic() + LIMIT
        held = 0
        while held <= size - mmap.PAGESIZE:
            assert time.monotonic() < deadline, f"it has written {held} bytes"
            raw = fcntl.ioctl(self._stdout, termios.FIONREAD, bytes(4))
            held = int.from_bytes(raw, sys.byteorder)

    def wait(self) -> None:
        """Waits until the plugin has sent something."""
        ready, _, _ = select.select([self._stdout], [], [], LIMIT)
        chunk = os.read(self._stdout.fileno(), 65_536) if ready else b""
        assert chunk, f"{'no answer' if not ready else 'it ended'}: {self.stderr}"
        for line in self._framer.feed(chunk):
            assert not isinstance(line, Oversized)
            try:
                self.frames.append(json.loads(line))
            except ValueError:
                self.stray.append(line)


def event_params(
    name: str, attempt: int = 1, *, redelivered: bool = False, number: int = 4711
) -> Frame:
    """The parameters of the sample event called `name`, of build `number`."""
    data = sample(name)
    if "build" in data:
        data["build"] = number
    return {
        "name": name,
        "delivery": {
            "attempt": attempt,
            "redelivered": redelivered,
            "timeout_ms": 30_000,
        },
        "event": {
            "specversion": "1.0",
            "id": f"{name}:{number}:1767607200",
            "source": "https://hydra.test",
            "type": f"hydra.{name}",
            "subject": f"build/{number}",
            "time": "2026-01-05T10:00:00Z",
            "data": data,
        },
    }
