"""A host with nothing to do."""

from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.burst import echo_stand
from benchmarks.measurement import Measurement, Series, at_most
from benchmarks.waiting import pause

PLUGINS, WINDOW = 4, 16

SETTLE = 2.0
"""Seconds for what a burst leaves to do."""

MB = 2**20


def idle(bench: Bench) -> Iterator[Measurement]:
    seconds = bench.size(20.0, 5.0)
    shares, sizes = [], []
    with bench.hydra(1_000) as hydra, echo_stand(hydra, PLUGINS, WINDOW) as stand:
        # What was never used weighs nothing.
        stand.burst(500)
        pause(SETTLE)
        for _ in range(min(bench.runs, 3)):
            before = stand.host.cpu()
            pause(seconds)
            shares.append(100 * (stand.host.cpu() - before) / seconds)
            sizes.append(stand.host.rss() / MB)
    yield Measurement(
        name=f"idle for {seconds:.0f} s, {PLUGINS} plugins: part of a core",
        unit="%",
        series=Series(shares),
        target=at_most(0.2),
    )
    yield Measurement(
        name=f"idle after a burst, {PLUGINS} plugins: memory of the host",
        unit="MB",
        series=Series(sizes),
        target=at_most(60),
    )
