"""A host that starts while builds are pending."""

from collections.abc import Iterator

from benchmarks import floors
from benchmarks.bench import Bench
from benchmarks.host import echoes, running_host
from benchmarks.measurement import Measurement, Series, at_least, at_most

PLUGINS, WINDOW = 4, 16

PATIENCE = 180.0
"""Seconds until everything that was pending is done."""

MB = 2**20

CLEARS = 5_000
"""Flags of the floor."""


def start(bench: Bench) -> Iterator[Measurement]:
    most = bench.size(100_000, 10_000)
    with bench.hydra(most) as hydra:
        floors.start(hydra)
        for pending in (0, most // 10, most):
            listens, bottoms, rates, clears, peaks = [], [], [], [], []
            # A hundred thousand take half a minute.
            for _ in range(bench.runs if pending < most else min(bench.runs, 3)):
                bottoms.append(floors.start(hydra))
                clears.append(floors.clear(hydra, CLEARS))
                hydra.flag(1, pending)
                hydra.connection.execute("vacuum analyze builds")
                with running_host(hydra, echoes(PLUGINS, WINDOW), wait=False) as host:
                    listening = host.wait_log("listening")
                    listens.append(listening - host.started)
                    seconds = hydra.wait_cleared(PATIENCE) - listening
                    rates.append(pending / seconds)
                    host.wait_log(": ready (", PLUGINS)
                    peaks.append(host.peak() / MB)
            yield Measurement(
                name=f"{pending:,} pending: exec to LISTEN",
                unit="s",
                series=Series(listens),
                floor=Series(bottoms),
                beside="imports and LISTEN",
                target=at_most(0.5),
            )
            if pending:
                yield Measurement(
                    name=f"{pending:,} pending, {PLUGINS} plugins: LISTEN until all"
                    " flags are clear, builds",
                    unit="/s",
                    series=Series(rates),
                    floor=Series(clears),
                    beside="bare clear",
                    target=at_least(2_500) if pending == most else None,
                )
            yield Measurement(
                name=f"{pending:,} pending, {PLUGINS} plugins: most memory of the host",
                unit="MB",
                series=Series(peaks),
                target=at_most(120) if pending == most else None,
            )
