"""What was measured, beside what nothing can be better than, and what it should be."""

from collections.abc import Sequence
from math import ceil
from statistics import median
from typing import Literal

import msgspec


class Target(msgspec.Struct, frozen=True):
    """What a figure should be.

    Attributes:
        of: The figure: the value, or its ratio to the floor.
    """

    of: Literal["value", "ratio"]
    bound: float
    direction: Literal["at least", "at most"]

    def met(self, figure: float) -> bool:
        if self.direction == "at least":
            return figure >= self.bound
        return figure <= self.bound


def at_least(bound: float, of: Literal["value", "ratio"] = "value") -> Target:
    return Target(of, bound, "at least")


def at_most(bound: float, of: Literal["value", "ratio"] = "value") -> Target:
    return Target(of, bound, "at most")


class Place(msgspec.Struct, frozen=True):
    """Where a plot shows it: `charts` has the charts by name.

    Attributes:
        x: In the unit of the chart's x axis.
    """

    chart: str
    line: str
    x: float


class Series(msgspec.Struct):
    """The values of several runs.

    Attributes:
        values: One for each run.
        pooled: What all runs together come to, where that is not the median of the
            values: a percentile.
    """

    values: list[float]
    pooled: float | None = None

    @property
    def middle(self) -> float:
        return median(self.values) if self.pooled is None else self.pooled


class Measurement(msgspec.Struct, kw_only=True):
    """One thing that was measured in several runs.

    Attributes:
        name: What it is, and under which circumstances.
        unit: As it stands behind a number.
        floor: What it is held against, each value measured right before the one of the
            same run.
        beside: What the floor is, if there is one.
    """

    name: str
    unit: str
    series: Series
    floor: Series | None = None
    beside: str = ""
    target: Target | None = None
    place: Place | None = None

    @property
    def ratio(self) -> float | None:
        """To the floor: of what is pooled, or else the median of the runs' own."""
        floor = self.floor
        if floor is None:
            return None
        if self.series.pooled is not None and floor.pooled is not None:
            return self.series.pooled / floor.pooled
        pairs = zip(self.series.values, floor.values, strict=True)
        return median(value / bottom for value, bottom in pairs)

    @property
    def met(self) -> bool | None:
        """Whether it is as it should be; None if nobody says how it should be."""
        if self.target is None:
            return None
        figure = self.series.middle if self.target.of == "value" else self.ratio
        assert figure is not None, f"{self.name}: a target for a ratio needs a floor"
        return self.target.met(figure)


def quantile(values: Sequence[float], part: float) -> float:
    """The smallest value that at least `part` of all values do not exceed."""
    return sorted(values)[max(1, ceil(part * len(values))) - 1]


def quantiles(runs: Sequence[Sequence[float]], part: float) -> Series:
    """A quantile of each run, and that of all runs together."""
    everything = [value for run in runs for value in run]
    return Series([quantile(run, part) for run in runs], quantile(everything, part))
