"""Events to what the database says about them."""

from collections.abc import Sequence
from hashlib import sha256
from typing import assert_never

from hydra_notify.builds.build_rows import Outcome
from hydra_notify.builds.document import build_event_data, eval_event_data, rfc3339
from hydra_notify.builds.snapshot import Snapshot, read_snapshot
from hydra_notify.database import Connection, snapshot_transaction
from hydra_notify.events import (
    BuildEvent,
    BuildFinished,
    CachedBuildEvent,
    EvalEvent,
    Event,
    StepFinished,
)
from hydra_notify.facts import Absent, BuildFact, Loaded, PendingFlag, outcome_id
from hydra_notify_sdk.wire import Part


def load(
    connection: Connection, events: Sequence[Event], parts: frozenset[Part]
) -> list[Loaded | Absent]:
    """What is known of each event, in their order, all read at one moment.

    The number of statements depends on the kinds of events and on `parts`, not on how
    many events there are. Memory grows with the builds they name, dependents included:
    callers bound that.

    Args:
        connection: Autocommit, outside a transaction.
        events: As parsed.
        parts: Heavy parts of the data that some plugin asks for.
    """
    with snapshot_transaction(connection):
        snapshot = read_snapshot(connection, events, parts)
    return [_load(snapshot, event) for event in events]


def _load(snapshot: Snapshot, event: Event) -> Loaded | Absent:
    match event:
        case BuildFinished():
            return _load_finished(snapshot, event)
        case BuildEvent() | CachedBuildEvent() | StepFinished():
            return _load_build(snapshot, event)
        case EvalEvent():
            return _load_eval(snapshot, event)
        case _:
            assert_never(event)


def _load_finished(snapshot: Snapshot, event: BuildFinished) -> Loaded | Absent:
    head = snapshot.outcomes.get(event.build)
    if head is None:
        return Absent(event, f"build {event.build} is not there")
    if not head.finished:
        return Absent(event, f"build {event.build} is not finished")
    outcomes = [head]
    if event.dependents:
        found = map(snapshot.outcomes.get, event.dependents)
        outcomes += [each for each in found if each is not None and each.finished]
    builds = [each.build for each in outcomes]
    flags = [
        PendingFlag(each.build, each.pending, each.status, each.start, each.stop)
        for each in sorted(outcomes)
        if each.pending is not None
    ]
    id_ = outcome_id(head.build, head.start, head.stop, head.status)
    if event.dependents:
        # A chunk of a long list is an event of its own. What was announced counts, not
        # what is left of it: the id must be the same at every reading.
        announced = ",".join(map(str, event.dependents)).encode()
        id_ = f"{id_}:{sha256(announced).hexdigest()[:8]}"
    return Loaded(
        event=event,
        id=id_,
        subject=f"build/{head.build}",
        time=rfc3339(head.stop),
        flags=tuple(flags),
        builds=tuple([_fact(snapshot, each) for each in outcomes]),
        data=build_event_data(snapshot, event, head.build, builds[1:]),
        parts=snapshot.parts,
    )


def _load_build(
    snapshot: Snapshot, event: BuildEvent | CachedBuildEvent | StepFinished
) -> Loaded | Absent:
    head = snapshot.outcomes.get(event.build)
    if head is None:
        return Absent(event, f"build {event.build} is not there")
    if isinstance(event, StepFinished) and (
        (event.build, event.step) not in snapshot.steps
    ):
        return Absent(event, f"step {event.step} of build {event.build} is not there")
    data = build_event_data(snapshot, event, event.build, [])
    match event:
        case BuildEvent("build_started"):
            id_, seconds = f"build_started:{event.build}", head.start
        case BuildEvent():
            id_, seconds = f"{event.channel}:{event.build}", data.timestamp
        case CachedBuildEvent():
            id_ = f"{event.channel}:{event.evaluation}:{event.build}"
            seconds = data.eval.timestamp if data.eval else None
        case StepFinished():
            id_ = f"step_finished:{event.build}:{event.step}"
            seconds = data.step.stop_time if data.step else None
        case _:
            assert_never(event)
    return Loaded(
        event=event,
        id=id_,
        subject=f"build/{event.build}",
        time=rfc3339(seconds),
        flags=(),
        builds=(_fact(snapshot, head),),
        data=data,
        parts=snapshot.parts,
    )


def _load_eval(snapshot: Snapshot, event: EvalEvent) -> Loaded | Absent:
    if event.jobset not in snapshot.jobsets:
        return Absent(event, f"jobset {event.jobset} is not there")
    data = eval_event_data(snapshot, event)
    id_ = f"{event.channel}:{event.trace}:{event.jobset}"
    if event.evaluation is not None:
        id_ = f"{id_}:{event.evaluation}"
    return Loaded(
        event=event,
        id=id_,
        # Not the jobset: what is newer replaces what is older of the same subject, and
        # the next evaluation does not make it pointless to report this one.
        subject=f"eval-trace/{event.trace}",
        time=rfc3339(data.eval.timestamp if data.eval else None),
        flags=(),
        builds=(),
        data=data,
        parts=snapshot.parts,
    )


def _fact(snapshot: Snapshot, outcome: Outcome) -> BuildFact:
    jobset = snapshot.jobsets[outcome.jobset].jobset
    job = f"{jobset.project}:{jobset.name}:{outcome.job}"
    return BuildFact(job, outcome.status if outcome.finished else None)
