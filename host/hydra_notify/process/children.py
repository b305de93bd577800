"""The children of this process: those we started, and those the kernel gave us.

There is one list of children in a process, and so one here. Whoever started a child
waits for it; everybody else's are orphans, and are reaped by `orphans`.
"""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from hydra_notify.bell import Bell

_started: Final[set[int]] = set()
_starts: Final[set[object]] = set()
_start_ended: Final = Bell()


@contextmanager
def starting() -> Generator[None]:
    """Around a start: until it ends, nobody knows which child is whose."""
    start = object()
    _starts.add(start)
    try:
        yield
    finally:
        _starts.discard(start)
        _start_ended.ring()


def started(pid: int) -> None:
    """`pid` is ours until it is `reaped`; call it inside `starting`."""
    _started.add(pid)


def reaped(pid: int) -> None:
    """Somebody else may get the number `pid` now."""
    _started.discard(pid)


async def no_start_under_way() -> None:
    """Return when every child is known."""
    while _starts:
        await _start_ended.wait()


def adopted() -> list[int]:
    """Children that we have not started, or not yet.

    Linux only; nobody on a kernel without /proc/PID/task/TID/children, and nobody while
    no file can be opened.
    """
    pids: list[int] = []
    with suppress(OSError):
        for thread in Path("/proc/self/task").iterdir():
            # A thread may end meanwhile.
            with suppress(OSError):
                pids += map(int, (thread / "children").read_text().split())
    return [pid for pid in pids if pid not in _started]
