"""Hosts that do little: they begin, end or wait."""

import msgspec
from tests.browser.samples.well import FLAT, NOW, changed, healthy, judged, plugin

from hydra_notify.metrics import LedgerState, PluginState, Role
from hydra_notify.status import (
    HostStatus,
    Link,
    PendingStatus,
)


def empty() -> HostStatus:
    """Just installed: no plugin, nothing has happened."""
    status = changed(
        healthy(),
        started_at=NOW - 180,
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
    return judged(status)


def standby() -> HostStatus:
    status = changed(
        empty(),
        role=Role.STANDBY,
        ledger=LedgerState.UNKNOWN,
    )
    return judged(status)


def starting() -> HostStatus:
    status = changed(
        empty(),
        role=Role.STARTING,
        database=msgspec.structs.replace(healthy().database, link=Link.LOST),
        started_at=NOW - 2,
        ledger=LedgerState.UNKNOWN,
    )
    return judged(status)


def stopping() -> HostStatus:
    status = changed(
        healthy(),
        stopping=True,
        plugins=[
            plugin("chat", state=PluginState.DRAINING),
            plugin("mail", state="stopped"),
        ],
    )
    return judged(status)
