"""The simulated queue runner: each function is one thing that happens to builds.

As in Hydra, the outcome of a build and its pending flag are committed first, and the
notification follows in a transaction of its own: a runner that dies in between leaves a
flag that nobody was told of (`notify=False`). Unlike in Hydra, the flag is never read.
"""

from collections.abc import Sequence
from dataclasses import astuple
from typing import Final

from hydra_notify.database import Connection
from hydra_notify.demo.limits import CHUNK_BYTES, PAYLOAD_BYTES
from hydra_notify.demo.simulation.build_rows import (
    insert_results,
    mark_finished,
    propagate_failure,
)
from hydra_notify.demo.simulation.contents import metrics, products, store_path
from hydra_notify.demo.simulation.hydra import Hydra, send
from hydra_notify.demo.simulation.outcome_log import (
    Finished,
    Notified,
    Restarted,
    Withheld,
)

SUCCEEDED: Final = 0
FAILED: Final = 1
DEPENDENCY_FAILED: Final = 2
ABORTED: Final = 3
CANCELLED: Final = 4
FAILED_WITH_OUTPUT: Final = 6
TIMED_OUT: Final = 7
CACHED_FAILURE: Final = 8
"""Values of `buildstatus`; the last one is for steps only."""


def finish_build(
    hydra: Hydra,
    build: int,
    status: int = SUCCEEDED,
    *,
    start: int | None = None,
    stop: int | None = None,
    notify: bool = True,
) -> Finished:
    """Finish a build that no other depends on.

    Args:
        start: Seconds since 1970; some time before `stop` when not given.
        stop: Seconds since 1970; the present when not given.
        notify: Whether the notification is sent, or never will be.
    """
    finished = _outcome(hydra, build, status, start, stop)
    _commit_results(hydra, finished, cached=False, then=None)
    hydra.log.add(finished)
    if notify:
        notify_build_finished(hydra, build)
    else:
        hydra.log.add(Withheld((build,)))
    return finished


def finish_cached_build(
    hydra: Hydra, build: int, status: int = SUCCEEDED, *, stop: int | None = None
) -> Finished:
    """Finish a build whose result was known: flag and notification in one go."""
    now = hydra.clock() if stop is None else stop
    finished = Finished(build, status, now, now, now)
    sent = Notified("build_finished", str(build), (build,))
    _commit_results(hydra, finished, cached=True, then=sent)
    hydra.log.add(finished)
    hydra.log.add(sent)
    return finished


def fail_builds(
    hydra: Hydra,
    head: int,
    dependents: Sequence[int] = (),
    status: int = FAILED,
    *,
    start: int | None = None,
    stop: int | None = None,
    notify: bool = True,
) -> tuple[Finished, ...]:
    """Fail a build, and with it those that depend on it; head first in the result.

    As in Hydra, the notification names the head again among its dependents.

    Args:
        start: As in `finish_build`.
        stop: As in `finish_build`.
        notify: As in `finish_build`.
    """
    first = _outcome(hydra, head, status, start, stop)
    inherited = DEPENDENCY_FAILED if status == FAILED else status
    all_finished = (
        first,
        *(
            Finished(build, inherited, first.start, first.stop, first.pending)
            for build in dependents
        ),
    )

    def work(connection: Connection) -> None:
        mark_finished(connection, all_finished, cached=False)
        propagate_failure(connection, first, dependents)

    hydra.commit(work)
    for finished in all_finished:
        hydra.log.add(finished)
    failed = sorted((head, *dependents))
    if notify:
        notify_build_finished(hydra, head, failed)
    else:
        hydra.log.add(Withheld((head, *failed)))
    return all_finished


def notify_build_finished(
    hydra: Hydra, head: int, dependents: Sequence[int] = ()
) -> tuple[Notified, ...]:
    """Send `build_finished`, whatever the state of these builds is.

    Args:
        dependents: As they are to stand in the payload, the head among them if it is
            to be repeated. A long list takes several notifications with the same head.
    """
    pieces = _chunks(head, dependents) if hydra.generation.chunks else [dependents]
    sent = tuple(
        Notified("build_finished", "\t".join(map(str, (head, *piece))), (head, *piece))
        for piece in pieces
    )
    if any(len(notified.payload) >= PAYLOAD_BYTES for notified in sent):
        # Postgres refuses it, and the runner goes on without.
        hydra.log.add(Withheld((head, *dependents)))
        return ()

    def work(connection: Connection) -> None:
        for notified in sent:
            send(connection, notified)

    hydra.commit(work)
    for notified in sent:
        hydra.log.add(notified)
    return sent


RESTART: Final = """
update builds set finished = 0, iscachedbuild = 0 where id = %(build)s and finished = 1
"""

FORGET_SUCCESSES: Final = """
update jobsetevals e set nrsucceeded = null
from jobsetevalmembers m where m.eval = e.id and m.build = %(build)s
"""


def restart_build(hydra: Hydra, build: int) -> None:
    """Make a finished build unfinished; flag, status and times stay as they were."""

    def work(connection: Connection) -> None:
        connection.execute(RESTART, {"build": build})
        connection.execute(FORGET_SUCCESSES, {"build": build})

    hydra.commit(work)
    hydra.log.add(Restarted(build))


GIVE_UP: Final = """
update builds set finished = 1, buildstatus = %(status)s, iscachedbuild = 0,
                  starttime = %(now)s, stoptime = %(now)s
where id = %(build)s returning notificationpendingsince
"""


def cancel_build(hydra: Hydra, build: int, status: int = CANCELLED) -> Finished:
    """Give up an unfinished build: no flag is set and nobody is told.

    A flag that it has kept from before a restart stays, though.

    Args:
        status: `ABORTED` for a build whose derivation is gone.
    """
    now = hydra.clock()
    row = hydra.commit(
        lambda connection: connection.execute(
            GIVE_UP, {"build": build, "status": status, "now": now}
        ).fetchone()
    )
    assert row is not None, f"there is no build {build}"
    finished = Finished(build, status, now, now, row[0])
    hydra.log.add(finished)
    return finished


OUTPUTS: Final = "select name, path from buildoutputs where build = %s order by name"


def _commit_results(
    hydra: Hydra, finished: Finished, *, cached: bool, then: Notified | None
) -> None:
    outputs: list[tuple[str, str]] = []
    if finished.status in (SUCCEEDED, FAILED_WITH_OUTPUT):
        rows = hydra.commit(
            lambda connection: connection.execute(OUTPUTS, (finished.build,)).fetchall()
        )
        # A path that was unknown is known now.
        outputs = [(n, p or store_path(hydra.random, f"ca-{n}")) for n, p in rows]
    made = products(hydra.random, outputs[-1][1]) if outputs else ()
    measured = metrics(hydra.random) if outputs else ()
    size = hydra.random.randrange(1_000, 3_000_000_000) if outputs else None

    def work(connection: Connection) -> None:
        mark_finished(connection, [finished], cached=cached)
        insert_results(
            connection,
            finished,
            outputs,
            [astuple(product) for product in made],
            measured,
            size,
        )
        if then is not None:
            send(connection, then)

    hydra.commit(work)


def _outcome(
    hydra: Hydra, build: int, status: int, start: int | None, stop: int | None
) -> Finished:
    stop = hydra.clock() if stop is None else stop
    start = stop - hydra.random.randrange(2, 7200) if start is None else start
    return Finished(build, status, start, stop, pending=stop)


def _chunks(head: int, dependents: Sequence[int]) -> list[list[int]]:
    """Dependents divided so that no payload is longer than Hydra makes them."""
    chunks: list[list[int]] = [[]]
    size = len(str(head))
    for dependent in dependents:
        width = len(f"\t{dependent}")
        if size + width > CHUNK_BYTES:
            chunks.append([])
            size = len(str(head))
        chunks[-1].append(dependent)
        size += width
    return chunks
