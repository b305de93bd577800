"""A simulated Hydra: one database, its projects, and everything it has done so far.

`evaluator` and `queue_runner` are what it can do, one act at a time; `traffic` makes it
do them at random. None of them reads what a listener did.
"""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Final, TypeVar

from hydra_notify.database import Connection, connect, translated
from hydra_notify.demo.limits import CONNECT_PATIENCE, CONNECT_PAUSE
from hydra_notify.demo.simulation.outcome_log import Notified, OutcomeLog
from hydra_notify.errors import DatabaseLost

T = TypeVar("T")

HYDRA_DATA: Final = "/var/lib/hydra"
"""Where a Hydra keeps its build logs; here it is only a part of payloads."""

APPLICATION: Final = "hydra-queue-runner"
"""What its connections are called in `pg_stat_activity`."""

JOBSETS: Final = "select id, project, name, flake from jobsets order by id"


class Generation(Enum):
    """Which Hydra it behaves like: they differ in what they send."""

    CPP_RUNNER = "cpp-runner"
    """Until spring 2026, the one in nixpkgs: `build_started` once for each build, a
    `build_finished` in one piece however long (Postgres refuses the longest)."""

    RUST_RUNNER = "rust-runner"
    """Summer 2026: `build_started` for each step, long `build_finished` in chunks."""

    RUST_EVALUATOR = "rust-evaluator"
    """Since September 2026: `eval_added` and `eval_failed` end in a field that says
    whether the error changed."""

    @property
    def chunks(self) -> bool:
        """Whether a long list of dependents is divided among several notifications."""
        return self is not Generation.CPP_RUNNER

    @property
    def starts_steps(self) -> bool:
        """Whether `build_started` comes for every step instead of once."""
        return self is not Generation.CPP_RUNNER

    @property
    def flags_errors(self) -> bool:
        """Whether evaluations say if the error changed."""
        return self is Generation.RUST_EVALUATOR


@dataclass(frozen=True, slots=True)
class Jobset:
    """A jobset; `flake` is its reference, None in a classic one."""

    id: int
    project: str
    name: str
    flake: str | None


@dataclass(slots=True)
class Hydra:
    """A connection to Hydra's database, with dice, a clock and a log of its acts.

    Used by one thread at a time; the log may be read by others.

    Attributes:
        clock: The present, whole seconds since 1970.
    """

    url: str
    connection: Connection
    jobsets: tuple[Jobset, ...]
    generation: Generation
    random: Random
    clock: Callable[[], int]
    log: OutcomeLog = field(default_factory=OutcomeLog)

    def jobset(self, name: str) -> Jobset:
        """The jobset called `PROJECT:JOBSET`."""
        return next(j for j in self.jobsets if f"{j.project}:{j.name}" == name)

    def commit(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, run in one transaction.

        When the database goes away, `work` is run again from its beginning, even if it
        had been committed after all. So it must not mind, and must not roll dice.

        Raises:
            DatabaseLost: The database did not come back.
        """
        deadline = time.monotonic() + CONNECT_PATIENCE
        while True:
            try:
                with translated(), self.connection.transaction():
                    return work(self.connection)
            except DatabaseLost:
                self._reconnect(deadline)

    def notify(self, notified: Notified) -> None:
        """Send one notification in a transaction of its own."""
        self.commit(lambda connection: send(connection, notified))
        self.log.add(notified)

    def _reconnect(self, deadline: float) -> None:
        self.connection.close()
        while True:
            try:
                self.connection = connect(self.url, application_name=APPLICATION)
            except DatabaseLost:
                if time.monotonic() >= deadline:
                    raise
                threading.Event().wait(CONNECT_PAUSE)
            else:
                return


NOTIFY: Final = "select pg_notify(%s, %s)"


def send(connection: Connection, notified: Notified) -> None:
    """Send a notification when the open transaction is committed."""
    connection.execute(NOTIFY, (notified.channel, notified.payload))


def wall_clock() -> int:
    """The present, whole seconds since 1970."""
    return int(time.time())


@contextmanager
def open_hydra(
    url: str,
    *,
    seed: int = 0,
    generation: Generation = Generation.RUST_RUNNER,
    clock: Callable[[], int] = wall_clock,
) -> Generator[Hydra]:
    """A Hydra on a database that has the schema and a site.

    Args:
        url: A libpq URL.
        seed: Equal seeds do equal things.
        generation: Which Hydra to behave like; any goes with any schema version.
        clock: The present, whole seconds since 1970.

    Raises:
        DatabaseLost: Nobody answers at `url`.
    """
    connection = connect(url, application_name=APPLICATION)
    dice = Random(seed)
    hydra = Hydra(url, connection, (), generation, dice, clock)
    try:
        rows = hydra.commit(lambda c: c.execute(JOBSETS).fetchall())
        hydra.jobsets = tuple(Jobset(*row) for row in rows)
        yield hydra
    finally:
        hydra.connection.close()
