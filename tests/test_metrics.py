"""Histograms, what is read off them, and how counts have grown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_notify.limits import LATENCY_BOUNDS, LATENCY_STEPS, TREND_STEP, TREND_STEPS
from hydra_notify.metrics import Counts, Histogram, quantile
from hydra_notify.trends import Trends

seconds = st.floats(min_value=0.0, max_value=200_000.0)


@given(st.lists(seconds, min_size=1), st.sampled_from([0.5, 0.9, 0.99]))
def test_a_quantile_lies_in_the_bucket_of_the_value_it_stands_for(
    values: list[float], share: float
) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    found = quantile(histogram.counts, share)
    assert found is not None
    rank = next(k for k in range(1, len(values) + 1) if k >= share * len(values))
    exact = sorted(values)[rank - 1]
    upper = min((b for b in LATENCY_BOUNDS if b >= exact), default=LATENCY_BOUNDS[-1])
    lower = max((b for b in LATENCY_BOUNDS if b < exact), default=0.0)
    assert min(lower, LATENCY_BOUNDS[-1]) <= found <= upper


def test_nothing_has_no_quantile() -> None:
    assert quantile(Histogram().counts, 0.5) is None


def test_a_bound_belongs_to_the_bucket_that_it_ends() -> None:
    histogram = Histogram()
    histogram.add(LATENCY_BOUNDS[3], 2)
    assert histogram.counts[3] == 2
    assert len(histogram) == 2
    assert histogram.total == 2 * LATENCY_BOUNDS[3]


def test_a_trend_is_growth_a_second_and_forgets_what_is_old() -> None:
    counts, trends = Counts(), Trends()
    trends.look(counts)
    for step in range(TREND_STEPS + 5):
        counts.events["build_finished"] += 10 * step
        counts.plugin("chat").delivered += 5
        counts.cleared += 1
        trends.look(counts)
    assert len(trends.events.values) == TREND_STEPS
    newest = 10 * (TREND_STEPS + 4) / TREND_STEP
    assert trends.events.values[-1] == pytest.approx(newest)
    assert set(trends.deliveries.values) == {5 / TREND_STEP}
    assert trends.rate("chat").values[-1] == 5 / TREND_STEP
    assert trends.cleared.step == TREND_STEP


def test_a_plugin_that_nobody_has_seen_has_an_empty_trend() -> None:
    assert Trends().rate("chat").values == []


def test_latency_is_of_the_latest_minutes_alone() -> None:
    counts, trends = Counts(), Trends()
    plugin = counts.plugin("chat")
    plugin.runtime["build_finished"].add(50.0, 1_000)
    for _ in range(LATENCY_STEPS):
        trends.look(counts)
    plugin.runtime["build_finished"].add(0.002, 10)
    plugin.runtime["build_queued"].add(0.002, 10)
    latency = trends.latency("chat", plugin)
    assert latency.count == 20
    assert latency.p99 is not None
    assert latency.p99 <= 0.0025
