"""What plugins leave behind: processes that left their group, zombies, leftovers.

A process that daemonises (a session of its own, a parent that ends) is out of reach of
its plugin's group. On Linux the host adopts it, and its environment says whose it is:
every plugin has its directory there, and its descendants inherit it. Out of reach
remains what was started with another environment, or as another user. On other systems
nothing is adopted, found or ended here.
"""

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import trio

from hydra_notify.limits import KILL_GRACE, KILL_POLL
from hydra_notify.process.children import adopted, no_start_under_way
from hydra_notify.process.privileges import prctl
from hydra_notify.process.program import STATE_DIR

_log = logging.getLogger(__name__)

_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_GET_CHILD_SUBREAPER: Final = 37

_PF_EXITING: Final = 0x4
"""In the flags of /proc/PID/stat: it is ending, and its environment is gone already."""


def adopt_orphans() -> bool:
    """Make this process the parent of whatever its descendants leave behind.

    For a process that is the host alone: it owes `reap_orphans` to what it adopts.

    Returns:
        Whether it did: Linux does.
    """
    return prctl(_PR_SET_CHILD_SUBREAPER, 1) == 0


async def reap_orphans() -> None:
    """Reap what was adopted when it ends; until cancelled.

    Never any child: the status of a plugin belongs to whoever waits for it. Returns at
    once in a process that does not adopt.
    """
    adopts = ctypes.c_int(0)
    if prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(adopts)) != 0 or not adopts.value:
        return
    with trio.open_signal_receiver(signal.SIGCHLD) as ends:
        # What was adopted before.
        await no_start_under_way()
        _reap()
        async for _ in ends:
            await no_start_under_way()
            _reap()


async def end_orphans(directory: Path) -> int:
    """End the adopted processes of a plugin whose own process has ended.

    Their children are adopted in turn, and end with them. Takes KILL_GRACE at most.

    Args:
        directory: The plugin's.

    Returns:
        How many there were.
    """
    ended: set[int] = set()
    if sys.platform != "linux":
        return 0
    with trio.move_on_after(KILL_GRACE):
        while True:
            orphans = adopted()
            found = _of_plugins(orphans, {directory})
            # What is about to end may still leave something behind.
            if not found and not any(map(_is_ending, orphans)):
                break
            kill_all(found)
            ended |= found
            await trio.sleep(KILL_POLL)
    return len(ended)


async def end_leftovers(directories: Iterable[Path]) -> None:
    """End what a dead or hung host has left of our plugins; say so in the log.

    Call it before any plugin is started: its processes would be found too. Takes
    KILL_GRACE at most.

    Args:
        directories: The plugins'.
    """
    if sys.platform != "linux":
        return
    wanted = set(directories)
    ended: set[int] = set()
    with trio.move_on_after(KILL_GRACE):
        while True:
            found = _of_plugins(_everybody(), wanted)
            if not found and not any(map(_is_ending, ended)):
                break
            kill_all(found)
            ended |= found
            await trio.sleep(KILL_POLL)
    if ended:
        _log.warning(
            "ended what an earlier host has left of its plugins (pid %s)",
            ", ".join(map(str, sorted(ended))),
        )


def living_in(directory: Path) -> set[int]:
    """The processes of a plugin: it, and what it has started, wherever that is now.

    Those that are ending are not among them; nobody is on systems other than Linux.

    Args:
        directory: The plugin's.
    """
    if sys.platform != "linux":
        return set()
    found = _of_plugins(_everybody(), {directory})
    return {pid for pid in found if not _is_over(pid)}


def _of_plugins(pids: Iterable[int], directories: set[Path]) -> set[int]:
    return {pid for pid in pids if _directory_of(pid) in directories}


def _directory_of(pid: int) -> Path | None:
    """The directory of the plugin that a process belongs to, if it can be seen."""
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return None
    for entry in environ.split(b"\0"):
        name, _, value = entry.partition(b"=")
        if name == STATE_DIR.encode():
            return Path(os.fsdecode(value))
    return None


def _is_ending(pid: int) -> bool:
    """Whether it has begun to end and is no zombie yet."""
    state, *numbers = _stat(pid)
    return state not in "ZX" and bool(int(numbers[5]) & _PF_EXITING)


def _is_over(pid: int) -> bool:
    """Whether it is a zombie, or about to be."""
    state, *numbers = _stat(pid)
    return state in "ZX" or bool(int(numbers[5]) & _PF_EXITING)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; those of a dead process if gone.

    The name before them may hold anything.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return ["X", *"000000"]
    return text.rpartition(")")[2].split()


def _everybody() -> list[int]:
    pids: list[int] = []
    with suppress(OSError):
        pids += [int(each.name) for each in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if pid != os.getpid()]


def kill_all(pids: Iterable[int]) -> None:
    """End processes at once, as far as they are there."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _reap() -> None:
    for pid in adopted():
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
