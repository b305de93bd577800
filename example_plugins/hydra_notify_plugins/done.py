"""What a plugin has done already, kept in its directory.

For services that do not know a repetition by themselves. It is noted after it is done:
a crash in between repeats it once, the other order would lose it.
"""

import sqlite3
import threading
import time
from pathlib import Path
from typing import Final

KEEP: Final = 30 * 24 * 3600.0
"""Seconds for which it is remembered: the host gives up after a week, unless its
operator has it wait longer."""

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS done (key TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID
"""
_FIND: Final = "SELECT 1 FROM done WHERE key = ?"
_NOTE: Final = "INSERT OR IGNORE INTO done (key, at) VALUES (?, ?)"
_FORGET: Final = "DELETE FROM done WHERE at < ?"


class Done:
    """The list of what is done. Any thread may ask.

    Args:
        directory: The plugin's `state_dir`.
    """

    def __init__(self, directory: Path) -> None:
        self._lock = threading.Lock()
        self._rows = sqlite3.connect(
            directory / "done.sqlite", check_same_thread=False, isolation_level=None
        )
        # Its host may be killed at any moment; the disk is not asked every time.
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = NORMAL")
        self._rows.execute(_TABLE)
        self._rows.execute(_FORGET, (time.time() - KEEP,))

    def __contains__(self, key: str) -> bool:
        with self._lock:
            return self._rows.execute(_FIND, (key,)).fetchone() is not None

    def add(self, key: str) -> None:
        """Note that it is done: an event's id, and what of it."""
        with self._lock:
            self._rows.execute(_NOTE, (key, time.time()))
