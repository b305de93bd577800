"""How many statements a burst takes, and whether plugins make them more."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.bench import Bench
from benchmarks.burst import Stand, echo_stand
from benchmarks.measurement import Measurement, Series, at_most

PLUGINS, WINDOW = 8, 16

RARE = 10
"""Calls in a burst below which one more or less says nothing."""

GROWTH = 4.0
"""Times as many calls of one statement with 8 plugins as with one. A statement for each
plugin would be called 8 times as often; one that gathers what has come meanwhile is
called more often while a burst takes longer."""


@dataclass(frozen=True)
class Calls:
    """Attributes:
    each: How many calls for an event.
    by_text: How often each statement was called.
    """

    each: float
    by_text: dict[str, int]


def statements(bench: Bench) -> Iterator[Measurement]:
    size = bench.size(10_000, 1_000)
    with (
        bench.hydra(2 * size) as alone,
        bench.hydra(2 * size) as together,
        echo_stand(alone, 1, WINDOW) as floor,
        echo_stand(together, PLUGINS, WINDOW) as host,
    ):
        floor.warm(bench)
        host.warm(bench)
        ones, eights = [], []
        for _ in range(bench.runs):
            ones.append(calls(floor, size))
            eights.append(calls(host, size))
    yield Measurement(
        name=f"burst of {size:,}, 1 plugin: statements for an event",
        unit="",
        series=Series([one.each for one in ones]),
    )
    yield Measurement(
        name=f"burst of {size:,}, {PLUGINS} plugins: statements for an event",
        unit="",
        series=Series([eight.each for eight in eights]),
        floor=Series([one.each for one in ones]),
        beside="1 plugin",
        target=at_most(0.05),
    )
    pairs = zip(ones, eights, strict=True)
    yield Measurement(
        name=f"burst of {size:,}, {PLUGINS} plugins: calls of the statement that"
        " grows most, as a multiple of those with 1 plugin",
        unit="",
        series=Series([growth(one.by_text, eight.by_text) for one, eight in pairs]),
        target=at_most(GROWTH),
    )


def calls(stand: Stand, size: int) -> Calls:
    before = stand.hydra.calls()
    each = stand.burst(size).statements
    after = stand.hydra.calls()
    return Calls(each, {text: after[text] - before.get(text, 0) for text in after})


def growth(few: dict[str, int], many: dict[str, int]) -> float:
    ratios = [
        count / max(few.get(text, 0), 1)
        for text, count in many.items()
        if count >= RARE
    ]
    return max(ratios, default=1.0)
