"""What has been said of commits, kept in a plugin's directory.

So that nothing is said twice, and nothing old after something new: a status that comes
late, because an attempt had failed, must not hide the one that came in time.
"""

import sqlite3
import time
from pathlib import Path
from typing import Final, NamedTuple

KEEP: Final = 90 * 24 * 3600.0
"""Seconds for which it is remembered: longer than a build waits in any queue."""

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS statuses (
    repository TEXT NOT NULL,
    revision TEXT NOT NULL,
    context TEXT NOT NULL,
    evaluation INTEGER NOT NULL,
    build INTEGER NOT NULL,
    progress INTEGER NOT NULL,
    content TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (repository, revision, context)
) WITHOUT ROWID
"""
_INDEX: Final = "CREATE INDEX IF NOT EXISTS statuses_of_build ON statuses (build)"
_FIND: Final = """
SELECT evaluation, build, progress, content FROM statuses
WHERE repository = ? AND revision = ? AND context = ?
"""
_OF_BUILD: Final = (
    "SELECT repository, revision, evaluation FROM statuses WHERE build = ?"
)
_NOTE: Final = "INSERT OR REPLACE INTO statuses VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_FORGET: Final = "DELETE FROM statuses WHERE at < ?"


class Place(NamedTuple):
    """A commit.

    Attributes:
        repository: As the forge's API names it.
        revision: Of the commit, in full.
    """

    repository: str
    revision: str


class Rank(NamedTuple):
    """How new a status is: of two for one place, the greater one counts.

    Attributes:
        evaluation: The newest one of that commit that contains the build.
        build: Its id.
        progress: 0 for queued, 1 for started, then when it stopped (seconds since
            1970): a build that is restarted ends again.
    """

    evaluation: int
    build: int
    progress: int


class Said:
    """The statuses that a forge has been given.

    Args:
        directory: The plugin's `state_dir`.
    """

    def __init__(self, directory: Path) -> None:
        # Handlers run in the thread that starts the plugin; a test's may not.
        self._rows = sqlite3.connect(
            directory / "said.sqlite", check_same_thread=False, isolation_level=None
        )
        # Its host may be killed at any moment; the disk is not asked every time.
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = NORMAL")
        self._rows.execute(_TABLE)
        self._rows.execute(_INDEX)
        self._rows.execute(_FORGET, (time.time() - KEEP,))

    def is_news(self, place: Place, context: str, rank: Rank, content: str) -> bool:
        """Whether a status is to be sent: neither said already, nor outdated."""
        row = self._rows.execute(_FIND, (*place, context)).fetchone()
        if row is None:
            return True
        *before, told = row
        if rank < Rank(*before):
            return False
        if content == told:
            self.add(place, context, rank, content)
            return False
        return True

    def add(self, place: Place, context: str, rank: Rank, content: str) -> None:
        """Note that it is said."""
        self._rows.execute(_NOTE, (*place, context, *rank, content, time.time()))

    def places_of(self, build: int) -> dict[Place, int]:
        """Where something is said of a build, each with the evaluation that told so."""
        rows = self._rows.execute(_OF_BUILD, (build,)).fetchall()
        found: dict[Place, int] = {}
        for repository, revision, evaluation in rows:
            place = Place(repository, revision)
            found[place] = max(evaluation, found.get(place, 0))
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._rows.close()
