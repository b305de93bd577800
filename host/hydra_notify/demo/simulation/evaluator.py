"""The simulated evaluator: each function is one evaluation of a jobset.

An evaluation first says `eval_started`. One that finds something new then adds its
builds, its members and its inputs and sends all its notifications in one transaction,
so a listener gets them in one burst.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hydra_notify.database import Connection
from hydra_notify.demo.simulation.contents import job_name, new_build, revision
from hydra_notify.demo.simulation.evaluation_rows import (
    Member,
    insert_builds,
    insert_evaluation,
    insert_members,
    new_ids,
    previous_members,
)
from hydra_notify.demo.simulation.hydra import Hydra, Jobset, send
from hydra_notify.demo.simulation.outcome_log import Notified


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation that was added; `builds` are the new ones, in the jobs' order."""

    id: int
    builds: tuple[int, ...]


CHECKED: Final = """
update jobsets set lastcheckedtime = %(now)s, triggertime = null, errormsg = null,
                   fetcherrormsg = null
where id = %(jobset)s
"""

NOTIFY_ALL: Final = """
select pg_notify(channel, payload)
from unnest(%(channels)s::text[], %(payloads)s::text[]) sent (channel, payload)
"""


def evaluate(hydra: Hydra, jobset: Jobset, jobs: Sequence[int]) -> Evaluation:
    """Evaluate a jobset in which these jobs changed.

    The other jobs of its previous evaluation are cached ones. When no job changed, the
    evaluation has neither members nor inputs, as in Hydra.

    Args:
        jobs: Numbers of `contents.job_name`; each gets a new build.
    """
    trace = _start(hydra, jobset)
    now = hydra.clock()
    commit = revision(hydra.random)
    flake = None if jobset.flake is None else f"{jobset.flake}/{commit}"
    changed = {job_name(number) for number in jobs}
    previous = hydra.commit(lambda c: previous_members(c, jobset))
    cached = [member for member in previous if member.job not in changed]
    evaluation, ids = hydra.commit(lambda c: new_ids(c, len(jobs)))
    builds = [(b, new_build(hydra.random, n)) for b, n in zip(ids, jobs, strict=True)]
    sent = [
        *(Notified("build_queued", str(build), (build,)) for build in ids),
        *(_cached(evaluation, member) for member in cached),
        _result(hydra, "eval_added", f"{trace}\t{jobset.id}\t{evaluation}"),
    ]

    def work(connection: Connection) -> None:
        is_new = insert_evaluation(
            connection, jobset, evaluation, now, commit, flake, len(jobs)
        )
        if not is_new:
            return  # The connection broke after this had been committed.
        if builds:
            insert_builds(connection, jobset, now, builds)
            insert_members(connection, jobset, evaluation, ids, cached)
        connection.execute(CHECKED, {"now": now, "jobset": jobset.id})
        channels = [notified.channel for notified in sent]
        payloads = [notified.payload for notified in sent]
        connection.execute(NOTIFY_ALL, {"channels": channels, "payloads": payloads})

    hydra.commit(work)
    for notified in sent:
        hydra.log.add(notified)
    return Evaluation(evaluation, tuple(ids))


def queue_builds(
    hydra: Hydra, count: int = 1, jobset: str = "nixpkgs:trunk"
) -> tuple[int, ...]:
    """Add new unfinished builds, with all that goes with it; their ids."""
    return evaluate(hydra, hydra.jobset(jobset), range(count)).builds


def evaluate_unchanged(hydra: Hydra, jobset: Jobset, evaluation: int) -> None:
    """Find a jobset's inputs as they were at `evaluation`: nothing is evaluated."""
    trace = _start(hydra, jobset)
    now = hydra.clock()
    sent = Notified("eval_cached", f"{trace}\t{jobset.id}\t{evaluation}")

    def work(connection: Connection) -> None:
        connection.execute(CHECKED, {"now": now, "jobset": jobset.id})
        send(connection, sent)

    hydra.commit(work)
    hydra.log.add(sent)


RECORD_ERROR: Final = """
update jobsets set errormsg = %(message)s, errortime = %(now)s,
                   lastcheckedtime = %(now)s
where id = %(jobset)s
"""


def fail_evaluation(hydra: Hydra, jobset: Jobset, message: str) -> None:
    """Fail to evaluate a jobset, with an error message for its owner."""
    trace = _start(hydra, jobset)
    error = {"message": message, "now": hydra.clock(), "jobset": jobset.id}
    sent = _result(hydra, "eval_failed", f"{trace}\t{jobset.id}")

    def work(connection: Connection) -> None:
        connection.execute(RECORD_ERROR, error)
        send(connection, sent)

    hydra.commit(work)
    hydra.log.add(sent)


def _start(hydra: Hydra, jobset: Jobset) -> str:
    # Opaque; in Hydra a monotonic time and a process id.
    trace = f"{hydra.random.uniform(1e4, 1e6):.6f}.{hydra.random.randrange(300, 32768)}"
    hydra.notify(Notified("eval_started", f"{trace}\t{jobset.id}"))
    return trace


def _result(hydra: Hydra, channel: str, payload: str) -> Notified:
    if hydra.generation.flags_errors:
        payload = f"{payload}\t{hydra.random.randrange(2)}"
    return Notified(channel, payload)


def _cached(evaluation: int, member: Member) -> Notified:
    channel = "cached_build_finished" if member.finished else "cached_build_queued"
    return Notified(channel, f"{evaluation}\t{member.build}", (member.build,))
