"""The host beside what Postgres alone could do of it."""

from collections.abc import Iterator

from benchmarks import floors
from benchmarks.bench import Bench
from benchmarks.burst import MOST, echo_stand
from benchmarks.measurement import Measurement, Series

PLUGINS, WINDOW = 8, 16


def database(bench: Bench) -> Iterator[Measurement]:
    builds = bench.size(MOST, 6_000)
    count = bench.size(10_000, 2_000)
    with (
        bench.hydra(builds) as bare,
        bench.hydra(builds) as hydra,
        echo_stand(hydra, PLUGINS, WINDOW) as stand,
    ):
        size = stand.warm(bench)
        floors.drain(bare, count)
        floors.clear(bare, count)
        drains, clears, rates = [], [], []
        for _ in range(bench.runs):
            drains.append(floors.drain(bare, count))
            clears.append(floors.clear(bare, count))
            rates.append(stand.burst(size).rate)
    for bottoms, beside in ((drains, "bare LISTEN"), (clears, "bare clear")):
        yield Measurement(
            name=f"build_finished, {PLUGINS} plugins, window {WINDOW}: builds,"
            f" beside a {beside}",
            unit="/s",
            series=Series(rates),
            floor=Series(bottoms),
            beside=beside,
        )
