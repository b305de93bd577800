"""The machine, in memory and over a real Postgres, and proof that it can fail."""

import os
from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.state_machine.loop import Loop
from tests.state_machine.machine import Machine, WithoutRights
from tests.state_machine.memory import MemoryStore, MemoryWorld
from tests.state_machine.world import PostgresWorld, Row

from hydra_notify import ledger
from hydra_notify.database import Database
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.hydra import Hydra
from hydra_notify.dispatcher import PostgresStore
from hydra_notify.dispatcher.store import Looked
from hydra_notify.facts import PendingFlag
from hydra_notify.records import EventRecord

BUILDS: Final = range(1, 9)

MORE: Final = int(os.environ.get("MACHINE_EXAMPLES", "1"))
"""Times as many examples as in the suite: for nights."""

EMPTY: Final = """
truncate hydra_notify.event cascade;
truncate hydra_notify.plugin;
update builds set finished = 0, notificationpendingsince = null, buildstatus = null,
                  starttime = null, stoptime = null
"""


def machine_settings(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples * MORE,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        print_blob=True,
    )


class InMemory(Machine):
    """Over dictionaries."""

    kind: type[MemoryStore] = MemoryStore

    def __init__(self) -> None:
        world = MemoryWorld(BUILDS)
        super().__init__(world, Loop(), lambda host: self.kind(world, host))


class InMemoryWithoutRights(WithoutRights, InMemory):
    """As `InMemory`, and there may be no ledger."""


class Careless(MemoryStore):
    """Clears flags without comparing."""

    async def clear(self, flags: Sequence[PendingFlag]) -> Looked:
        for flag in flags:
            if row := self._world.row(flag.build):
                self._world.put(flag.build, Row(row.finished, None, *_outcome(row)))
        return {flag.build for flag in flags}, {}


class Forgetful(MemoryStore):
    """Says that it has written the ledger."""

    async def write(self, records: Sequence[EventRecord], gone: Sequence[str]) -> None:
        self._check()


def _outcome(row: Row) -> tuple[int | None, int | None, int | None]:
    return row.status, row.start, row.stop


@pytest.mark.timeout(120 * MORE)
def test_whatever_happens_nothing_is_lost_in_memory() -> None:
    run_state_machine_as_test(InMemory, settings=machine_settings(200, 40))


@pytest.mark.timeout(120 * MORE)
@pytest.mark.parametrize("machine", [InMemory, InMemoryWithoutRights])
def test_whatever_happens_nothing_is_lost_of_a_backlog(
    machine: type[Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One payload at a time: all others wait as ids, and are parked."""
    monkeypatch.setattr("hydra_notify.delivery.queue.READY_BYTES", 0)
    run_state_machine_as_test(machine, settings=machine_settings(60, 40))


@pytest.mark.timeout(120 * MORE)
def test_whatever_happens_nothing_is_lost_in_postgres(
    database_url: str, hydra: Hydra
) -> None:
    connection = hydra.connection
    ledger.create(connection)

    class InPostgres(Machine):
        def __init__(self) -> None:
            connection.execute(EMPTY.encode())
            builds = queue_builds(hydra, len(BUILDS))
            self.database = Database(database_url)
            super().__init__(
                PostgresWorld(connection, builds),
                Loop(lambda: any(host.store.calls for host in self.hosts)),
                lambda host: PostgresStore(self.database, self.database, host),
            )

        def teardown(self) -> None:
            try:
                super().teardown()
            finally:
                self.database.drop()

    run_state_machine_as_test(InPostgres, settings=machine_settings(30, 25))


@pytest.mark.parametrize("sabotaged", [Careless, Forgetful])
def test_a_store_that_does_not_keep_its_word_is_found_out(
    sabotaged: type[MemoryStore],
) -> None:
    class Sabotaged(InMemory):
        kind = sabotaged

    quick = settings(
        machine_settings(1_000, 40),
        phases=[Phase.generate],
        database=None,
    )
    # Any seed will do: of seven, each found both, within 4 to 262 examples. With this
    # one it takes a dozen.
    with pytest.raises((AssertionError, ExceptionGroup)):
        run_state_machine_as_test(seed(2)(Sabotaged), settings=quick)
