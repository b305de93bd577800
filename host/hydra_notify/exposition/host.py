"""Our metrics of the host."""

from collections.abc import Iterator

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)

from hydra_notify.exposition.families import add_state, histogram
from hydra_notify.metrics import Counts, LedgerState
from hydra_notify.status import HostStatus


def of_host(counts: Counts, status: HostStatus) -> Iterator[Metric]:
    """All of them."""
    yield InfoMetricFamily("hydra_notify", "The host", {"version": status.version})
    role = GaugeMetricFamily(
        "hydra_notify_role", "1 for what the host is", labels=["role"]
    )
    yield add_state(role, (), status.role)
    for name, words, value in _gauges(counts, status):
        yield GaugeMetricFamily(f"hydra_notify_{name}", words, value)
    for name, words, number in _counters(counts):
        yield CounterMetricFamily(f"hydra_notify_{name}", words, number)
    bad = CounterMetricFamily(
        "hydra_notify_bad_payloads",
        "Notifications that could not be parsed",
        labels=["channel"],
    )
    for channel, number in counts.bad_payloads.items():
        bad.add_metric([channel], number)
    yield bad
    yield histogram(
        "hydra_notify_event_seconds",
        "From a notification to the last plugin's success",
        ["channel"],
        {(channel,): times for channel, times in counts.event_time.items()},
    )
    yield histogram(
        "hydra_notify_flag_seconds",
        "From the time in a pending flag, in whole seconds, to its being cleared",
        [],
        {(): counts.flag_time},
    )


def _gauges(counts: Counts, status: HostStatus) -> Iterator[tuple[str, str, float]]:
    pending = status.pending
    oldest, looked = pending.oldest_at, pending.looked_at
    yield "start_time_seconds", "Unix time of the host's start", status.started_at
    yield "listening", "1 while notifications arrive", float(counts.listening)
    yield "polling", "1 while LISTEN does not work", float(counts.polling)
    usable = counts.ledger is LedgerState.ACTIVE
    yield "ledger_usable", "1 while there is a ledger to use", float(usable)
    refused = float(counts.config_reload_failed)
    yield "config_reload_failed", "1 while the latest could not be used", refused
    stuck = any(each.name == "stuck" for each in status.problems)
    yield "stuck", "1 while something stands still in the host", float(stuck)
    yield "inbox_events", "Events announced and not read yet", status.inbox
    yield "open_events", "Events that are not done with", status.open_events
    yield "pending_flags", "Pending flags at the latest look", pending.count
    yield (
        "pending_oldest_seconds",
        "Age of the oldest pending flag; 0 without one",
        0.0 if oldest is None else max(0.0, status.now - oldest),
    )
    yield (
        "pending_looked_seconds",
        "Age of the latest look at all pending flags, or of the host",
        max(0.0, status.now - (status.started_at if looked is None else looked)),
    )


def _counters(counts: Counts) -> Iterator[tuple[str, str, int]]:
    yield "listen_connects", "Times that LISTEN was established", counts.connects
    yield "database_errors", "Statements that failed", counts.database_errors
    yield "ledger_events", "Events written into the ledger", counts.ledger_events
    yield "ledger_batches", "Transactions that wrote it", counts.ledger_batches
    yield "flags_cleared", "Pending flags cleared", counts.cleared
    yield "clear_batches", "Statements that cleared them", counts.clear_batches
    yield "load_batches", "Reads of the database for events", counts.load_batches
    yield "reloads", "Events read again for a plugin that is behind", counts.reloads
    yield "swept", "Events found by their flags alone", counts.swept
    yield "recovered", "Events taken up from the ledger", counts.recovered
    yield "orphaned", "Deliveries of plugins that are gone", counts.orphaned
    yield "config_reloads", "Configurations taken", counts.config_reloads
    yield (
        "config_reload_failures",
        "Configurations that could not be used",
        counts.config_reload_failures,
    )
