"""What is to be said of a build at its commits, and saying it, on any forge.

A status is said of each build that an event is about, at each commit it was made from.
One that a forge refuses does not keep the others from being sent, and those that it
has taken are not sent again with the rest.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Protocol, TypeVar

from msgspec import Meta, Struct

from hydra_notify_plugins.jobs import wanted
from hydra_notify_plugins.said import Place, Rank, Said
from hydra_notify_plugins.statuses import Kind, kind_of
from hydra_notify_sdk import (
    BuildEvent,
    BuildEventData,
    Cancelled,
    Context,
    Failure,
    Plugin,
    Retry,
    Skipped,
    Unauthorized,
)
from hydra_notify_sdk.routes import BuildName
from hydra_notify_sdk.wire.data import BuildDocument

EVENTS: Final[tuple[BuildName, ...]] = (
    "build_queued",
    "build_started",
    "build_finished",
    "cached_build_queued",
    "cached_build_finished",
)

TIMEOUT: Final = 120.0
"""Seconds for one event: one that failed with hundreds of others has as many statuses,
and every status that is sent starts them again."""

ConfigT = TypeVar("ConfigT")

RequestTimeout = Annotated[float, Meta(gt=0, lt=TIMEOUT)]
"""Seconds for one status, as a setting: below those for the event."""


class Status(Struct, frozen=True):
    """What is to be said of one build at one commit."""

    place: Place
    build: BuildDocument
    kind: Kind
    rank: Rank


class Forge(Protocol):
    """What differs from one forge to the next.

    Attributes:
        jobs: Those that are meant; see `jobs.wanted`.
        said: What the forge has been told.

    `places_of` finds the commits of an event's build, each with the newest evaluation
    of it. `context_of` names what a later status of a build has to be called to take
    the place of an earlier one. `content_of` puts a status into the forge's words, and
    `send` sends it; it raises `Retry` or `Unauthorized` where no other status would
    fare better now, and another `Failure` where this one failed.
    """

    @property
    def jobs(self) -> re.Pattern[str]: ...

    @property
    def said(self) -> Said: ...

    def places_of(self, data: BuildEventData) -> dict[Place, int]: ...

    def context_of(self, build: BuildDocument) -> str: ...

    def content_of(self, status: Status, context: str) -> Mapping[str, str]: ...

    def send(self, place: Place, content: Mapping[str, str]) -> None: ...


def plugin_of(
    name: str,
    config: type[ConfigT],
    forge_of: Callable[[Context[ConfigT]], Forge],
) -> Plugin[ConfigT]:
    """The plugin that says statuses on one kind of forge.

    Args:
        name: Of the plugin.
        config: The type of its settings.
        forge_of: Makes the forge when it starts, and refuses what can never work.
    """
    plugin = Plugin(
        name, "1.0", config=config, include=["dependents", "evals"], timeout=TIMEOUT
    )
    forge: Forge | None = None

    @plugin.on_start
    def start(context: Context[ConfigT]) -> None:
        nonlocal forge
        if forge is not None:
            forge.said.close()
        forge = forge_of(context)

    @plugin.on(*EVENTS)
    def report(event: BuildEvent, context: Context[ConfigT]) -> Skipped | None:
        assert forge is not None, "it starts before it is sent events"
        return tell(event, context, forge)

    return plugin


def tell(event: BuildEvent, context: Context[Any], forge: Forge) -> Skipped | None:
    """Says all that an event has to say.

    Raises:
        Failure: The worst one that a status met; the others are in the log.
    """
    statuses = statuses_of(event, forge)
    if not statuses:
        return Skipped(_why_none(event.data))
    news = 0
    worst: Failure | None = None
    for status in statuses:
        name = forge.context_of(status.build)
        content = forge.content_of(status, name)
        digest = _digest_of(content)
        if not forge.said.is_news(status.place, name, status.rank, digest):
            continue
        if event.cancelled:
            raise Cancelled(f"stopped after {news} statuses")
        news += 1
        try:
            forge.send(status.place, content)
        except Failure as failure:
            if len(statuses) > 1:
                at = status.place.revision
                context.log.warning("%s at %s: %s", name, at, failure)
            worst = max(worst or failure, failure, key=_badness)
            if isinstance(failure, Retry | Unauthorized):
                break
            continue
        forge.said.add(status.place, name, status.rank, digest)
        if len(statuses) > 1:
            context.progress(f"{name} at {status.place.revision}")
    if worst is not None:
        raise worst
    return None if news else Skipped("all of it has been said")


def statuses_of(event: BuildEvent, forge: Forge) -> list[Status]:
    """What there is to say, said already or not.

    Builds that ended with the event's own are of the same evaluations if they are of
    its jobset. Others are known where they were announced; so is a build that is of a
    commit by an evaluation that found nothing new, which Hydra does not list.
    """
    data = event.data
    told = forge.places_of(data)
    found: list[Status] = []
    for build in wanted(forge.jobs, data):
        places = forge.said.places_of(build.build)
        if (build.project, build.jobset) == (data.project, data.jobset):
            for place, evaluation in told.items():
                places[place] = max(evaluation, places.get(place, 0))
        kind, progress = _state_of(event.name, build)
        found.extend(
            Status(place, build, kind, Rank(evaluation, build.build, progress))
            for place, evaluation in places.items()
        )
    return found


def narrowed(failure: Unauthorized, *, only_secret: bool) -> Failure:
    """A refusal as what it means for events of other repositories.

    Args:
        failure: As the forge gave it.
        only_secret: Whether the plugin has no other, so that all fare the same.
    """
    if failure.code == 407 or (failure.code == 401 and only_secret):
        return failure
    # It may lack a right in one repository, or be one of several.
    return Failure(failure.message, code=failure.code, fix=failure.fix, retryable=True)


def _state_of(name: str, build: BuildDocument) -> tuple[Kind, int]:
    """What a build is now, whatever it was when its event happened."""
    if build.finished and build.build_status is not None:
        return kind_of(build.build_status), max(build.stop_time or 0, 2)
    if name == "build_started":
        return Kind.RUNNING, 1
    return Kind.PENDING, 0


def _badness(failure: Failure) -> int:
    """How much of what is to come a failure concerns."""
    if isinstance(failure, Retry | Unauthorized):
        return 2
    return 0 if failure.retryable is False else 1


def _why_none(data: BuildEventData) -> str:
    note = "it is of no commit that this plugin is for"
    if "evals.inputs" in (data.truncated or ()):
        return f"{note}, as far as its inputs were sent: they are too many"
    inputs = {
        each.name for evaluation in data.evals or () for each in evaluation.inputs
    }
    return f"{note}; its inputs are {', '.join(sorted(inputs))}" if inputs else note


def _digest_of(content: Mapping[str, str]) -> str:
    text = json.dumps(dict(content), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
