"""Many notifications at once, until every plugin has them and every flag is clear."""

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.bench import Bench
from benchmarks.floors import RawLoop, raw_loop
from benchmarks.host import Host, echoes, running_host
from benchmarks.hydra import Hydra
from benchmarks.waiting import wait_until

PATIENCE = 180.0
"""Seconds: a burst that is not done by then never is."""

SECONDS = 1.5
"""That a burst should take: long enough for batches to find their size."""

FLOOR_SECONDS = 1.0

MOST = 30_000
"""Builds in a burst."""


@dataclass(frozen=True)
class Burst:
    """Attributes:
    rate: Events a second, from the notifications' commit on.
    cpu: Microseconds of the host's processor time for each event.
    statements: Of the host, for each event.
    """

    rate: float
    cpu: float
    statements: float


@dataclass
class Stand:
    """A database, a host, and those of its plugins that count."""

    hydra: Hydra
    host: Host
    counts: list[memoryview]

    def burst(
        self, size: int, channel: str = "build_finished", *, clears: bool = True
    ) -> Burst:
        """Announce `size` builds, and wait until all is done.

        Args:
            clears: Whether to wait for the flags, too.
        """
        before = [count[0] for count in self.counts]
        first, last = self.hydra.some(size)
        flagged = channel == "build_finished"
        if flagged:
            self.hydra.flag(first, last)
        statements, cpu = self.hydra.statements(), self.host.cpu()
        self.hydra.announce(first, last, channel)
        began = time.monotonic()

        def told() -> bool:
            pairs = zip(self.counts, before, strict=True)
            return all(count[0] - start >= size for count, start in pairs)

        wait_until(told, PATIENCE, f"{size} events to be delivered")
        if flagged and clears:
            self.hydra.wait_cleared(PATIENCE)
        rate = size / (time.monotonic() - began)
        cpu = 1e6 * (self.host.cpu() - cpu) / size
        return Burst(rate, cpu, (self.hydra.statements() - statements) / size)

    def warm(self, bench: Bench, channel: str = "build_finished") -> int:
        """Make a small burst first; how large one is that takes `SECONDS`."""
        small = bench.size(500, 200)
        self.burst(small, channel)
        rate = self.burst(small, channel).rate
        return max(small, min(round(SECONDS * rate), MOST, self.hydra.builds))


@contextmanager
def stand(
    hydra: Hydra,
    plugins: Mapping[str, Mapping[str, Any]],
    counting: Sequence[str] | None = None,
) -> Generator[Stand]:
    """A host at work.

    Args:
        counting: Those of the plugins that are `echo`; None means all.
    """
    names = list(plugins) if counting is None else counting
    with running_host(hydra, plugins) as host, host.counts(names) as counts:
        yield Stand(hydra, host, counts)


@contextmanager
def echo_stand(hydra: Hydra, plugins: int, window: int) -> Generator[Stand]:
    """A host with so many of the quickest plugins."""
    with stand(hydra, echoes(plugins, window)) as found:
        yield found


def raw_loops(plugins: int, window: int) -> Iterator[RawLoop]:
    """The raw loop again and again, in runs of `FLOOR_SECONDS`."""
    rate = raw_loop(plugins, window, 200 * plugins).rate
    each = max(200, round(FLOOR_SECONDS * rate / plugins))
    while True:
        yield raw_loop(plugins, window, each * plugins)
