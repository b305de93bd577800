"""A host that is well, and what others are made of."""

import math

import msgspec
from tests.statuses import host_status, plugin_status

from hydra_notify.metrics import Counts
from hydra_notify.problems import health, problems
from hydra_notify.status import (
    DatabaseStatus,
    HostStatus,
    InFlight,
    Latency,
    Link,
    PendingStatus,
    PluginStatus,
    Trend,
)

NOW = 1_795_543_203.0
"""2026-11-24 18:00:03 UTC."""


def wave(most: float, *, turns: float = 2.3) -> Trend:
    """A rate that goes up and down, always in the same way."""
    values = []
    for i in range(60):
        slow, quick = math.sin(i / 60 * turns * math.tau), math.sin(i * 1.9) * 0.35
        values.append(round(most * max(0.02, 0.5 + 0.37 * (slow + quick)), 3))
    return Trend(10.0, values)


FLAT = Trend(10.0, [0.0] * 60)


def plugin(name: str, **changes: object) -> PluginStatus:
    """A plugin that is well."""
    well: dict[str, object] = {
        "program": f"{name} 1.4.0",
        "command": [f"hydra-notify-{name}", "--quiet"],
        "started_at": NOW - 93_000,
        "in_flight": 2,
        "delivered": 18_234,
        "failed": 3,
        "rate": wave(4.0, turns=3.1),
        "latency": Latency(0.042, 0.350, 812),
        "stderr": [f"{name}: listening", f"{name}: 200 OK in 41 ms"],
        "enforced": ["memory: 256 MiB", "no new privileges"],
    }
    return plugin_status(name, **{**well, **changes})


def finished(build: int) -> str:
    return f"build_finished:{build}:{build + 1_700_000_000}-{build + 1_700_000_060}:0"


def healthy() -> HostStatus:
    """Four plugins, all well, some work."""
    return host_status(
        machine="ci-1.example.org",
        now=NOW,
        started_at=NOW - 93_000,
        database=DatabaseStatus(
            address="postgresql://hydra@db.example.org/hydra",
            link=Link.LISTENING,
            since=NOW - 93_000,
            connects=1,
            errors=0,
            last_error="",
        ),
        open_events=3,
        pending=PendingStatus(3, NOW - 4, NOW - 12),
        events=wave(6.0),
        deliveries=wave(22.0),
        cleared=wave(5.5),
        plugins=[
            plugin("chat"),
            plugin("forge", program="gitea 0.3.1", latency=Latency(0.120, 1.4, 812)),
            plugin("mail", window=1, in_flight=0, rate=wave(0.4, turns=5.2)),
            plugin("metrics", required=False, latency=Latency(0.0021, 0.0093, 9_120)),
        ],
        in_flight=[
            InFlight("chat", finished(88_123), 1, False, NOW - 0.2),
            InFlight("forge", finished(88_123), 1, False, NOW - 1.4),
        ],
        in_flight_count=2,
        config_reloads=2,
    )


def judged(status: HostStatus, link_error: str = "") -> HostStatus:
    """The same with the problems that the host itself would find, and their words."""
    counts = Counts(
        role=status.role,
        ledger=status.ledger,
        listening=status.database.link is Link.LISTENING,
        polling=status.database.link is Link.POLLING,
        link_error=link_error,
        config_reload_failed=status.config_reload_failures > 0,
    )
    found = problems(
        counts, status.plugins, stopping=status.stopping, dead=status.dead_count
    )
    how, words = health(counts, found)
    return changed(status, problems=found, health=how, words=words)


def changed(status: HostStatus, **changes: object) -> HostStatus:
    return msgspec.structs.replace(status, **changes)
