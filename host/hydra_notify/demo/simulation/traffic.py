"""A Hydra at work: builds come, are built, fail, are restarted, forgotten, cancelled.

What happens is drawn from the Hydra's own dice and from nothing else, so one seed
always tells the same story; only the times differ.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from hydra_notify.demo.simulation.build_steps import finish_step, start_step
from hydra_notify.demo.simulation.evaluator import (
    evaluate,
    evaluate_unchanged,
    fail_evaluation,
)
from hydra_notify.demo.simulation.hydra import Hydra
from hydra_notify.demo.simulation.queue_runner import (
    ABORTED,
    CANCELLED,
    FAILED,
    FAILED_WITH_OUTPUT,
    SUCCEEDED,
    TIMED_OUT,
    cancel_build,
    fail_builds,
    finish_build,
    finish_cached_build,
    notify_build_finished,
    restart_build,
)

JOBSETS: Final = (
    ("nixpkgs:trunk", 40),
    ("nixos:unstable-small", 15),
    ("tools:main", 6),
)
"""Jobsets that are evaluated again and again, and how many jobs they have."""

LARGE_JOBSET: Final = "nixpkgs:staging-next"
"""Where so many builds fail at once that one notification cannot name them all."""

QUEUE_LOW: Final = 12
"""Unfinished builds below which the next evaluation comes."""

PARALLEL: Final = 4
"""Builds that are being built at the same time."""

REMEMBERED: Final = 40
"""Finished builds among which a restarted one is chosen."""

FIRST_LARGE: Final = 30
"""The turn of the first such failure, so that a short run has one too."""

LARGE_DEPENDENTS: Final = 900
"""Builds that fail with another then: two notifications, with ids of nine digits."""

BACKLOG: Final = 1.0
"""Seconds of work that are caught up on when the database was slow."""


@dataclass(frozen=True, slots=True)
class Mix:
    """How often things happen: probabilities for each build that is taken up.

    Attributes:
        failed: It fails.
        dependents: Others fail with it, once it fails.
        cached: Its result was known beforehand.
        forgotten: The notification is never sent.
        restarted: A finished build is restarted, to finish again later.
        raced: It is restarted and finishes again at once, with another outcome.
        cancelled: It is given up.
        repeated: Its notification is sent once more, as an operator would.
        retried: Its first step fails in a way that is tried again.
        large: A failure with some 900 dependents precedes it.
        eval_cached: An evaluation is preceded by one that finds nothing new.
        eval_failed: An evaluation is preceded by one that fails.
    """

    failed: float = 0.2
    dependents: float = 0.5
    cached: float = 0.08
    forgotten: float = 0.04
    restarted: float = 0.05
    raced: float = 0.03
    cancelled: float = 0.03
    repeated: float = 0.02
    retried: float = 0.05
    large: float = 0.004
    eval_cached: float = 0.3
    eval_failed: float = 0.2


class Traffic:
    """The state of a Hydra at work. One thread at a time."""

    def __init__(self, hydra: Hydra, mix: Mix) -> None:
        self._hydra = hydra
        self._mix = mix
        self._queued: list[int] = []
        self._building: deque[tuple[int, int]] = deque()
        self._finished: deque[int] = deque(maxlen=REMEMBERED)
        self._reopened: set[int] = set()
        self._turns = 0

    def turn(self) -> None:
        """Take up one build, and finish the one that has been built the longest."""
        self._turns += 1
        if len(self._queued) < QUEUE_LOW:
            self._evaluate()
        if self._turns == FIRST_LARGE or self._happens(self._mix.large):
            self._fail_many()
        if self._finished and self._happens(self._mix.restarted):
            build = self._take(self._finished)
            restart_build(self._hydra, build)
            self._reopened.add(build)
            self._queued.append(build)
        build = self._queued.pop(self._hydra.random.randrange(len(self._queued)))
        if self._happens(self._mix.cancelled):
            status = self._hydra.random.choice((CANCELLED, ABORTED))
            cancel_build(self._hydra, build, status)
            self._reopened.discard(build)
        elif self._happens(self._mix.cached):
            status = self._hydra.random.choice((SUCCEEDED, SUCCEEDED, FAILED))
            finish_cached_build(self._hydra, build, status)
            self._close(build)
        else:
            self._start(build)
        if len(self._building) > PARALLEL:
            notify = not self._happens(self._mix.forgotten)
            self._finish(*self._building.popleft(), notify=notify)

    def wind_down(self) -> None:
        """Finish what was begun or restarted; flags are then on finished builds."""
        while self._building:
            self._finish(*self._building.popleft(), notify=True)
        for build in sorted(self._reopened):
            finish_build(self._hydra, build)
        self._reopened.clear()

    def _evaluate(self) -> None:
        dice = self._hydra.random
        name, size = dice.choice(JOBSETS)
        jobset = self._hydra.jobset(name)
        if self._happens(self._mix.eval_failed):
            message = f"error: attribute “{name}” missing\n" * dice.randrange(1, 30)
            fail_evaluation(self._hydra, jobset, message)
        changed = dice.sample(range(size), dice.randrange(1, size))
        evaluation = evaluate(self._hydra, jobset, changed)
        self._queued += evaluation.builds
        if self._happens(self._mix.eval_cached):
            evaluate_unchanged(self._hydra, jobset, evaluation.id)
            evaluate(self._hydra, jobset, ())

    def _fail_many(self) -> None:
        hydra = self._hydra
        jobs = range(1 + LARGE_DEPENDENTS)
        head, *dependents = evaluate(hydra, hydra.jobset(LARGE_JOBSET), jobs).builds
        finish_step(hydra, head, start_step(hydra, head), FAILED, "out of memory")
        fail_builds(hydra, head, dependents)

    def _start(self, build: int) -> None:
        hydra = self._hydra
        if self._happens(self._mix.retried):
            step = start_step(hydra, build)
            finish_step(hydra, build, step, ABORTED, "builder lost: Connection reset")
        elif self._happens(0.3):
            step = start_step(hydra, build, dependency=True)
            finish_step(hydra, build, step)
        self._building.append((build, start_step(hydra, build)))

    def _finish(self, build: int, step: int, *, notify: bool) -> None:
        hydra, dice = self._hydra, self._hydra.random
        if self._happens(self._mix.failed):
            status = dice.choice((FAILED, FAILED, FAILED, TIMED_OUT))
            finish_step(hydra, build, step, status, "builder failed with exit code 2")
            wanted = dice.randrange(2, 12) if self._happens(self._mix.dependents) else 0
            wanted = min(wanted, len(self._queued))
            dependents = [self._take(self._queued) for _ in range(wanted)]
            fail_builds(hydra, build, dependents, status, notify=notify)
            for dependent in dependents:
                self._close(dependent)
        else:
            finish_step(hydra, build, step)
            status = FAILED_WITH_OUTPUT if self._happens(0.05) else SUCCEEDED
            finish_build(hydra, build, status, notify=notify)
        if self._happens(self._mix.raced):
            restart_build(hydra, build)
            finish_build(hydra, build, FAILED if status == SUCCEEDED else SUCCEEDED)
        if self._happens(self._mix.repeated):
            notify_build_finished(hydra, build)
        self._close(build)

    def _close(self, build: int) -> None:
        self._reopened.discard(build)
        self._finished.append(build)

    def _take(self, builds: list[int] | deque[int]) -> int:
        build = builds[self._hydra.random.randrange(len(builds))]
        builds.remove(build)
        return build

    def _happens(self, probability: float) -> bool:
        return self._hydra.random.random() < probability


def run_traffic(
    hydra: Hydra, rate: float, stop: threading.Event, mix: Mix | None = None
) -> None:
    """Keep a Hydra at work until told to stop, then wind down. Blocks: for a thread.

    Args:
        rate: Builds taken up each second; dependents that fail with one come on top.
        stop: When it is set, what was begun is finished, within a second or so.
        mix: How often things happen.

    Raises:
        DatabaseLost: The database went away and did not come back.
    """
    traffic = Traffic(hydra, Mix() if mix is None else mix)
    due = time.monotonic()
    while not stop.wait(max(0.0, due - time.monotonic())):
        due = max(due, time.monotonic() - BACKLOG) + 1 / rate
        traffic.turn()
    traffic.wind_down()
