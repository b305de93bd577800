"""Bursts of events, from the notifications to the last plugin's last answer."""

from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.burst import MOST, Burst, echo_stand, raw_loops
from benchmarks.floors import RawLoop
from benchmarks.hydra import Hydra
from benchmarks.measurement import Measurement, Place, Series, at_least, at_most

RAW = "raw loop"

Key = tuple[str, int, int]
"""Channel, plugins and window."""

Bounds = dict[Key, float]

RATES: Bounds = {
    ("build_finished", 8, 16): 2_500,
    ("step_finished", 8, 16): 3_000,
}

OF_RAW: Bounds = {
    ("build_finished", 8, 16): 0.25,
    ("build_finished", 8, 1): 0.40,
}

CPU_OF_RAW: Bounds = {("build_finished", 8, 16): 4}


def throughput(bench: Bench) -> Iterator[Measurement]:
    with bench.hydra(bench.size(MOST, 6_000)) as hydra:
        for key in settings(bench):
            yield from bursts(bench, hydra, key)


def bursts(bench: Bench, hydra: Hydra, key: Key) -> Iterator[Measurement]:
    channel, plugins, window = key
    with echo_stand(hydra, plugins, window) as stand:
        size = stand.warm(bench, channel)
        raw = raw_loops(plugins, window)
        floors, found = [], []
        for _ in range(bench.runs):
            floors.append(next(raw))
            found.append(stand.burst(size, channel))
    yield from measurements(key, floors, found)


def settings(bench: Bench) -> Iterator[Key]:
    for channel in ("build_finished", "step_finished"):
        for window in bench.size((1, 16, 64), (1, 16)):
            # What each further plugin costs is looked at closer once.
            every = (1, 2, 4, 8, 16, 32) if window == 16 else (1, 4, 8, 32)
            for plugins in bench.size(every, (1, 8)):
                yield channel, plugins, window


def measurements(
    key: Key, floors: list[RawLoop], bursts: list[Burst]
) -> Iterator[Measurement]:
    channel, plugins, window = key
    words = f"{channel}, {plugins} plugin{'s'[: plugins > 1]}, window {window}"
    line = f"window {window}"
    events = "builds" if channel == "build_finished" else "events"
    least = RATES.get(key)
    yield Measurement(
        name=f"{words}: {events}",
        unit="/s",
        series=Series([burst.rate for burst in bursts]),
        target=None if least is None else at_least(least),
    )
    least = OF_RAW.get(key)
    yield Measurement(
        name=f"{words}: deliveries",
        unit="/s",
        series=Series([burst.rate * plugins for burst in bursts]),
        floor=Series([floor.rate for floor in floors]),
        beside=RAW,
        target=None if least is None else at_least(least, "ratio"),
        place=Place(f"{channel}-deliveries", line, plugins),
    )
    most = CPU_OF_RAW.get(key)
    yield Measurement(
        name=f"{words}: CPU of the host for a delivery",
        unit="us",
        series=Series([burst.cpu / plugins for burst in bursts]),
        floor=Series([floor.cpu for floor in floors]),
        beside=RAW,
        target=None if most is None else at_most(most, "ratio"),
        place=Place(f"{channel}-cpu", line, plugins),
    )
    yield Measurement(
        name=f"{words}: statements for an event",
        unit="",
        series=Series([burst.statements for burst in bursts]),
    )
