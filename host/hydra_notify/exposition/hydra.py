"""The metrics of Hydra's own daemon; `plugin` is the name of a plugin's table here."""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client.core import Metric

from hydra_notify.exposition.families import histogram, untyped
from hydra_notify.limits import LATENCY_BOUNDS
from hydra_notify.metrics import Counts, PluginCounts

_BOUNDS: Final = tuple(each for each in LATENCY_BOUNDS if 0.005 <= each <= 10)
"""As its dashboards expect them."""

_CHANNEL: Final = ("channel",)
_BOTH: Final = ("channel", "plugin")


def of_hydra(counts: Counts, plugins: Mapping[str, PluginCounts]) -> Iterator[Metric]:
    """All of them.

    Args:
        counts: Of the host.
        plugins: Of those that are configured, by name.
    """
    for name, words, number in (
        ("event_loop_iterations", "Turns of the task that listens", counts.steps),
        ("event_received", "Unix time of the last event", counts.received_at),
    ):
        yield untyped(name, words, (), {(): float(number)})
    for name, words, numbers in (
        ("notify_event", "Events received", counts.notifications),
        ("notify_event_error", "Events that could not be parsed", counts.bad_payloads),
    ):
        by_channel = {(channel,): number for channel, number in numbers.items()}
        yield untyped(name, words, _CHANNEL, by_channel)
    yield histogram(
        "notify_event_runtime",
        "Seconds from an event's arrival until all plugins were done",
        _CHANNEL,
        {(channel,): times for channel, times in counts.event_time.items()},
        bounds=_BOUNDS,
    )
    yield from _of_plugins(plugins)


def _of_plugins(plugins: Mapping[str, PluginCounts]) -> Iterator[Metric]:
    tables = {name: _table(counts) for name, counts in plugins.items()}
    for what, words in (
        ("executions", "Attempts that have ended"),
        ("success", "Deliveries done"),
        ("error", "Attempts that failed"),
        ("requeue", "Failed attempts that are made again"),
        ("drop", "Deliveries given up"),
        ("not_interested", "Events the plugin does not want"),
        ("retry_success", "Deliveries done after a failure"),
        # As that daemon spells it, and so do dashboards.
        ("retry_sucess", "The same as notify_plugin_retry_success"),
    ):
        numbers = {
            (channel, name): number
            for name, table in tables.items()
            for channel, number in table[what].items()
        }
        yield untyped(f"notify_plugin_{what}", words, _BOTH, numbers)
    yield histogram(
        "notify_plugin_runtime",
        "Seconds of attempts that succeeded",
        _BOTH,
        {
            (channel, name): times
            for name, counts in plugins.items()
            for channel, times in counts.runtime.items()
        },
        bounds=_BOUNDS,
    )


def _table(counts: PluginCounts) -> Mapping[str, Mapping[str, int]]:
    done = {channel: len(times) for channel, times in counts.runtime.items()}
    return {
        "executions": {
            channel: done.get(channel, 0) + counts.failed[channel]
            for channel in sorted({*done, *counts.failed})
        },
        "success": done,
        "error": counts.failed,
        "requeue": counts.requeued,
        "drop": counts.dropped,
        "not_interested": counts.not_interested,
        "retry_success": counts.recovered,
        "retry_sucess": counts.recovered,
    }
