"""Records of events with what a test cares about, and the rest made up."""

from hydra_notify.events import Notification
from hydra_notify.facts import PendingFlag
from hydra_notify.records import DeliveryRecord, EventRecord, Standing


def record(
    build: int,
    *deliveries: DeliveryRecord,
    flags: tuple[int, ...] = (),
    opened: bool = True,
) -> EventRecord:
    """A `build_finished` that holds the flags of these builds."""
    return EventRecord(
        f"build_finished:{build}:1-2:0",
        Notification("build_finished", str(build)),
        f"build/{build}",
        tuple(PendingFlag(flag, 9, 0, 1, 2) for flag in flags),
        opened,
        deliveries,
    )


def dead(plugin: str, reason: str = "no") -> DeliveryRecord:
    """A dead letter, tried three times."""
    return DeliveryRecord(plugin, Standing.DEAD, 3, 1, 0.0, 60.0, reason)
