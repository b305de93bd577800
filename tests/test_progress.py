"""When the host counts as stuck, and what it says of itself in one line."""

from dataclasses import replace

import pytest

from hydra_notify.limits import LOOK_GAP, STEP_STALL, THREADS_STALL, WORK_STALL
from hydra_notify.metrics import Counts, PluginState, Role
from hydra_notify.progress import Progress, Signs, signs, status

IDLE = Signs(steps=0, working=False, batches=0, threads=True)


class Watched:
    """A host that is looked at every `LOOK_GAP`."""

    def __init__(self) -> None:
        self.now = 100.0
        self.progress = Progress(self.now)
        self.signs = IDLE
        self.look()

    def look(self, after: float = LOOK_GAP) -> str:
        self.now += after
        return self.progress.stuck(self.signs, self.now)

    def seen_for(self, seconds: float, **moving: int) -> str:
        """What is said at the end of so long a time, in which some signs grow."""
        said = ""
        for _ in range(int(seconds / LOOK_GAP)):
            grown = {
                name: getattr(self.signs, name) + by for name, by in moving.items()
            }
            self.signs = replace(self.signs, **grown)
            said = self.look()
        return said


def test_a_listener_that_takes_no_step_is_stuck_when_its_time_is_over() -> None:
    host = Watched()
    assert host.seen_for(STEP_STALL) == ""
    assert host.look() == "the connection that listens"
    assert host.seen_for(1, steps=1) == ""


def test_an_idle_host_that_listens_is_never_stuck() -> None:
    assert Watched().seen_for(2 * WORK_STALL, steps=1) == ""


def test_work_that_neither_ends_nor_fails_is_stuck_when_its_time_is_over() -> None:
    host = Watched()
    host.signs = replace(host.signs, working=True)
    assert host.seen_for(WORK_STALL, steps=1) == ""
    assert host.seen_for(1, steps=1) == "reading builds and clearing flags"
    assert host.seen_for(1, steps=1, batches=1) == ""


def test_work_that_fails_again_and_again_is_not_stuck() -> None:
    host = Watched()
    host.signs = replace(host.signs, working=True)
    assert host.seen_for(2 * WORK_STALL, steps=1, batches=1) == ""


def test_a_host_without_a_free_thread_is_stuck_when_its_time_is_over() -> None:
    host = Watched()
    host.signs = replace(host.signs, threads=False)
    assert host.seen_for(THREADS_STALL, steps=1) == ""
    assert host.seen_for(1, steps=1) == "every worker thread"
    host.signs = replace(host.signs, threads=True)
    assert host.seen_for(1, steps=1) == ""


def test_all_that_is_stuck_is_named() -> None:
    host = Watched()
    host.signs = replace(host.signs, working=True)
    said = host.seen_for(WORK_STALL + 1)
    assert said == "the connection that listens and reading builds and clearing flags"


def test_a_time_in_which_nobody_could_look_does_not_count() -> None:
    host = Watched()
    assert host.look(after=10 * STEP_STALL) == ""
    assert host.seen_for(STEP_STALL - LOOK_GAP) == ""
    assert host.look() != ""


@pytest.mark.parametrize("name", ["load_batches", "clear_batches", "database_errors"])
def test_what_is_read_cleared_or_refused_is_a_batch(name: str) -> None:
    counts = Counts(steps=7)
    before = signs(counts, working=True, threads=True)
    setattr(counts, name, 1)
    after = signs(counts, working=True, threads=True)
    assert after == replace(before, batches=before.batches + 1)
    assert after.steps == 7


def test_one_line_says_what_the_host_does() -> None:
    counts = Counts()
    assert status(counts) == "waiting for Hydra's database"
    counts.role, counts.listening = Role.STANDBY, True
    assert status(counts) == "standby: another host is active"
    counts.listening = False
    assert status(counts) == "standby, no connection to Postgres: trying again"
    counts.role = Role.ACTIVE
    counts.plugin("chat").state = PluginState.FLAPPING
    counts.plugin("mail").state = PluginState.READY
    counts.plugin("gone").state = PluginState.STOPPED
    plugins = "1 of 2 plugins ready, not chat (flapping)"
    assert status(counts) == (
        f"active, no connection to Postgres: trying again; {plugins}"
    )
    counts.listening = True
    assert status(counts) == f"active; {plugins}"
    counts.plugin("chat").state = PluginState.READY
    assert status(counts) == "active; 2 of 2 plugins ready"
    counts.polling = True
    assert status(counts) == "active, LISTEN does not work; 2 of 2 plugins ready"
