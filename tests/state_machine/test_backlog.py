"""A dispatcher whose one plugin does nothing, and what becomes of its backlog."""

from collections.abc import Iterator

import pytest
from tests.state_machine.faulty import Faulty
from tests.state_machine.host import SWEEP, Host, plugin, told
from tests.state_machine.loop import Loop
from tests.state_machine.memory import MemoryStore, MemoryWorld
from tests.state_machine.world import finish

from hydra_notify.delivery import Delivery
from hydra_notify.outcomes import DELIVERED
from hydra_notify.records import Standing

BUILDS = range(1, 21)

TURN = 1.0
"""Seconds: two turns of the ledger, and some."""


LOOKS = 4
"""In which something is read for whoever looks."""


class Stage:
    """Two plugins: `a` does its work, `c` is sent one event and does not answer."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.world = MemoryWorld(BUILDS)
        self.lives = 0
        self.host = self.new_host(ledger=True)

    def new_host(self, *, ledger: bool) -> Host:
        self.lives += 1
        store = Faulty(MemoryStore(self.world, f"host {self.lives}"), ledger=ledger)
        host = Host(self.loop, store, {name: plugin(name) for name in "ac"})
        host.start()
        return host

    def finish_all(self) -> None:
        for build in BUILDS:
            finish(self.world, build, 0, 1_000 + build)
        self.host.hear(map(str, BUILDS))

    def work(self, name: str) -> list[int]:
        """Builds that a plugin is told of until there are no more."""
        builds: list[int] = []
        while held := self.sent(name):
            for delivery in held:
                builds.append(told(delivery).head)
                self.host.answer(name, delivery, DELIVERED)
        return builds

    def sent(self, name: str) -> list[Delivery]:
        # It may only have more read, and read again what another plugin needs.
        for _ in range(LOOKS):
            self.host.take(name)
        return list(self.host.held[name])

    def wait(self, seconds: float = TURN) -> None:
        for _ in range(4):
            self.loop.jump(seconds / 4)

    @property
    def parked(self) -> int:
        return len(self.host.dispatcher._events.parked)

    @property
    def flagged(self) -> int:
        rows = self.world.rows.values()
        return sum(row.pending is not None for row in rows)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    # One payload at a time, and few are read: the others wait as ids.
    monkeypatch.setattr("hydra_notify.delivery.queue.READY_BYTES", 0)
    monkeypatch.setattr("hydra_notify.dispatcher.loader.LOAD_BATCH", 4)
    with Loop() as loop:
        yield Stage(loop)


def test_a_backlog_is_parked_and_told_in_order_when_the_plugin_is_back(
    stage: Stage,
) -> None:
    stage.finish_all()
    assert stage.sent("c")
    assert stage.work("a") == list(BUILDS)
    stage.wait()
    # One is with the plugin, and one is ready.
    assert stage.parked >= len(BUILDS) - 2
    assert stage.flagged == len(BUILDS)
    assert stage.work("c") == list(BUILDS)
    stage.wait()
    assert stage.flagged == 0
    assert stage.parked == 0
    assert stage.world.letters() == []


def test_without_a_ledger_a_backlog_is_parked_too(stage: Stage) -> None:
    stage.host.store.ledger = False
    stage.finish_all()
    stage.wait()
    stage.work("a")
    stage.wait()
    assert stage.parked >= len(BUILDS) - 2
    assert stage.work("c") == list(BUILDS)
    stage.wait()
    assert stage.flagged == 0


def test_a_ledger_that_comes_later_is_told_of_the_backlog(stage: Stage) -> None:
    stage.host.store.ledger = False
    stage.finish_all()
    stage.wait()
    stage.work("a")
    stage.wait()
    assert stage.world.letters() == []
    stage.host.store.ledger = True
    stage.wait(SWEEP + 5)
    stage.wait()
    owed = {each[1:] for each in stage.world.letters()}
    assert owed == {("c", Standing.OWED)}
    assert len(stage.world.letters()) == len(BUILDS)
    assert stage.parked >= len(BUILDS) - 2
    # So the next host knows what nobody has to be told again.
    stage.host.kill()
    stage.host = stage.new_host(ledger=True)
    assert stage.work("a") == []
    assert stage.work("c") == list(BUILDS)


def test_what_an_earlier_host_has_left_is_parked(stage: Stage) -> None:
    stage.finish_all()
    stage.work("a")
    stage.wait()
    stage.host.kill()
    stage.host = stage.new_host(ledger=True)
    assert stage.parked >= len(BUILDS) - 2
    deliveries = stage.sent("c")
    assert [each.redelivered for each in deliveries] == [True] * len(deliveries)
    assert stage.work("c") == list(BUILDS)
    stage.wait()
    assert stage.flagged == 0


def test_a_plugin_that_need_not_settle_any_more_frees_the_flags_of_its_backlog(
    stage: Stage,
) -> None:
    stage.finish_all()
    stage.work("a")
    stage.wait()
    assert stage.flagged == len(BUILDS)
    stage.host.change(plugin("c", required=False))
    stage.wait()
    assert stage.flagged == 0
    # What no flag remembers is in the ledger, and parked again.
    assert stage.parked >= len(BUILDS) - 2
    assert stage.work("c") == list(BUILDS)
    stage.wait()
    assert stage.world.letters() == []


def test_the_backlog_of_a_plugin_that_is_removed_frees_its_flags(stage: Stage) -> None:
    stage.finish_all()
    stage.work("a")
    stage.wait()
    stage.host.remove("c")
    stage.wait()
    assert stage.flagged == 0
    assert stage.parked == 0
    standings = {standing for _, _, standing in stage.world.letters()}
    assert standings == {Standing.ORPHANED}


def test_a_build_that_has_another_outcome_when_its_turn_comes_is_told_as_it_is(
    stage: Stage,
) -> None:
    stage.finish_all()
    stage.work("a")
    stage.wait()
    finish(stage.world, BUILDS[-1], 1, 5_000)
    builds = stage.work("c")
    assert builds == list(BUILDS)
    assert stage.work("a") == [BUILDS[-1]]
    stage.wait()
    assert stage.flagged == 0


def test_a_parked_event_that_is_announced_again_is_not_told_twice(
    stage: Stage,
) -> None:
    stage.finish_all()
    stage.work("a")
    stage.wait()
    stage.host.hear(map(str, BUILDS))
    stage.wait()
    assert stage.work("a") == []
    assert stage.parked >= len(BUILDS) - 2
    assert stage.work("c") == list(BUILDS)
