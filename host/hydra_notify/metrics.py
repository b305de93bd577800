"""Counts of what happened: kept by those who make it happen, read by who shows it."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class PluginState(StrEnum):
    """Where a plugin stands."""

    STARTING = "starting"
    READY = "ready"
    BLOCKED = "blocked"
    BACKOFF = "backoff"
    FLAPPING = "flapping"
    DISABLED = "disabled"
    DRAINING = "draining"
    STOPPED = "stopped"


class LedgerState(StrEnum):
    """Whether the host has a memory that outlives it."""

    UNKNOWN = "not looked at yet"
    ACTIVE = "active"
    ABSENT = "absent"
    OLD = "of an older host"
    NEWER = "of a newer host"
    DENIED = "not to be used"


class Role(StrEnum):
    """What a host is among those on the same database."""

    STARTING = "starting"
    STANDBY = "standby"
    ACTIVE = "active"


@dataclass(slots=True)
class PluginCounts:
    """One plugin's counts.

    Attributes:
        state: Where it stands.
        sent: Attempts.
        delivered: Deliveries answered with success, skipped ones included.
        skipped: Deliveries the plugin said did not concern it.
        retried: Attempts that failed and will be made again.
        dead: Deliveries given up.
        superseded: Deliveries dropped for a newer event of the same build.
        not_kept: Events of unprotected channels dropped before it ever spoke.
        starts: Times its program was started.
        ends: How its program ended, by cause (`crash`, `hang`, `broken`, ...).
        stray_lines: Lines on stdout that are no frames.
        malformed: Frames that could not be understood, or answer nothing.
        log_lines_dropped: Lines of its log beyond the limit.
        last_error: The latest failure, for people.
    """

    state: PluginState = PluginState.STARTING
    sent: int = 0
    delivered: int = 0
    skipped: int = 0
    retried: int = 0
    dead: int = 0
    superseded: int = 0
    not_kept: int = 0
    starts: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    stray_lines: int = 0
    malformed: int = 0
    log_lines_dropped: int = 0
    last_error: str = ""


@dataclass(slots=True)
class Counts:
    """The host's counts.

    Attributes:
        notifications: Received, by channel.
        bad_payloads: Dropped since they could not be parsed, by channel.
        events: Fanned out, by channel.
        coalesced: Notifications of an event that was already under way.
        absent: Events whose build, step or jobset is gone or not finished.
        uninteresting: Events that no plugin wanted.
        load_batches: Reads of the database for events, each a few statements.
        cleared: Pending flags cleared.
        clear_batches: Statements that cleared them.
        reloads: Events read again for a plugin that had fallen behind.
        swept: Events found by a sweep, without a notification.
        connects: Times LISTEN was established.
        listening: Whether notifications arrive now.
        steps: Of finding the database and of listening to it, failed ones too: while
            the host lives there is always a next one.
        role: What this host is among those on the same database.
        polling: Whether it looks for pending flags all the time, since LISTEN does not
            work.
        database_errors: Statements that failed.
        ledger: Whether there is one, and it can be used.
        ledger_events: Events written into it.
        ledger_batches: Transactions that wrote it.
        recovered: Events taken up from it.
        orphaned: Deliveries of plugins that are no longer configured.
        config_reloads: Times the configuration was read again and taken.
        config_reload_failures: Times it was read again and could not be used.
        plugins: By name.
    """

    notifications: Counter[str] = field(default_factory=Counter)
    bad_payloads: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    coalesced: int = 0
    absent: int = 0
    uninteresting: int = 0
    load_batches: int = 0
    cleared: int = 0
    clear_batches: int = 0
    reloads: int = 0
    swept: int = 0
    connects: int = 0
    listening: bool = False
    steps: int = 0
    role: Role = Role.STARTING
    polling: bool = False
    database_errors: int = 0
    ledger: LedgerState = LedgerState.UNKNOWN
    ledger_events: int = 0
    ledger_batches: int = 0
    recovered: int = 0
    orphaned: int = 0
    config_reloads: int = 0
    config_reload_failures: int = 0
    plugins: dict[str, PluginCounts] = field(default_factory=dict)

    def plugin(self, name: str) -> PluginCounts:
        """The counts of the plugin `name`."""
        return self.plugins.setdefault(name, PluginCounts())
