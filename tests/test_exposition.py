"""What Prometheus is told, as its own parser reads it."""

from collections.abc import Iterable

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.statuses import NOW, host_status, plugin_status

from hydra_notify.exposition import exposition
from hydra_notify.metrics import Counts, LedgerState, PluginState, Role
from hydra_notify.status import HostStatus, PendingStatus

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def told(counts: Counts, status: HostStatus) -> Samples:
    text = exposition(counts, status).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def label_names(samples: Samples, name: str) -> set[frozenset[str]]:
    return {frozenset(dict(labels)) for each, labels in samples if each == name}


def busy() -> Counts:
    counts = Counts(
        role=Role.ACTIVE, listening=True, ledger=LedgerState.ACTIVE, steps=12
    )
    counts.received_at = NOW - 1
    counts.notifications["build_finished"] = 5
    counts.bad_payloads["step_finished"] = 2
    counts.event_time["build_finished"].add(0.02, 3)
    counts.flag_time.add(1.2, 3)
    chat = counts.plugin("chat")
    chat.runtime["build_finished"].add(0.004, 2)
    chat.runtime["build_finished"].add(3.0)
    chat.failed["build_finished"] = 2
    chat.requeued["build_finished"] = 1
    chat.dropped["build_finished"] = 1
    chat.recovered["build_finished"] = 1
    chat.not_interested["eval_added"] = 7
    chat.latency.add(0.03, 3)
    chat.ends["crash"] = 4
    return counts


@pytest.fixture
def samples() -> Samples:
    plugin = plugin_status("chat", state=PluginState.FLAPPING, queued=9, in_flight=2)
    return told(busy(), host_status(plugins=[plugin], inbox=3))


def test_hydras_metrics_have_its_names_and_labels(samples: Samples) -> None:
    finished = {"channel": "build_finished"}
    chat = {**finished, "plugin": "chat"}
    assert value(samples, "event_loop_iterations") == 12
    assert value(samples, "event_received") == NOW - 1
    assert value(samples, "notify_event", **finished) == 5
    assert value(samples, "notify_event_error", channel="step_finished") == 2
    assert value(samples, "notify_event_runtime_count", **finished) == 3
    assert value(samples, "notify_plugin_executions", **chat) == 5
    assert value(samples, "notify_plugin_success", **chat) == 3
    assert value(samples, "notify_plugin_error", **chat) == 2
    assert value(samples, "notify_plugin_requeue", **chat) == 1
    assert value(samples, "notify_plugin_drop", **chat) == 1
    assert value(samples, "notify_plugin_retry_success", **chat) == 1
    assert value(samples, "notify_plugin_retry_sucess", **chat) == 1
    not_wanted = {"channel": "eval_added", "plugin": "chat"}
    assert value(samples, "notify_plugin_not_interested", **not_wanted) == 7


def test_hydras_histograms_have_its_buckets(samples: Samples) -> None:
    bounds = {
        float(dict(labels)["le"])
        for name, labels in samples
        if name == "notify_plugin_runtime_bucket"
    }
    wanted = "0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10 inf"
    assert bounds == {float(each) for each in wanted.split()}
    chat = {"channel": "build_finished", "plugin": "chat"}
    bucket = "notify_plugin_runtime_bucket"
    assert value(samples, bucket, le="0.005", **chat) == 2
    assert value(samples, bucket, le="2.5", **chat) == 2
    assert value(samples, bucket, le="5.0", **chat) == 3
    assert value(samples, bucket, le="+Inf", **chat) == 3
    assert value(samples, "notify_plugin_runtime_sum", **chat) == pytest.approx(3.008)


def test_a_state_is_one_among_all_that_there_are(samples: Samples) -> None:
    states = {
        dict(labels)["state"]: number
        for (name, labels), number in samples.items()
        if name == "hydra_notify_plugin_state"
    }
    assert states.pop("flapping") == 1
    assert set(states) == {each.value for each in PluginState} - {"flapping"}
    assert set(states.values()) == {0.0}


def test_what_is_under_way_is_told(samples: Samples) -> None:
    assert value(samples, "hydra_notify_inbox_events") == 3
    assert value(samples, "hydra_notify_plugin_queue", plugin="chat") == 9
    assert value(samples, "hydra_notify_plugin_in_flight", plugin="chat") == 2
    ends = {"plugin": "chat", "cause": "crash"}
    assert value(samples, "hydra_notify_plugin_ends_total", **ends) == 4
    assert value(samples, "hydra_notify_delivery_seconds_count", plugin="chat") == 3
    assert value(samples, "hydra_notify_flag_seconds_count") == 3


def test_the_oldest_flag_has_an_age() -> None:
    pending = PendingStatus(2, NOW - 90, NOW - 4)
    samples = told(Counts(), host_status(pending=pending))
    assert value(samples, "hydra_notify_pending_flags") == 2
    assert value(samples, "hydra_notify_pending_oldest_seconds") == 90
    assert value(samples, "hydra_notify_pending_looked_seconds") == 4


def test_what_the_process_uses_is_told(samples: Samples) -> None:
    assert value(samples, "process_resident_memory_bytes") > 1_000_000


def test_labels_are_bounded(samples: Samples) -> None:
    """By plugins that are configured, channels that exist, states and causes."""
    names = {name for _, labels in samples for name, _ in labels}
    assert names <= {"channel", "plugin", "state", "role", "cause", "le", "version"}


def test_a_plugin_that_is_no_longer_configured_is_not_told_of() -> None:
    counts = busy()
    samples = told(counts, host_status(plugins=[plugin_status("mail")]))
    told_of = plugins_in(labels for _, labels in samples)
    assert told_of == {"mail"}


def plugins_in(labels: Iterable[frozenset[tuple[str, str]]]) -> set[str]:
    return {dict(each)["plugin"] for each in labels if "plugin" in dict(each)}
