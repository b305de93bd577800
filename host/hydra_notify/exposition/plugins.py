"""Our metrics of each plugin."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from hydra_notify.exposition.families import add_state, histogram
from hydra_notify.metrics import PluginCounts
from hydra_notify.status import PluginStatus

_GAUGES: Final = (
    ("required", "1 if pending flags wait for it", "required"),
    ("paused", "1 while an operator has paused it", "paused"),
    ("queue", "Deliveries that wait for their turn", "queued"),
    ("in_flight", "Deliveries sent and not answered", "in_flight"),
    ("window", "Unanswered deliveries at most", "window"),
    ("retrying", "Deliveries that failed and are to be tried again", "retrying"),
)
"""Name, meaning and attribute of `PluginStatus`."""

_COUNTERS: Final = (
    ("dead", "Deliveries given up", "dead"),
    ("retries", "Failed attempts that are made again", "retried"),
    ("delivered", "Deliveries done", "delivered"),
    ("skipped", "Deliveries that the plugin had nothing to do with", "skipped"),
    ("superseded", "Deliveries dropped for newer ones", "superseded"),
    ("starts", "Starts of its program", "starts"),
    ("stray_lines", "Lines on stdout that are no frames", "stray_lines"),
    ("malformed_frames", "Frames that could not be understood", "malformed"),
    ("log_lines_dropped", "Lines of its log past the limit", "log_lines_dropped"),
)
"""Name, meaning and attribute of `PluginCounts`."""


def of_plugins(
    plugins: Sequence[PluginStatus], counts: Mapping[str, PluginCounts]
) -> Iterator[Metric]:
    """All of them."""
    states = GaugeMetricFamily(
        "hydra_notify_plugin_state",
        "1 for where the plugin stands",
        labels=["plugin", "state"],
    )
    for each in plugins:
        add_state(states, [each.name], each.state)
    yield states
    for name, words, attribute in _GAUGES:
        gauge = GaugeMetricFamily(
            f"hydra_notify_plugin_{name}", words, labels=["plugin"]
        )
        for each in plugins:
            gauge.add_metric([each.name], float(getattr(each, attribute)))
        yield gauge
    for name, words, attribute in _COUNTERS:
        counter = CounterMetricFamily(
            f"hydra_notify_plugin_{name}", words, labels=["plugin"]
        )
        for plugin, counted in counts.items():
            counter.add_metric([plugin], getattr(counted, attribute))
        yield counter
    ends = CounterMetricFamily(
        "hydra_notify_plugin_ends",
        "Ends of its program that nobody had asked for, by cause",
        labels=["plugin", "cause"],
    )
    for plugin, counted in counts.items():
        for cause, number in counted.ends.items():
            ends.add_metric([plugin, cause], number)
    yield ends
    yield histogram(
        "hydra_notify_delivery_seconds",
        "From a notification to this plugin's success",
        ["plugin"],
        {(plugin,): counted.latency for plugin, counted in counts.items()},
    )
