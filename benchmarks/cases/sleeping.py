"""Bursts while one plugin of four is slow: what the other three can do."""

from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.burst import PATIENCE, stand
from benchmarks.cases.latency import SLEEP
from benchmarks.host import echoes, program
from benchmarks.measurement import Measurement, Series

WINDOW = 16

WARM = 500


def sleeping(bench: Bench) -> Iterator[Measurement]:
    size = bench.size(5_000, 1_000)
    builds = WARM + size * bench.runs
    awake = echoes(4, WINDOW)
    others = list(awake)[:3]
    slow = program("told.py", WINDOW, SLEEP)
    plugins = {**echoes(3, WINDOW), "slow": {"command": slow}}
    with (
        # Of each build one delivery stays: one announced again would be none.
        bench.hydra(builds) as plain,
        bench.hydra(builds) as hampered,
        stand(plain, awake, others) as floor,
        stand(hampered, plugins, others) as host,
    ):
        floor.burst(WARM)
        host.burst(WARM, clears=False)
        floors, rates = [], []
        for _ in range(bench.runs):
            floors.append(3 * floor.burst(size, clears=False).rate)
            plain.wait_cleared(PATIENCE)
            rates.append(3 * host.burst(size, clears=False).rate)
    yield Measurement(
        name=f"bursts for 4 plugins, window {WINDOW}, one sleeps {1000 * SLEEP:.0f} ms"
        " over each: deliveries to the other three",
        unit="/s",
        series=Series(rates),
        floor=Series(floors),
        beside="nobody sleeps",
    )
