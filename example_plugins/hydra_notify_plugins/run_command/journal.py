"""What has been run, in the plugin's own directory and in Hydra's table.

The plugin's own record says what must not run again, and what Hydra's table does not
know yet: it is written before the other, and outlives a database that is away.
"""

import signal
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

KEEP: Final = 30 * 24 * 3600.0
"""Seconds for which it is remembered; a host that gives up has done so after a week."""


class Run(Struct, kw_only=True):
    """One run of a command; times are seconds since 1970.

    Attributes:
        event: The id of the one it was run for.
        outcome: Of the build, as `news.outcome_of` names it.
        place: Which of its kind, from 0: a command can stand twice.
        broken_off: Whether it was ended from outside, and is to be run again.
        written: Whether Hydra's table has it as it is here.
    """

    uuid: str
    event: str
    outcome: str
    place: int
    matcher: str
    command: str
    build: int
    start_time: int
    end_time: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    core_dumped: bool | None = None
    error_number: int | None = None
    broken_off: bool = False
    written: bool = False

    def words(self) -> str:
        """How it ended, for the log."""
        if self.error_number is not None:
            return f"could not start (errno {self.error_number})"
        if self.signal is not None:
            return f"was ended by signal {self.signal}"
        return f"ended with status {self.exit_code}"


class Table(Protocol):
    """Where Hydra's web pages look for runs."""

    def write(self, run: Run) -> None:
        """Makes the row of a run say what `run` says.

        Raises:
            Failure: It does not.
        """

    def close(self) -> None:
        """Lets its connection go."""


_CREATE: Final = """
CREATE TABLE IF NOT EXISTS runs (
    uuid TEXT PRIMARY KEY, event TEXT NOT NULL, outcome TEXT NOT NULL,
    place INTEGER NOT NULL,
    matcher TEXT NOT NULL, command TEXT NOT NULL, build INTEGER NOT NULL,
    start_time INTEGER NOT NULL, end_time INTEGER, exit_code INTEGER, signal INTEGER,
    core_dumped INTEGER, error_number INTEGER, broken_off INTEGER NOT NULL,
    written INTEGER NOT NULL
)
"""
_INDEX: Final = "CREATE INDEX IF NOT EXISTS runs_outcome ON runs (outcome)"
_PUT: Final = """
INSERT OR REPLACE INTO runs VALUES (
    :uuid, :event, :outcome, :place, :matcher, :command, :build, :start_time, :end_time,
    :exit_code, :signal, :core_dumped, :error_number, :broken_off, :written
)
"""
_ENDED: Final = """
SELECT place, matcher, command FROM runs
WHERE outcome = ? AND end_time IS NOT NULL AND NOT broken_off
"""
_BROKEN_OFF: Final = "SELECT * FROM runs WHERE end_time IS NULL"
_OWED: Final = "SELECT * FROM runs WHERE end_time IS NOT NULL AND NOT written"
_DROP: Final = "DELETE FROM runs WHERE uuid = ?"
_SET_ASIDE: Final = "UPDATE runs SET outcome = '' WHERE outcome = ?"
_FORGET: Final = "DELETE FROM runs WHERE start_time < ? AND written"


class Journal:
    """The runs of one plugin. Any thread may ask.

    Args:
        directory: The plugin's `state_dir`.
        table: Hydra's; None where the plugin may not write it.
    """

    def __init__(self, directory: Path, table: Table | None) -> None:
        self._table = table
        self._lock = threading.RLock()
        self._rows = sqlite3.connect(
            directory / "runs.sqlite", check_same_thread=False, isolation_level=None
        )
        self._rows.row_factory = sqlite3.Row
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = NORMAL")
        self._rows.execute(_CREATE)
        self._rows.execute(_INDEX)
        self._rows.execute(_FORGET, (time.time() - KEEP,))

    def begin(self, run: Run) -> None:
        """Notes that a command is about to run.

        Raises:
            Failure: Hydra's table cannot be written: it must not run yet.
        """
        # First here: a row that nobody knew of would run for ever on Hydra's pages.
        self._put(run)
        try:
            if self._table is not None:
                self._table.write(run)
        except BaseException:
            with self._lock:
                self._rows.execute(_DROP, (run.uuid,))
            raise

    def end(self, run: Run) -> None:
        """Notes how a command has ended.

        Raises:
            Failure: Hydra's table cannot be written now: `write_owed` does it later.
        """
        run.written = False
        self._put(run)
        self._write(run)

    def write_owed(self) -> None:
        """Tells Hydra's table what it could not be told.

        Raises:
            Failure: It still cannot.
        """
        for run in self._find(_OWED):
            self._write(run)

    def close_broken_off(self, now: int) -> None:
        """Notes the end of what ran when the plugin was killed: it was, too."""
        for run in self._find(_BROKEN_OFF):
            run.end_time = now
            run.signal, run.core_dumped = int(signal.SIGKILL), False
            run.broken_off = True
            self._put(run)

    def ended(self, outcome: str) -> set[tuple[int, str, str]]:
        """Place, matcher and command of all that has run to its end for an outcome."""
        with self._lock:
            rows = self._rows.execute(_ENDED, (outcome,)).fetchall()
        return {(row["place"], row["matcher"], row["command"]) for row in rows}

    def forget(self, outcome: str) -> None:
        """Lets the commands of an outcome run again."""
        with self._lock:
            self._rows.execute(_SET_ASIDE, (outcome,))

    def close(self) -> None:
        """Lets go of both; nothing may be asked any more."""
        self._rows.close()
        if self._table is not None:
            self._table.close()

    def _write(self, run: Run) -> None:
        if self._table is not None:
            self._table.write(run)
        run.written = True
        self._put(run)

    def _put(self, run: Run) -> None:
        with self._lock:
            self._rows.execute(_PUT, msgspec.structs.asdict(run))

    def _find(self, statement: str) -> list[Run]:
        with self._lock:
            rows = self._rows.execute(statement).fetchall()
        return [_run_of(dict(row)) for row in rows]


def _run_of(row: dict[str, Any]) -> Run:
    # SQLite has no truth values.
    return msgspec.convert(row, Run, strict=False)
