"""A plugin's process, started as the host starts it, and its three pipes.

Nothing here knows the protocol: bytes go in and come out, each wait is bounded.
"""

import math
import os
import select
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from shutil import which
from typing import Final

import trio

from hydra_notify import process
from hydra_notify.kit.limits import (
    CHILDREN_LEAVE,
    END_LIMIT,
    LOOK_AGAIN,
    STDERR_LINES,
    STDERR_TURNS,
    WRITE_LIMIT,
)
from hydra_notify.limits import READ_CHUNK, STOP_LIMIT
from hydra_notify_sdk.wire import Framer, Oversized

INSTANCE: Final = "test"
"""The name that the kit gives the plugin."""


class Child:
    """A running plugin.

    Attributes:
        state_dir: Its directory.
        left_behind: Processes of its own that were still there when it had ended.
        stderr: The latest lines it wrote there, without their newlines.
        status: Its exit status, as of `process.wait_end`; None while it runs.
        ended: Set when it has ended.
    """

    def __init__(
        self,
        running: trio.Process,
        state_dir: Path,
        on_stderr: Callable[[str], None] | None,
    ) -> None:
        self.state_dir = state_dir
        self.left_behind: set[int] = set()
        self.stderr: deque[str] = deque(maxlen=STDERR_LINES)
        self.status: int | None = None
        self.ended = trio.Event()
        self._process = running
        self._on_stderr = on_stderr
        self._stderr_ended = trio.Event()

    @property
    def pid(self) -> int:
        """Of the plugin, and of its process group."""
        return self._process.pid

    async def write(self, data: bytes, seconds: float = WRITE_LIMIT) -> bool:
        """Write all of `data`; False if it has closed its stdin or does not read it."""
        assert self._process.stdin is not None
        with trio.move_on_after(seconds):
            try:
                await self._process.stdin.send_all(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return False
            return True
        return False

    async def read(self) -> bytes:
        """The next bytes of its stdout; b"" when it has closed it."""
        assert self._process.stdout is not None
        try:
            chunk = bytes(await self._process.stdout.receive_some(READ_CHUNK))
        except trio.ClosedResourceError:
            return b""
        await self._hear_what_came_before()
        return chunk

    async def _hear_what_came_before(self) -> None:
        """Let lines of stderr that were written before an answer be heard before it."""
        assert self._process.stderr is not None
        for _ in range(STDERR_TURNS):
            if self._stderr_ended.is_set() or not _is_readable(self._process.stderr):
                break
            await trio.lowlevel.checkpoint()

    async def hang_up(self) -> None:
        """Close its stdin."""
        assert self._process.stdin is not None
        await self._process.stdin.aclose()

    def signal(self, number: int) -> None:
        """Send a signal to the process alone, if it still runs."""
        if self.status is None:
            self._process.send_signal(number)

    async def end(self, *, gently: bool) -> int | None:
        """Have it end as the host would; its exit status, None if it does not end.

        Args:
            gently: Whether it may end by itself when its stdin does.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(process.end, self._process, gently=gently))
            with trio.move_on_after(STOP_LIMIT):
                await self.ended.wait()
            nursery.cancel_scope.cancel()
        return self.status

    async def wait(self, seconds: float = math.inf) -> int | None:
        """Its exit status; None if it has not ended after so long."""
        with trio.move_on_after(seconds):
            await self.ended.wait()
        return self.status

    async def all_stderr(self) -> list[str]:
        """What `stderr` holds when the process has ended and everything is read."""
        with trio.move_on_after(END_LIMIT):
            await self._stderr_ended.wait()
        return list(self.stderr)

    async def tend(self) -> None:
        """Take what it logs and wait for its end; `start` does it."""
        async with trio.open_nursery() as nursery:
            # Ends with the process and its stderr, which a grandchild may hold open.
            nursery.start_soon(self._read_stderr)
            await self._watch()

    async def _watch(self) -> None:
        if await process.wait_exit(self._process):
            with trio.move_on_after(CHILDREN_LEAVE):
                while self._find_left_behind():  # noqa: ASYNC110 - nothing tells
                    await trio.sleep(LOOK_AGAIN)
            process.kill_all(self.left_behind)
        self.status = await process.wait_end(self._process)
        self.ended.set()

    def _find_left_behind(self) -> bool:
        self.left_behind = process.living_in(self.state_dir) - {self.pid}
        return bool(self.left_behind)

    async def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        framer = Framer()
        while chunk := await self._process.stderr.receive_some(READ_CHUNK):
            for line in framer.feed(bytes(chunk)):
                self._heard(line)
        if rest := framer.close():
            self._heard(rest)
        self._stderr_ended.set()

    def _heard(self, line: bytes | Oversized) -> None:
        if isinstance(line, Oversized):
            text = f"(a line of {line.length} bytes)"
        else:
            text = line.decode("utf-8", "replace").rstrip("\r")
        self.stderr.append(text)
        if self._on_stderr is not None:
            self._on_stderr(text)


def _is_readable(stream: trio.abc.ReceiveStream) -> bool:
    assert isinstance(stream, trio.lowlevel.FdStream)
    return bool(select.select([stream.fileno()], [], [], 0)[0])


def resolved(command: Sequence[str]) -> tuple[str, ...]:
    """`command` with the files it names made absolute: it runs in another directory.

    A program that is not in PATH is one of the working directory, if there is such a
    file; so is each argument.
    """
    program, *arguments = command
    if "/" in program or (which(program) is None and Path(program).exists()):
        program = str(Path(program).absolute())
    return (
        program,
        *(str(Path(a).absolute()) if a and Path(a).exists() else a for a in arguments),
    )


@asynccontextmanager
async def start(
    command: Sequence[str],
    state_dir: Path,
    *,
    own: Mapping[str, str] | None = None,
    on_stderr: Callable[[str], None] | None = None,
    instance: str = INSTANCE,
    options: Sequence[str] = (),
) -> AsyncGenerator[Child]:
    """Start a plugin; on leaving, its whole process group is killed if need be.

    Args:
        command: Program and arguments.
        state_dir: Its directory, which exists.
        own: Variables that its configuration sets.
        on_stderr: Called with each line of its stderr.
        instance: Its name in the configuration.
        options: Of the launcher, as for `process.spawn`.

    Raises:
        OSError: The program cannot be started; `strerror` says why.
    """
    environment = process.environment(instance, state_dir, own or {}, os.environ)
    running = await process.spawn(command, state_dir, environment, options)
    child = Child(running, state_dir, on_stderr)
    try:
        async with trio.open_nursery() as nursery:
            # Ends when the caller has left: the process is killed and reaped then.
            nursery.start_soon(child.tend)
            try:
                yield child
            finally:
                with trio.move_on_after(END_LIMIT, shield=True):
                    if child.status is None:
                        process.kill(running)
                        # Not by `tend`, which may be cancelled already.
                        await process.reap(running)
                nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):
            for stream in (running.stdin, running.stdout, running.stderr):
                if stream is not None:
                    await stream.aclose()
