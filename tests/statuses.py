"""Values of `status` with every attribute set, for tests that change a few of them."""

from msgspec.structs import replace

from hydra_notify.metrics import LedgerState, PluginState, Role
from hydra_notify.status import (
    DatabaseStatus,
    Health,
    HostStatus,
    Latency,
    Link,
    PendingStatus,
    PluginStatus,
    Trend,
)

NOW = 1_800_000_000.0
"""When all of it was so (Unix time)."""

QUIET = Trend(10.0, [])


def plugin_status(name: str, **changes: object) -> PluginStatus:
    """A plugin that is ready and has nothing to do."""
    plain = PluginStatus(
        name=name,
        state=PluginState.READY,
        paused=False,
        required=True,
        program=f"{name} 1.0",
        command=[f"/usr/bin/{name}"],
        pid=4_711,
        started_at=NOW - 3_600,
        next_start_at=None,
        held_until=None,
        window=8,
        in_flight=0,
        queued=0,
        retrying=0,
        next_retry_at=None,
        dead=0,
        delivered=0,
        failed=0,
        rate=QUIET,
        latency=Latency(),
        restarts=0,
        ends={},
        last_error="",
        last_error_at=None,
        stderr=[],
        enforced=[],
        degraded=[],
    )
    return replace(plain, **changes)


def host_status(**changes: object) -> HostStatus:
    """An active host without plugins."""
    plain = HostStatus(
        version="0.1.0",
        machine="ci",
        base_url="https://hydra.example.org",
        now=NOW,
        started_at=NOW - 7_200,
        health=Health.OK,
        words="Everything is delivered.",
        problems=[],
        role=Role.ACTIVE,
        stopping=False,
        database=DatabaseStatus(
            address="postgresql:///hydra",
            link=Link.LISTENING,
            since=NOW - 7_199,
            connects=1,
            errors=0,
            last_error="",
        ),
        ledger=LedgerState.ACTIVE,
        inbox=0,
        open_events=0,
        pending=PendingStatus(0, None, NOW - 5),
        events=QUIET,
        deliveries=QUIET,
        cleared=QUIET,
        plugins=[],
        in_flight=[],
        in_flight_count=0,
        retrying=[],
        retrying_count=0,
        dead=[],
        dead_count=0,
        config_reloads=0,
        config_reload_failures=0,
    )
    return replace(plain, **changes)
