"""How the host's counts have grown lately: plots, and latencies that are not old."""

from collections import deque
from collections.abc import Sequence
from itertools import pairwise

from hydra_notify.limits import (
    LATENCY_BOUNDS,
    LATENCY_STEPS,
    TREND_STEP,
    TREND_STEPS,
)
from hydra_notify.metrics import Counts, PluginCounts, quantile
from hydra_notify.status import Latency, Trend


class _Meter:
    """A count that only grows, as it was at each step."""

    def __init__(self, before: int | None = None) -> None:
        self._totals: deque[int] = deque(maxlen=TREND_STEPS + 1)
        if before is not None:
            self._totals.append(before)

    def add(self, total: int) -> None:
        self._totals.append(total)

    def trend(self) -> Trend:
        steps = pairwise(self._totals)
        rates = [(after - before) / TREND_STEP for before, after in steps]
        return Trend(TREND_STEP, rates)


class _Times:
    """The buckets of what a plugin takes, as they were at each step."""

    def __init__(self) -> None:
        self._buckets: deque[list[int]] = deque(maxlen=LATENCY_STEPS)

    def add(self, buckets: list[int]) -> None:
        self._buckets.append(buckets)

    def lately(self, now: Sequence[int]) -> Latency:
        before = self._buckets[0] if self._buckets else [0] * len(now)
        fresh = [b - a for a, b in zip(before, now, strict=True)]
        return Latency(quantile(fresh, 0.5), quantile(fresh, 0.99), sum(fresh))


class Trends:
    """Looks at the counts at each TREND_STEP, and says what came of it."""

    def __init__(self) -> None:
        self._events, self._deliveries, self._cleared = _Meter(), _Meter(), _Meter()
        self._plugins: dict[str, tuple[_Meter, _Times]] = {}

    def look(self, counts: Counts) -> None:
        """One step more."""
        self._events.add(counts.events.total())
        plugins = counts.plugins
        self._deliveries.add(sum(each.delivered for each in plugins.values()))
        self._cleared.add(counts.cleared)
        for name, plugin in plugins.items():
            meter, times = self._plugins.setdefault(name, (_Meter(0), _Times()))
            meter.add(plugin.delivered)
            times.add(_buckets(plugin))

    @property
    def events(self) -> Trend:
        """Events that were fanned out."""
        return self._events.trend()

    @property
    def deliveries(self) -> Trend:
        """Deliveries that plugins have done."""
        return self._deliveries.trend()

    @property
    def cleared(self) -> Trend:
        """Flags that were cleared."""
        return self._cleared.trend()

    def rate(self, plugin: str) -> Trend:
        """Deliveries that `plugin` has done."""
        known = self._plugins.get(plugin)
        return Trend(TREND_STEP, []) if known is None else known[0].trend()

    def latency(self, plugin: str, counts: PluginCounts) -> Latency:
        """What its deliveries take, of the latest LATENCY_STEPS.

        Args:
            plugin: Its name.
            counts: As they are now.
        """
        times = self._plugins[plugin][1] if plugin in self._plugins else _Times()
        return times.lately(_buckets(counts))


def _buckets(counts: PluginCounts) -> list[int]:
    """Of all channels together."""
    total = [0] * (len(LATENCY_BOUNDS) + 1)
    for times in counts.runtime.values():
        total = [a + b for a, b in zip(total, times.counts, strict=True)]
    return total
