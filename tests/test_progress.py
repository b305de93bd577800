"""When the host counts as stuck, and what it says of itself in one line."""

import pytest

from hydra_notify.limits import LOOK_GAP, STEP_STALL, THREADS_STALL, WORK_STALL
from hydra_notify.metrics import Counts, PluginState, Role
from hydra_notify.progress import Progress, Working, signs, status

EVERYTHING = Working(reading=True, clearing=True, recording=True)


class Watched:
    """A host that is looked at every `LOOK_GAP`."""

    def __init__(self, working: Working = EVERYTHING) -> None:
        self.now = 100.0
        self.progress = Progress(self.now)
        self.counts = Counts()
        self.working = working
        self.threads = True
        self.look()

    def look(self, after: float = LOOK_GAP) -> str:
        self.now += after
        seen = signs(self.counts, self.working, threads=self.threads)
        return self.progress.stuck(seen, self.now)

    def seen_for(self, seconds: float, *moving: str) -> str:
        """What is said at the end of so long a time, in which some counts grow."""
        said = ""
        for _ in range(int(seconds / LOOK_GAP)):
            for name in moving:
                setattr(self.counts, name, getattr(self.counts, name) + 1)
            said = self.look()
        return said


def test_a_listener_that_takes_no_step_is_stuck_when_its_time_is_over() -> None:
    host = Watched(Working())
    assert host.seen_for(STEP_STALL) == ""
    assert host.look() == "the connection that listens"
    assert host.seen_for(1, "steps") == ""


def test_an_idle_host_that_listens_is_never_stuck() -> None:
    assert Watched(Working()).seen_for(2 * WORK_STALL, "steps") == ""


PARTS = {
    "reading builds": (Working(reading=True), "load_batches"),
    "clearing flags": (Working(clearing=True), "clear_batches"),
    "the ledger": (Working(recording=True), "ledger_batches"),
}


@pytest.mark.parametrize("part", PARTS)
def test_work_that_neither_ends_nor_fails_is_stuck_whatever_else_goes_on(
    part: str,
) -> None:
    working, own = PARTS[part]
    others = {count for _, count in PARTS.values()} - {own}
    host = Watched(working)
    assert host.seen_for(WORK_STALL, "steps", *others) == ""
    assert host.seen_for(1, "steps", *others) == part
    assert host.seen_for(1, "steps", own) == ""


def test_a_ledger_that_is_being_taken_up_is_not_stuck() -> None:
    host = Watched(Working(recording=True))
    assert host.seen_for(2 * WORK_STALL, "steps", "recovered") == ""


def test_work_that_fails_again_and_again_is_not_stuck() -> None:
    assert Watched().seen_for(2 * WORK_STALL, "steps", "database_errors") == ""


def test_a_host_without_a_free_thread_is_stuck_when_its_time_is_over() -> None:
    host = Watched(Working())
    host.threads = False
    assert host.seen_for(THREADS_STALL, "steps") == ""
    assert host.seen_for(1, "steps") == "every worker thread"
    host.threads = True
    assert host.seen_for(1, "steps") == ""


def test_all_that_is_stuck_is_named() -> None:
    said = Watched(Working(clearing=True)).seen_for(WORK_STALL + 1)
    assert said == "the connection that listens and clearing flags"


def test_a_time_in_which_nobody_could_look_does_not_count() -> None:
    host = Watched()
    assert host.look(after=10 * STEP_STALL) == ""
    assert host.seen_for(STEP_STALL - LOOK_GAP) == ""
    assert host.look() != ""


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
