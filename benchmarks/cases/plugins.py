"""What the SDK costs a plugin, beside a script that does without."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bench import Bench
from benchmarks.burst import MOST, echo_stand, stand
from benchmarks.host import PROGRAMS
from benchmarks.languages import LOG_EVENTS, RAW, Row, started
from benchmarks.measurement import Measurement, Series

BESIDE = "raw script"


def plugins(bench: Bench) -> Iterator[Measurement]:
    yield ready(bench)
    for window in (1, 16):
        yield through_the_host(bench, window)


def ready(bench: Bench) -> Measurement:
    """A script in plain Python takes as long as Python does."""
    raw = Row("raw", (sys.executable, str(RAW)), (RAW,))
    sdk = Row("sdk", (str(LOG_EVENTS),), (LOG_EVENTS,))
    floors, times = [], []
    with TemporaryDirectory(prefix="bench-") as directory:
        for row in (raw, sdk):
            start_ms(row, Path(directory))
        for _ in range(2 * bench.runs):
            floors.append(start_ms(raw, Path(directory)))
            times.append(start_ms(sdk, Path(directory)))
    return Measurement(
        name="a plugin with the SDK: spawn to ready",
        unit="ms",
        series=Series(times),
        floor=Series(floors),
        beside=BESIDE,
    )


def start_ms(row: Row, directory: Path) -> float:
    began = time.monotonic()
    with started(row, directory):
        return 1000 * (time.monotonic() - began)


def through_the_host(bench: Bench, window: int) -> Measurement:
    builds = bench.size(MOST, 6_000)
    command = [sys.executable, str(PROGRAMS / "sdk.py"), str(window)]
    with (
        bench.hydra(builds) as one,
        bench.hydra(builds) as other,
        echo_stand(one, 1, window) as raw,
        stand(other, {"sdk": {"command": command}}, ()) as sdk,
    ):
        sizes = raw.warm(bench), sdk.warm(bench)
        floors, rates = [], []
        for _ in range(bench.runs):
            floors.append(raw.burst(sizes[0]).rate)
            rates.append(sdk.burst(sizes[1]).rate)
    return Measurement(
        name=f"one plugin with the SDK, window {window}, through the host: builds",
        unit="/s",
        series=Series(rates),
        floor=Series(floors),
        beside=BESIDE,
    )
