"""What a build costs when there are ever more of them in the table."""

from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.burst import echo_stand
from benchmarks.measurement import Measurement, Place, Series

PLUGINS, WINDOW = 4, 16


def growth(bench: Bench) -> Iterator[Measurement]:
    sizes = bench.size((10_000, 100_000, 1_000_000), (1_000, 10_000))
    with bench.hydra(0) as hydra:
        for builds in sizes:
            hydra.grow(builds)
            starts, rates, cpus, loads, clears = [], [], [], [], []
            for _ in range(bench.runs):
                with echo_stand(hydra, PLUGINS, WINDOW) as stand:
                    log = stand.host.wait_log("listening")
                    starts.append(log - stand.host.started)
                    size = min(stand.warm(bench), builds // 2)
                    before = hydra.server_times()
                    burst = stand.burst(size)
                    spent = hydra.server_times()
                rates.append(burst.rate)
                cpus.append(burst.cpu)
                loads.append(1000 * (spent.reading - before.reading) / size)
                clears.append(1000 * (spent.clearing - before.clearing) / size)
            words = f"{builds:,} builds in the table"
            for what, unit, values, chart, line in (
                ("start, exec to LISTEN", "s", starts, "growth-start", "host"),
                ("build_finished", "/s", rates, "growth-rate", "host"),
                ("CPU of the host for a build", "us", cpus, "growth-cost", "host, CPU"),
                (
                    "time of the server reading a build",
                    "us",
                    loads,
                    "growth-cost",
                    "server, reading",
                ),
                (
                    "time of the server clearing a flag",
                    "us",
                    clears,
                    "growth-cost",
                    "server, clearing",
                ),
            ):
                yield Measurement(
                    name=f"{words}, {PLUGINS} plugins: {what}",
                    unit=unit,
                    series=Series(values),
                    place=Place(chart, line, builds),
                )
