"""How counts become a metric."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import accumulate
from typing import TypeVar

from prometheus_client.core import (
    GaugeMetricFamily,
    HistogramMetricFamily,
    UntypedMetricFamily,
)

from hydra_notify.limits import LATENCY_BOUNDS
from hydra_notify.metrics import Histogram

Labels = TypeVar("Labels", bound=tuple[str, ...])
"""Their values."""


def histogram(
    name: str,
    words: str,
    labels: Sequence[str],
    times: Mapping[Labels, Histogram],
    *,
    bounds: Sequence[float] = LATENCY_BOUNDS,
) -> HistogramMetricFamily:
    """Times, in seconds.

    Args:
        name: Of the metric.
        words: What it is.
        labels: Their names.
        times: By the labels' values.
        bounds: Of the buckets: some of LATENCY_BOUNDS, ascending.
    """
    family = HistogramMetricFamily(name, words, labels=labels)
    for values, each in times.items():
        below = dict(zip(LATENCY_BOUNDS, accumulate(each.counts), strict=False))
        buckets = [(repr(float(bound)), float(below[bound])) for bound in bounds]
        buckets.append(("+Inf", float(len(each))))
        family.add_metric(values, buckets, each.total)
    return family


def untyped(
    name: str,
    words: str,
    labels: Sequence[str],
    numbers: Mapping[Labels, float],
) -> UntypedMetricFamily:
    """Numbers by the labels' values.

    The format wants counters to be called `..._total`, which Hydra's are not.
    """
    family = UntypedMetricFamily(name, words, labels=labels)
    for values, number in numbers.items():
        family.add_metric(values, number)
    return family


def add_state(
    family: GaugeMetricFamily, values: Sequence[str], state: StrEnum
) -> GaugeMetricFamily:
    """1 for `state`, 0 for each other of its kind; the last label is the state."""
    for each in type(state):
        family.add_metric([*values, each.value], float(each is state))
    return family
