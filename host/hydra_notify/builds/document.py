"""Rows to documents: what an event says about its build or its evaluation."""

from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final, TypeVar

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from hydra_notify.builds.build_rows import store_path
from hydra_notify.builds.snapshot import Snapshot
from hydra_notify.events import CachedBuildEvent, EvalEvent, Event, StepFinished
from hydra_notify.limits import ERROR_LENGTH
from hydra_notify_sdk.wire import (
    CHANNELS,
    BuildDocument,
    BuildEventData,
    Channel,
    Eval,
    EvalEventData,
    Jobset,
    PreviousBuild,
    Step,
)

LAST_SECOND: Final = 253_402_300_799
"""Of the year 9999, since 1970: RFC 3339 has four digits for a year."""


def _hook(channel: Channel) -> str:
    first, *rest = channel.split("_")
    return first + "".join(word.capitalize() for word in rest)


HOOKS: Final = {channel: _hook(channel) for channel in CHANNELS}
"""How Hydra's plugins call each event: `buildFinished` and so on."""


Document = TypeVar("Document", bound=BuildDocument)


def _document(
    kind: type[Document],
    snapshot: Snapshot,
    build: int,
    *,
    with_eval: bool = False,
    **members: Any,
) -> Document:
    """A build of the snapshot, without its URL.

    Args:
        kind: What it becomes.
        with_eval: Whether its previous build comes with an evaluation.
        members: What a `kind` has beside those of a build.
    """
    outcome, details = snapshot.outcomes[build], snapshot.details[build]
    (
        timestamp,
        drv_path,
        nix_name,
        system,
        homepage,
        description,
        license_,
        release,
        cached,
        current,
        priority,
        size,
        closure,
        maintainers,
    ) = details
    jobset = snapshot.jobsets[outcome.jobset].jobset
    results = snapshot.results
    return kind(
        build=build,
        finished=bool(outcome.finished),
        timestamp=timestamp,
        project=jobset.project,
        jobset=jobset.name,
        job=outcome.job,
        drv_path=store_path(drv_path),
        start_time=outcome.start,
        stop_time=outcome.stop,
        build_status=outcome.status if outcome.finished else None,
        nix_name=nix_name,
        system=system,
        homepage=homepage,
        description=description,
        license=license_,
        outputs=results.outputs.get(build, []),
        products=results.products.get(build, []),
        metrics=results.metrics.get(build, []),
        release_name=release,
        is_cached_build=bool(cached),
        is_current=bool(current),
        priority=priority,
        size=size,
        closure_size=closure,
        maintainers=_addresses(maintainers),
        url="",
        previous_build=_previous(snapshot, build, with_eval=with_eval),
        **members,
    )


def build_event_data(
    snapshot: Snapshot, event: Event, build: int, dependents: list[int]
) -> BuildEventData:
    """What an event says about `build`, which is in the snapshot in full."""
    facts = snapshot.jobsets[snapshot.outcomes[build].jobset]
    data = _document(
        BuildEventData,
        snapshot,
        build,
        with_eval=True,
        event=HOOKS[event.channel],
        jobset_info=facts.jobset,
        project_info=facts.project,
    )
    cut = ["jobsetInfo.errorMsg"] if facts.error_cut else []
    if event.channel == "build_finished":
        data.dependent_ids = dependents
        if "dependents" in snapshot.parts:
            data.dependents = [
                _document(BuildDocument, snapshot, each) for each in dependents
            ]
            data.dependent_jobsets = _other_jobsets(snapshot, build, dependents)
    if isinstance(event, CachedBuildEvent):
        evaluation = snapshot.evals.get(event.evaluation)
        data.eval = evaluation and replace(evaluation, inputs=[])
    if "evals" in snapshot.parts:
        data.evals, complete = _evals(snapshot, event, build)
        if not complete:
            cut.append("evals")
    if isinstance(event, StepFinished):
        data.step, complete = _step(snapshot, event)
        if not complete:
            cut.append("step.errorMsg")
    if cut:
        data.truncated = cut
    return data


def eval_event_data(snapshot: Snapshot, event: EvalEvent) -> EvalEventData:
    """What an evaluation's event says; its jobset is in the snapshot."""
    facts = snapshot.jobsets[event.jobset]
    evaluation = event.evaluation
    return EvalEventData(
        event=HOOKS[event.channel],
        trace_id=event.trace,
        project=facts.jobset.project,
        jobset=facts.jobset.name,
        jobset_info=facts.jobset,
        project_info=facts.project,
        eval=None if evaluation is None else snapshot.evals.get(evaluation),
        error_changed=event.error_changed,
        url="",
        truncated=["jobsetInfo.errorMsg"] if facts.error_cut else UNSET,
    )


def rfc3339(seconds: int | None) -> str:
    """A time in UTC, given in seconds since 1970; "" where there is none."""
    if seconds is None or not 0 <= seconds <= LAST_SECOND:
        return ""
    minute, second = divmod(seconds, 60)
    return f"{_minute(minute)}:{second:02}Z"


@lru_cache(maxsize=64)
def _minute(minute: int) -> str:
    """A minute, counted from the first of 1970; events of a burst share it."""
    hours, minute = divmod(minute, 60)
    days, hour = divmod(hours, 24)
    return f"{date(1970, 1, 1) + timedelta(days=days)}T{hour:02}:{minute:02}"


def _previous(
    snapshot: Snapshot, build: int, *, with_eval: bool
) -> PreviousBuild | UnsetType | None:
    if "previousBuild" not in snapshot.parts:
        return UNSET
    before = snapshot.previous.get(build)
    if before is None:
        return None
    evaluation = snapshot.evals.get(before.eval) if with_eval and before.eval else None
    return PreviousBuild(id=before.build, build_status=before.status, eval=evaluation)


def _other_jobsets(
    snapshot: Snapshot, build: int, dependents: list[int]
) -> list[Jobset] | UnsetType:
    own = snapshot.outcomes[build].jobset
    ids = {snapshot.outcomes[each].jobset for each in dependents} - {own}
    found = (snapshot.jobsets[each].jobset for each in sorted(ids))
    return [replace(each, error_msg=UNSET) for each in found] or UNSET


def _evals(snapshot: Snapshot, event: Event, build: int) -> tuple[list[Eval], bool]:
    """The evaluations an event is to show, and whether that is all of them."""
    if isinstance(event, CachedBuildEvent):
        # A build that never changes is in thousands; one of them met it just now.
        evaluation = snapshot.evals.get(event.evaluation)
        return ([] if evaluation is None else [evaluation]), True
    memberships = snapshot.memberships.get(build)
    if memberships is None:
        return [], True
    evals = [snapshot.evals[id_] for id_ in memberships.evals]
    return evals, memberships.total == len(evals)


def _step(snapshot: Snapshot, event: StepFinished) -> tuple[Step, bool]:
    step = snapshot.steps[event.build, event.step]
    error = step.error_msg
    if error is None or len(error) <= ERROR_LENGTH:
        return replace(step, log_path=event.log_path), True
    return (
        replace(step, log_path=event.log_path, error_msg=error[:ERROR_LENGTH]),
        False,
    )


def _addresses(maintainers: str | None) -> list[str]:
    if not maintainers:
        return []
    return [address for part in maintainers.split(",") if (address := part.strip())]
