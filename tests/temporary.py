"""Where tests put what is temporary: into memory, if it can be had.

A new database is hundreds of new files. On a disk they cost far more than all that
a test does with them, even where nothing waits for the disk.
"""

import os
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")

ROOM = 4 << 30
"""Bytes that must be free there: several times what the servers of a run write."""


def use_memory() -> None:
    """Have this process and its children put temporary files into memory.

    Not if somebody has chosen a place, there is little room or nothing may be executed
    there, as in many containers.
    """
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return
    status = os.statvfs(MEMORY)
    if status.f_bavail * status.f_frsize < ROOM or status.f_flag & os.ST_NOEXEC:
        return
    os.environ["TMPDIR"] = str(MEMORY)
    # pytest has asked before, and the answer is kept.
    tempfile.tempdir = None


def short_directory() -> Path:
    """A directory for everybody with a path short enough for sockets."""
    return MEMORY if tempfile.gettempdir() == str(MEMORY) else Path("/tmp")
