"""What the database says about an event: read by `builds`, used by everyone above.

`events` is what was announced; this is what was found.
"""

from msgspec import Struct

from hydra_notify.events import Event
from hydra_notify_sdk.wire import BuildEventData, EvalEventData, Part


class PendingFlag(Struct, frozen=True, gc=False):
    """A build's pending flag with the outcome it stands for, as read in one snapshot.

    The flag is cleared only while all four columns are still these: the flag's value
    alone is a time in whole seconds, and a restarted build can finish twice in one.

    Attributes:
        build: The build's id.
        pending: `notificationpendingsince`, seconds since 1970.
        status: `buildstatus`.
        start: `starttime`, seconds since 1970.
        stop: `stoptime`, seconds since 1970.
    """

    build: int
    pending: int
    status: int | None
    start: int | None
    stop: int | None


def outcome_id(
    build: int, start: int | None, stop: int | None, status: int | None
) -> str:
    """The id of a finished build's event; with dependents, the beginning of it."""
    return f"build_finished:{build}:{start}-{stop}:{status}"


class BuildFact(Struct, frozen=True, gc=False):
    """What routing needs of a build.

    Attributes:
        job: `project:jobset:job`.
        status: `buildstatus`; None until it has finished.
    """

    job: str
    status: int | None


class Loaded(Struct, frozen=True, gc=False):
    """An event with everything its data needs, read in one snapshot.

    Attributes:
        event: What was announced, as it was: dependents that are gone or unfinished
            are left out of `flags`, `builds` and `data` only, so that the same event
            read again has the same id.
        id: The idempotency key, the same at every reading: from what was announced and
            the outcome of the head.
        subject: What it is about, such as `build/4711` or `eval-trace/17.5.230`; events
            of one subject are delivered in order.
        time: RFC 3339 in UTC, or "" where the database does not say.
        flags: Pending flags of the builds it announces: to be cleared when it has
            been delivered, by ascending build. Empty where no flag is set.
        builds: For routing; empty for evaluations. The head first.
        data: Not yet encoded; URLs are still empty.
        parts: The heavy parts that were read; no others can be encoded.
    """

    event: Event
    id: str
    subject: str
    time: str
    flags: tuple[PendingFlag, ...]
    builds: tuple[BuildFact, ...]
    data: BuildEventData | EvalEventData
    parts: frozenset[Part] = frozenset()


class Absent(Struct, frozen=True):
    """An event that cannot be loaded (now).

    Attributes:
        event: What was announced.
        reason: For the log: which row is gone, or which build is not finished.
    """

    event: Event
    reason: str
