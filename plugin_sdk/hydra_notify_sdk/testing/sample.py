"""Events to send: typed, complete, and made to be changed."""

from collections.abc import Collection
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Generic, Literal, overload

import msgspec
from msgspec import UNSET, Raw

from hydra_notify_sdk.events import AnyData, DataT_co
from hydra_notify_sdk.mistakes import unknown
from hydra_notify_sdk.wire import (
    CHANNELS,
    BuildEventData,
    Channel,
    CloudEvent,
    EvalEventData,
)
from hydra_notify_sdk.wire.samples import BUILD, PARTS, sample_data, sample_params

BuildChannel = Literal[
    "build_finished",
    "build_queued",
    "build_started",
    "cached_build_finished",
    "cached_build_queued",
    "step_finished",
]
EvalChannel = Literal["eval_added", "eval_cached", "eval_failed", "eval_started"]


@dataclass(slots=True)
class Sample(Generic[DataT_co]):
    """An event that no Hydra has made; change of it what your test is about.

    Attributes:
        name: Hydra's channel, such as `build_finished`.
        id: The key against doing it twice: another id is another event.
        subject: What it is about, such as `build/4711`.
        source: The base URL of the Hydra.
        time: When it happened (RFC 3339, UTC).
        data: What is known of it, with every heavy part. The plugin gets those that its
            `include` names.
    """

    name: Channel
    id: str
    subject: str
    source: str
    time: str
    data: DataT_co

    def cloud_event(self, include: Collection[str]) -> CloudEvent:
        """The event as a host sends it to a plugin with this `include`."""
        data = _without(deepcopy(self.data), set(PARTS) - set(include))
        return CloudEvent(
            specversion="1.0",
            id=self.id,
            source=self.source,
            type=f"hydra.{self.name}",
            subject=self.subject,
            time=self.time,
            data=Raw(msgspec.json.encode(data)),
        )


@overload
def sample_event(
    name: BuildChannel, *, build: int = ..., status: int = ...
) -> Sample[BuildEventData]: ...
@overload
def sample_event(name: EvalChannel) -> Sample[EvalEventData]: ...
@overload
def sample_event(
    name: Channel, *, build: int = ..., status: int = ...
) -> Sample[AnyData]: ...
def sample_event(name: Channel, *, build: int = BUILD, status: int = 1) -> Sample[Any]:
    """An event as a Hydra might have made it.

    Args:
        name: Hydra's channel, such as `build_finished`.
        build: The number of the build it is about, if it is about one: another number
            is another event.
        status: How that build has ended, if it has: 0 for success, 1 for failure; see
            `wire.samples.BUILD_STATUSES`.

    Raises:
        ValueError: There is no such event.
    """
    if name not in CHANNELS:
        raise ValueError(unknown("event", name, CHANNELS))
    envelope = sample_params(name, build=build, status=status).event
    return Sample(
        name=name,
        id=envelope.id,
        subject=envelope.subject,
        source=envelope.source,
        time=envelope.time,
        data=sample_data(name, build=build, status=status, parts=PARTS),
    )


def _without(data: AnyData, parts: Collection[str]) -> AnyData:
    if "errorMsg" in parts:
        data.jobset_info.error_msg = UNSET
    if isinstance(data, EvalEventData):
        if data.eval is not None and "evals" in parts:
            data.eval.inputs = []
        return data
    if "dependents" in parts:
        data.dependents = UNSET
        data.dependent_jobsets = UNSET
    if "previousBuild" in parts:
        data.previous_build = UNSET
    if "evals" in parts:
        data.evals = UNSET
        if data.previous_build:
            data.previous_build.eval = None
    return data
