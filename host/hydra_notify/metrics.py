"""Counts of what happened: kept by those who make it happen, read by who shows it."""

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hydra_notify.limits import LATENCY_BOUNDS, TAIL_LINES


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


class Histogram:
    """How many of something took how long.

    Attributes:
        counts: By bucket: up to each of LATENCY_BOUNDS, and beyond the last.
        total: Seconds, of all of them.
    """

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(LATENCY_BOUNDS) + 1)
        self.total = 0.0

    def __len__(self) -> int:
        return sum(self.counts)

    def add(self, seconds: float, number: int = 1) -> None:
        """`number` of them took `seconds` each."""
        self.counts[bisect_left(LATENCY_BOUNDS, seconds)] += number
        self.total += seconds * number


def quantile(counts: Sequence[int], share: float) -> float | None:
    """What `share` of those in the buckets stayed below, in seconds.

    Within a bucket they count as spread evenly; beyond the last bound it is the bound.

    Args:
        counts: As in `Histogram`.
        share: Such as 0.99.

    Returns:
        None if the buckets are empty.
    """
    rank = share * sum(counts)
    if not rank:
        return None
    below, lower = 0, 0.0
    for number, upper in zip(counts, LATENCY_BOUNDS, strict=False):
        if number and below + number >= rank:
            return lower + (upper - lower) * (rank - below) / number
        below, lower = below + number, upper
    return lower


def _tail() -> deque[str]:
    return deque(maxlen=TAIL_LINES)


def _histograms() -> defaultdict[str, Histogram]:
    return defaultdict(Histogram)


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
        last_error_at: When it was (Unix time); None: never yet.
        program: What it calls itself, and its version; "" until it has said.
        window: Unanswered events at most; 0 until it has said.
        pid: Of its process; None while there is none.
        started_at: When that was started (Unix time).
        next_start_at: When it is started again (Unix time), while it waits for that.
        tail: The latest lines of its stderr, over all its lives; without secrets.
        paused: Whether an operator wants it to be sent nothing.
        runtime: From the sending of an attempt to its success, by channel.
        latency: From the arrival of a notification to this plugin's success.
        failed: Attempts that failed or were not answered, by channel.
        requeued: Of those, the ones that will be made again, by channel.
        dropped: Deliveries given up, by channel.
        recovered: Successes of deliveries that had failed before, by channel.
        not_interested: Events that it does not want or is not to get, by channel.
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
    last_error_at: float | None = None
    program: str = ""
    window: int = 0
    pid: int | None = None
    started_at: float | None = None
    next_start_at: float | None = None
    tail: deque[str] = field(default_factory=_tail)
    paused: bool = False
    runtime: defaultdict[str, Histogram] = field(default_factory=_histograms)
    latency: Histogram = field(default_factory=Histogram)
    failed: Counter[str] = field(default_factory=Counter)
    requeued: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    recovered: Counter[str] = field(default_factory=Counter)
    not_interested: Counter[str] = field(default_factory=Counter)


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
        link_changed_at: When `listening` or `polling` became what it is (Unix time);
            0.0: never yet.
        link_error: Why the latest connection that listens ended; "" if none did.
        received_at: When the latest notification arrived (Unix time); 0.0: none yet.
        database_errors: Statements that failed.
        pending: Flags that were set when all were looked at last.
        pending_since: When the oldest of them was set (Unix time).
        pending_looked_at: When that was (Unix time); 0.0: never yet.
        event_time: From a notification to the last plugin's success, by channel.
        flag_time: From the time in a flag to its being cleared.
        ledger: Whether there is one, and it can be used.
        ledger_events: Events written into it.
        ledger_batches: Transactions that wrote it.
        recovered: Events taken up from it.
        orphaned: Deliveries of plugins that are no longer configured.
        config_reloads: Times the configuration was read again and taken.
        config_reload_failures: Times it was read again and could not be used.
        config_reload_failed: Whether the latest time was one of these.
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
    link_changed_at: float = 0.0
    link_error: str = ""
    received_at: float = 0.0
    database_errors: int = 0
    pending: int = 0
    pending_since: int = 0
    pending_looked_at: float = 0.0
    event_time: defaultdict[str, Histogram] = field(default_factory=_histograms)
    flag_time: Histogram = field(default_factory=Histogram)
    ledger: LedgerState = LedgerState.UNKNOWN
    ledger_events: int = 0
    ledger_batches: int = 0
    recovered: int = 0
    orphaned: int = 0
    config_reloads: int = 0
    config_reload_failures: int = 0
    config_reload_failed: bool = False
    plugins: dict[str, PluginCounts] = field(default_factory=dict)

    def plugin(self, name: str) -> PluginCounts:
        """The counts of the plugin `name`."""
        return self.plugins.setdefault(name, PluginCounts())
