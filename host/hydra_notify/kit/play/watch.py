"""Whether a plugin's files have changed: looked at now and then, and not too many."""

import os
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import trio

from hydra_notify.kit.limits import WATCH_POLL, WATCHED_ENTRIES

_WRITTEN: Final = (".log", ".pyc", ".tmp", ".swp", ".swx", "~", "-journal", "-wal")
"""Ends of names of what is written while a plugin runs or is edited."""

Stamps = dict[str, tuple[int, int]]
"""By path: when a file was changed, in nanoseconds, and its bytes."""


def sources(command: Sequence[str]) -> list[Path]:
    """The files of a command: its program, and arguments that are files.

    A program that is sought in PATH, such as an interpreter, is not the author's.
    """
    return [Path(word) for word in command if "/" in word and Path(word).is_file()]


async def changed(files: Sequence[Path], before: Stamps) -> tuple[str, Stamps]:
    """Return when a file, or one beside or below it, has changed and is quiet again.

    Args:
        files: Those of the plugin.
        before: What they were like.

    Returns:
        The path of one that has changed, and what they are like now.
    """
    while True:
        now = await look(files)
        different = {path for path, _ in now.items() ^ before.items()}
        if different:
            break
        await trio.sleep(WATCH_POLL)
    while True:
        # An editor, or a compiler, may still be at it.
        await trio.sleep(WATCH_POLL)
        later, now = now, await look(files)
        if later == now:
            return min(different), now


async def look(files: Sequence[Path]) -> Stamps:
    """What the files, and those beside and below them, are like now."""
    return await trio.to_thread.run_sync(_look, files)


def _look(files: Sequence[Path]) -> Stamps:
    stamps: Stamps = {}
    for file in files:
        # A link in a bin/ leads to where the sources are.
        for path in {file, file.resolve()}:
            _stamp(path, stamps)
    folders = deque(dict.fromkeys(file.resolve().parent for file in files))
    seen = 0
    while folders and seen < WATCHED_ENTRIES:
        with suppress(OSError), os.scandir(folders.popleft()) as entries:
            for entry in entries:
                seen += 1
                if entry.name.startswith((".", "__pycache__")):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif not entry.name.endswith(_WRITTEN):
                    _stamp(Path(entry.path), stamps)
                if seen >= WATCHED_ENTRIES:
                    break
    return stamps


def _stamp(path: Path, stamps: Stamps) -> None:
    with suppress(OSError):
        stat = path.stat()
        stamps[str(path)] = (stat.st_mtime_ns, stat.st_size)
