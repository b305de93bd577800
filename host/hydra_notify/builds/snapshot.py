"""All rows that some events are about, as they were at one moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from hydra_notify.builds.build_rows import (
    Outcome,
    Results,
    id_array,
    read_details,
    read_outcomes,
    read_results,
)
from hydra_notify.builds.eval_rows import (
    Memberships,
    Previous,
    read_evals,
    read_inputs,
    read_memberships,
    read_previous,
)
from hydra_notify.builds.jobset_rows import JobsetFacts, read_jobsets
from hydra_notify.builds.step_rows import StepKey, read_steps
from hydra_notify.database import Connection, TupleRow
from hydra_notify.events import (
    BuildEvent,
    BuildFinished,
    CachedBuildEvent,
    EvalEvent,
    Event,
    StepFinished,
)
from hydra_notify_sdk.wire import Eval, Part, Step


@dataclass(slots=True)
class Wanted:
    """What some events name, each thing once.

    Attributes:
        heads: Builds that events are about.
        dependents: Builds that finished with them.
        members: Builds whose evaluations are of interest, all of them.
    """

    heads: set[int] = field(default_factory=set)
    dependents: set[int] = field(default_factory=set)
    members: set[int] = field(default_factory=set)
    evals: set[int] = field(default_factory=set)
    jobsets: set[int] = field(default_factory=set)
    steps: set[StepKey] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Rows by id. What nobody asked for is empty.

    Attributes:
        details: Columns of builds that only a document needs.
        evals: With inputs, where evaluations were asked for.
        parts: What was asked for.
    """

    parts: frozenset[Part]
    outcomes: dict[int, Outcome]
    details: dict[int, TupleRow]
    results: Results
    previous: dict[int, Previous]
    memberships: dict[int, Memberships]
    evals: dict[int, Eval]
    steps: dict[StepKey, Step]
    jobsets: dict[int, JobsetFacts]


def read_snapshot(
    connection: Connection, events: Sequence[Event], parts: frozenset[Part]
) -> Snapshot:
    """Everything these events need, in at most 12 statements.

    The caller holds the transaction that makes it one moment.
    """
    wanted = _wanted(events)
    shown = wanted.heads
    if "dependents" in parts:
        shown = wanted.heads | wanted.dependents
    full = id_array(shown) if shown else ""
    outcomes, details = read_details(connection, full) if full else ({}, {})
    if narrow := wanted.dependents - shown:
        outcomes |= read_outcomes(connection, id_array(narrow))
    previous: dict[int, Previous] = {}
    if full and "previousBuild" in parts:
        with_eval = id_array(wanted.heads if "evals" in parts else ())
        previous = read_previous(connection, full, with_eval)
    memberships: dict[int, Memberships] = {}
    if wanted.members and "evals" in parts:
        memberships = read_memberships(connection, id_array(wanted.members))
    wanted.jobsets.update(outcome.jobset for outcome in outcomes.values())
    wanted.evals.update(before.eval for before in previous.values() if before.eval)
    for membership in memberships.values():
        wanted.evals.update(membership.evals)
    return Snapshot(
        parts=parts,
        outcomes=outcomes,
        details=details,
        results=read_results(connection, full) if full else Results(),
        previous=previous,
        memberships=memberships,
        evals=_read_evals(connection, wanted.evals, inputs="evals" in parts),
        steps=read_steps(connection, sorted(wanted.steps)) if wanted.steps else {},
        jobsets=_read_jobsets(connection, wanted.jobsets, errors="errorMsg" in parts),
    )


def _wanted(events: Iterable[Event]) -> Wanted:
    wanted = Wanted()
    for event in events:
        match event:
            case BuildFinished(build, dependents):
                wanted.heads.add(build)
                wanted.members.add(build)
                wanted.dependents.update(dependents)
            case BuildEvent(_, build):
                wanted.heads.add(build)
                wanted.members.add(build)
            case CachedBuildEvent(_, evaluation, build):
                wanted.heads.add(build)
                wanted.evals.add(evaluation)
            case StepFinished(build, step):
                wanted.heads.add(build)
                wanted.members.add(build)
                wanted.steps.add((build, step))
            case EvalEvent():
                wanted.jobsets.add(event.jobset)
                if event.evaluation is not None:
                    wanted.evals.add(event.evaluation)
            case _:
                assert_never(event)
    return wanted


def _read_evals(
    connection: Connection, evals: set[int], *, inputs: bool
) -> dict[int, Eval]:
    if not evals:
        return {}
    ids = id_array(evals)
    found = read_evals(connection, ids)
    if inputs:
        for id_, inputs_ in read_inputs(connection, ids).items():
            found[id_].inputs = inputs_
    return found


def _read_jobsets(
    connection: Connection, jobsets: set[int], *, errors: bool
) -> dict[int, JobsetFacts]:
    return read_jobsets(connection, id_array(jobsets), errors=errors) if jobsets else {}
