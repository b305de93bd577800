"""Hosts that do little: they begin, end or wait."""

from tests.browser.samples.well import FLAT, NOW, changed, healthy, plugin

from hydra_notify.metrics import LedgerState, PluginState, Role
from hydra_notify.status import (
    Health,
    HostStatus,
    PendingStatus,
    Problem,
)


def empty() -> HostStatus:
    """Just installed: no plugin, nothing has happened."""
    return changed(
        healthy(),
        started_at=NOW - 180,
        health=Health.DEGRADED,
        words="No plugin is configured: nobody is told of anything.",
        problems=[
            Problem(
                "no-plugins",
                "warning",
                "no plugin is configured",
                "add a table [plugins.NAME] to /etc/hydra-notify.toml, then: systemctl"
                " reload hydra-notify",
            )
        ],
        plugins=[],
        in_flight=[],
        in_flight_count=0,
        open_events=0,
        pending=PendingStatus(0, None, None),
        events=FLAT,
        deliveries=FLAT,
        cleared=FLAT,
        ledger=LedgerState.ABSENT,
        config_reloads=0,
    )


def standby() -> HostStatus:
    return changed(
        empty(),
        health=Health.OK,
        words="Standing by: this host takes over when the active one is gone.",
        problems=[],
        role=Role.STANDBY,
        ledger=LedgerState.UNKNOWN,
    )


def starting() -> HostStatus:
    return changed(
        empty(),
        health=Health.DOWN,
        words="Starting: waiting for Hydra's database.",
        problems=[],
        role=Role.STARTING,
        started_at=NOW - 2,
        ledger=LedgerState.UNKNOWN,
    )


def stopping() -> HostStatus:
    return changed(
        healthy(),
        health=Health.DEGRADED,
        words="Stopping: plugins finish what they were sent.",
        stopping=True,
        plugins=[
            plugin("chat", state=PluginState.DRAINING),
            plugin("mail", state="stopped"),
        ],
    )
