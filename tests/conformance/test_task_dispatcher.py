"""Hydra: t/Hydra/TaskDispatcher.t, with the dispatcher of a host, in memory.

The "record" of an event is its row in the ledger.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.state_machine.faulty import Faulty
from tests.state_machine.host import Host, plugin
from tests.state_machine.loop import Loop
from tests.state_machine.memory import MemoryStore, MemoryWorld
from tests.state_machine.world import finish

from hydra_notify.limits import GIVE_UP_AFTER, LEDGER_TURN
from hydra_notify.outcomes import DELIVERED, Outcome, Retry
from hydra_notify.records import Standing

BUILD = 1
EVENT = f"build_finished:{BUILD}:95-100:0"

FAILED = Retry("500 no")

TURN = LEDGER_TURN + 0.1
"""Seconds to the next turn of the ledger; it writes what was so at the one before."""


@dataclass(eq=False)
class Hosts:
    """A database, and the hosts on it one after the other."""

    loop: Loop
    world: MemoryWorld
    host: Host

    def start(self, *names: str) -> None:
        store = Faulty(MemoryStore(self.world, str(id(self.host))))
        self.host = Host(self.loop, store, {name: plugin(name) for name in names})
        self.host.start()

    def finish(self) -> None:
        """A build finishes, and is announced."""
        finish(self.world, BUILD, 0, at=100)
        self.host.hear([str(BUILD)])

    def called(self, name: str) -> int:
        """How often the plugin is called now."""
        self.host.take(name)
        # What is tried again is read again first.
        self.host.take(name)
        return len(self.host.held[name])

    def answer(self, name: str, outcome: Outcome) -> None:
        (delivery,) = self.host.held[name]
        self.host.answer(name, delivery, outcome)
        self.write()

    def write(self) -> None:
        """Wait until the ledger is written."""
        for _ in range(4):
            self.loop.jump(TURN)

    @property
    def records(self) -> list[tuple[str, int, Standing]]:
        """Plugin, attempts and standing of every delivery in the ledger."""
        return [
            (each.plugin, each.attempts, each.standing)
            for event in self.world.events.values()
            for each in event.deliveries
        ]

    @property
    def flagged(self) -> bool:
        row = self.world.row(BUILD)
        assert row is not None
        return row.pending is not None


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    with Loop() as loop:
        world = MemoryWorld([BUILD])
        store = Faulty(MemoryStore(world, "first"))
        names = ("alice", "bob")
        host = Host(loop, store, {name: plugin(name) for name in names})
        host.start()
        yield Hosts(loop, world, host)


def test_each_plugin_is_called_once_though_all_fail(hosts: Hosts) -> None:
    hosts.finish()
    assert [hosts.called(name) for name in ("alice", "bob")] == [1, 1]
    hosts.answer("alice", FAILED)
    hosts.answer("bob", FAILED)
    hosts.host.hear([str(BUILD)])
    assert hosts.records == [
        ("alice", 1, Standing.OWED),
        ("bob", 1, Standing.OWED),
    ]


def test_a_task_of_one_plugin_calls_that_one_alone(hosts: Hosts) -> None:
    hosts.finish()
    assert [hosts.called(name) for name in ("alice", "bob")] == [1, 1]
    hosts.answer("alice", DELIVERED)
    hosts.answer("bob", FAILED)
    assert [hosts.called(name) for name in ("alice", "bob")] == [0, 1]


def test_unlike_hydra_a_task_of_an_unknown_plugin_is_set_aside(hosts: Hosts) -> None:
    """Perl takes the oldest due task, finds no plugin, and takes it again, for ever:
    83 % of a processor, and no other retry runs."""
    hosts.finish()
    assert [hosts.called(name) for name in ("alice", "bob")] == [1, 1]
    hosts.answer("alice", FAILED)
    hosts.answer("bob", FAILED)
    hosts.host.kill()
    hosts.start("alice")
    hosts.write()
    assert hosts.called("alice") == 1
    hosts.answer("alice", DELIVERED)
    assert hosts.records == [("bob", 1, Standing.ORPHANED)]
    assert not hosts.flagged


def test_a_failure_without_a_record_is_recorded(hosts: Hosts) -> None:
    hosts.finish()
    assert hosts.records == []
    hosts.called("alice")
    hosts.answer("alice", FAILED)
    assert ("alice", 1, Standing.OWED) in hosts.records


def test_a_success_takes_the_record_away(hosts: Hosts) -> None:
    hosts.finish()
    for name in ("alice", "bob"):
        hosts.called(name)
        hosts.answer(name, FAILED)
    for name in ("alice", "bob"):
        assert hosts.called(name) == 1
        hosts.answer(name, DELIVERED)
    assert hosts.records == []


def test_a_failure_with_a_record_counts_in_it(hosts: Hosts) -> None:
    hosts.finish()
    for attempt in (1, 2):
        hosts.loop.jump(4.0)
        assert hosts.called("alice") == 1
        hosts.answer("alice", FAILED)
        assert ("alice", attempt, Standing.OWED) in hosts.records


def test_unlike_hydra_what_has_failed_for_a_week_is_kept_as_a_dead_letter(
    hosts: Hosts,
) -> None:
    """Perl deletes it after 102 attempts, 26.5 hours, and says nothing. Here the time
    counts and not the attempts, and what was given up is listed and holds the flag."""
    hosts.finish()
    hosts.called("bob")
    hosts.answer("bob", DELIVERED)
    hosts.called("alice")
    hosts.answer("alice", FAILED)
    hosts.loop.jump(GIVE_UP_AFTER)
    assert hosts.called("alice") == 1
    hosts.answer("alice", FAILED)
    assert hosts.records == [("alice", 2, Standing.DEAD)]
    assert hosts.flagged


def test_unlike_hydra_the_flag_stays_until_the_last_plugin_has_succeeded(
    hosts: Hosts,
) -> None:
    """Perl clears it when the first one has: what the others have not done by then is
    lost when the daemon ends."""
    hosts.finish()
    for name in ("alice", "bob"):
        assert hosts.flagged
        hosts.called(name)
        hosts.answer(name, DELIVERED)
    assert not hosts.flagged
