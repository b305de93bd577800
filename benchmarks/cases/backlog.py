"""A plugin that is never there, and what is kept for it."""

from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.host import Host, echoes, running_host
from benchmarks.hydra import BUILDS, Hydra
from benchmarks.measurement import Measurement, Place, Series, at_most
from benchmarks.waiting import wait_until

WINDOW = 64

PATIENCE = 120.0
"""Seconds for one slice."""

MB = 2**20

FLAGGED = """
alter table builds alter column notificationpendingsince
set default extract(epoch from now())::int
"""
"""Have every new build wait for its notification."""


def backlog(bench: Bench) -> Iterator[Measurement]:
    step = bench.size(50_000, 10_000)
    first, end = bench.size((100_000, 1_000_000), (20_000, 100_000))
    memory: dict[int, int] = {}
    plugins = {**echoes(1, WINDOW), "dead": {"command": ["false"]}}
    with bench.hydra(0) as hydra:
        hydra.connection.execute(FLAGGED)
        with running_host(hydra, plugins, wait=False) as host:
            host.wait_log("listening")
            # The one that is not dead.
            host.wait_log(": ready (")
            for queued in range(step, end + 1, step):
                add(hydra, host, queued - step + 1, queued)
                memory[queued] = host.rss()
    yield Measurement(
        name=f"a dead plugin: memory for each queued id, from {first:,} to {end:,}",
        unit="bytes",
        series=Series([(memory[end] - memory[first]) / (end - first)]),
        target=at_most(200),
    )
    for queued, size in memory.items():
        if queued % (end // 10) == 0:
            yield Measurement(
                name=f"a dead plugin, {queued:,} queued: memory of the host",
                unit="MB",
                series=Series([size / MB]),
                place=Place("memory", "host", queued),
            )


def add(hydra: Hydra, host: Host, first: int, last: int) -> None:
    """Announce new builds; return when the living plugin has been told of them."""
    hydra.connection.execute(BUILDS, {"first": first, "last": last})
    hydra.announce(first, last)
    with host.counts(["echo0"]) as (count,):
        wait_until(lambda: count[0] >= last, PATIENCE, f"{last} deliveries")
