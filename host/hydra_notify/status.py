"""How the host is, as one value: what the page shows and `hydra-notify status` prints.

`GET /status.json` answers with a `HostStatus`; these attributes are its keys, and stay.
Times are seconds since 1970, durations seconds. Nothing in it is a secret, and every
list is bounded (STATUS_LISTED); what is cut is counted.
"""

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from hydra_notify.metrics import LedgerState, PluginState, Role

Severity = Literal["warning", "critical"]


class Health(StrEnum):
    """The host at a glance."""

    OK = "ok"
    """All is as it should be."""

    DEGRADED = "degraded"
    """It delivers, but not everything to everybody."""

    DOWN = "down"
    """It delivers nothing."""


class Link(StrEnum):
    """How the host gets its notifications."""

    LISTENING = "listening"
    POLLING = "polling"
    """LISTEN does not work: it looks for pending flags all the time."""

    LOST = "lost"
    """There is no connection; it is tried again without end."""


class Problem(Struct, frozen=True):
    """Something for somebody to do.

    Attributes:
        name: Such as `plugin-flapping`; the page of docs/alerts about it.
        summary: What is wrong, in one line.
        fix: What helps, in one line.
        plugin: Whose trouble it is; "" for the host's.
    """

    name: str
    severity: Severity
    summary: str
    fix: str
    plugin: str = ""


class Trend(Struct, frozen=True):
    """A rate over the latest minutes.

    Attributes:
        step: Seconds that each value stands for.
        values: Per second, the oldest first.
    """

    step: float
    values: list[float]


class InFlight(Struct, frozen=True):
    """A delivery that was sent and is not answered.

    Attributes:
        sent_at: When.
    """

    plugin: str
    event: str
    attempt: int
    redelivered: bool
    sent_at: float


class Retrying(Struct, frozen=True):
    """A delivery that failed and waits for its next attempt.

    Attributes:
        attempt: How often it has been tried.
        due_at: When it is tried again.
        failing_since: When it failed first.
        reason: The latest failure.
    """

    plugin: str
    event: str
    attempt: int
    due_at: float
    failing_since: float
    reason: str


class DeadLetter(Struct, frozen=True):
    """A delivery that was given up.

    Attributes:
        attempts: How often it was tried.
        crashes: Of the plugin while it was in flight.
        changed_at: When it was given up.
        orphaned: Whether it is one of a plugin that is no longer configured.
        reason: The latest failure.
    """

    plugin: str
    event: str
    attempts: int
    crashes: int
    changed_at: float
    orphaned: bool
    reason: str


class Latency(Struct, frozen=True):
    """What attempts took from their sending to their success, lately.

    Attributes:
        p50: Seconds; None without any.
        p99: Seconds.
        count: How many there were.
    """

    p50: float | None = None
    p99: float | None = None
    count: int = 0


class PluginStatus(Struct, frozen=True, kw_only=True):
    """One plugin.

    Attributes:
        paused: Whether an operator has paused it: it runs, and is sent nothing.
        required: Whether pending flags wait for it.
        program: What it calls itself, and its version; "" until it has said.
        command: As configured.
        pid: Of its process; None while there is none.
        started_at: When that was started.
        next_start_at: When it is started again, while it waits for that.
        held_until: When it is sent something again, if it asked for a pause or its
            credentials are refused.
        window: Unanswered events at most; 0 until it has said.
        in_flight: Sent and not answered.
        queued: Deliveries that wait for their turn.
        retrying: Deliveries that failed and wait for their next attempt.
        next_retry_at: When the earliest of them is due.
        dead: Deliveries given up since the host started.
        delivered: Successes since the host started.
        failed: Attempts that failed since then.
        rate: Successes, over the latest minutes.
        latency: Of its successes.
        restarts: Starts but the first.
        ends: How its program ended, by cause.
        last_error: The latest failure.
        last_error_at: When that was.
        stderr: The latest lines of its stderr, secrets masked, oldest first.
        enforced: What of its sandbox and limits holds, in words.
        degraded: What does not hold here, or in part.
    """

    name: str
    state: PluginState
    paused: bool
    required: bool
    program: str
    command: list[str]
    pid: int | None
    started_at: float | None
    next_start_at: float | None
    held_until: float | None
    window: int
    in_flight: int
    queued: int
    retrying: int
    next_retry_at: float | None
    dead: int
    delivered: int
    failed: int
    rate: Trend
    latency: Latency
    restarts: int
    ends: dict[str, int]
    last_error: str
    last_error_at: float | None
    stderr: list[str]
    enforced: list[str]
    degraded: list[str]


class DatabaseStatus(Struct, frozen=True, kw_only=True):
    """The host and Postgres.

    Attributes:
        address: Where it is, without a password.
        link: How notifications come.
        since: When `link` became so.
        connects: Times LISTEN was established.
        errors: Statements that failed.
        last_error: The latest of them; "" if none.
    """

    address: str
    link: Link
    since: float
    connects: int
    errors: int
    last_error: str


class PendingStatus(Struct, frozen=True):
    """Builds whose flag was set when the host last looked.

    Attributes:
        count: How many.
        oldest_at: Since when the oldest is; None if there is none.
        looked_at: When that was; None if it has not looked yet.
    """

    count: int = 0
    oldest_at: float | None = None
    looked_at: float | None = None


class HostStatus(Struct, frozen=True, kw_only=True):
    """The whole host.

    Attributes:
        version: Of hydra-notify.
        machine: The host's name.
        base_url: Of Hydra's web interface.
        now: When all this was so.
        started_at: When the host started.
        health: At a glance.
        words: The same in a sentence.
        problems: The most severe first.
        role: Among the hosts on the database.
        stopping: Whether it hands in what it has.
        ledger: Whether there is one.
        inbox: Events that were announced and not read yet.
        open_events: Events that are not done with.
        pending: Flags.
        events: Events a second, over the latest minutes.
        deliveries: Successes a second.
        cleared: Flags cleared a second.
        in_flight: The oldest of them.
        in_flight_count: How many there are.
        retrying: Those that are due next.
        retrying_count: How many there are.
        dead: Dead letters, the latest first.
        dead_count: How many there are.
        config_reloads: Times a new configuration was taken.
        config_reload_failures: Times it could not be.
    """

    version: str
    machine: str
    base_url: str
    now: float
    started_at: float
    health: Health
    words: str
    problems: list[Problem]
    role: Role
    stopping: bool
    database: DatabaseStatus
    ledger: LedgerState
    inbox: int
    open_events: int
    pending: PendingStatus
    events: Trend
    deliveries: Trend
    cleared: Trend
    plugins: list[PluginStatus]
    in_flight: list[InFlight]
    in_flight_count: int
    retrying: list[Retrying]
    retrying_count: int
    dead: list[DeadLetter]
    dead_count: int
    config_reloads: int
    config_reload_failures: int


class Answer(Struct, frozen=True):
    """Something that happened to an event.

    Attributes:
        at: When.
        plugin: With which plugin; "" for the host's own doing.
        what: `seen`, `delivered`, `failed`, `given up`, `superseded` or `cleared`.
        attempt: Which, of a plugin; 0 where that is not known.
        reason: Why it failed.
    """

    at: float
    plugin: str
    what: str
    attempt: int = 0
    reason: str = ""


class EventStory(Struct, frozen=True):
    """One event of a build.

    Attributes:
        event: Its id.
        channel: Its name.
        owing: Plugins that have not settled it.
        dead: Plugins that gave it up.
        answers: What happened to it as far as the host remembers, the oldest first.
    """

    event: str
    channel: str
    owing: list[str]
    dead: list[str]
    answers: list[Answer]


class BuildStory(Struct, frozen=True, kw_only=True):
    """What became of one build's events.

    Attributes:
        build: Its id.
        known: Whether Hydra's database has it; None if nobody could be asked.
        job: `project:jobset:job`; "" if it is not known.
        finished: Whether it has an outcome.
        buildstatus: Hydra's number for it.
        pending_since: When its pending flag was set, if it is.
        events: The oldest first.
        remembered_since: The host remembers no answers from before then.
    """

    build: int
    known: bool | None
    job: str
    finished: bool
    buildstatus: int | None
    pending_since: float | None
    events: list[EventStory]
    remembered_since: float
