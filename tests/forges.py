"""What the tests of the plugins of forges share: events of builds with commits."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra_notify.kit.sink import Sink
from hydra_notify_sdk import BuildEventData, Plugin
from hydra_notify_sdk.testing import Host, Sample, drive, sample_event
from hydra_notify_sdk.testing.sample import BuildChannel
from hydra_notify_sdk.wire.data import Eval, EvalInput

REV = "c0ffee" + "0" * 34
OLD = "0dd" + "0" * 37


class Started:
    """A plugin, started by each call, always in one directory.

    Args:
        plugin: Which.
        settings: Those that every call has, unless it says otherwise.
        secrets: Those of a call that names none.
    """

    def __init__(
        self,
        plugin: Plugin[Any],
        settings: Mapping[str, object],
        secrets: Mapping[str, str],
        directory: Path,
    ) -> None:
        self._plugin = plugin
        self._settings = settings
        self._secrets = secrets
        self._directory = directory

    def __call__(
        self, secrets: Mapping[str, str] | None = None, /, **settings: object
    ) -> Host:
        return drive(
            self._plugin,
            config={**self._settings, **settings},
            secrets=secrets or self._secrets,
            state_dir=self._directory,
        )


def evaluation(number: int, *inputs: EvalInput, flake: str | None = None) -> Eval:
    return Eval(
        id=number,
        timestamp=1_767_607_000,
        checkout_time=3,
        eval_time=41,
        has_new_builds=True,
        flake=flake,
        inputs=list(inputs),
    )


def git_input(
    name: str, uri: str, revision: str = REV, responsible: bool | None = False
) -> EvalInput:
    return _input(name, "git", uri, revision, None, responsible)


def text_input(name: str, value: str) -> EvalInput:
    return _input(name, "string", None, None, value, False)


def _input(
    name: str,
    kind: str,
    uri: str | None,
    revision: str | None,
    value: str | None,
    responsible: bool | None,
) -> EvalInput:
    return EvalInput(
        name=name,
        altnr=0,
        type=kind,
        uri=uri,
        revision=revision,
        short_rev=None,
        value=value,
        dependency=None,
        path=None,
        sha256hash=None,
        email_responsible=responsible,
    )


def build_event(
    name: BuildChannel,
    evals: Sequence[Eval],
    *,
    build: int = 4711,
    status: int = 0,
    stop: int | None = None,
    dependents: bool = False,
) -> Sample[BuildEventData]:
    """An event of a build of these evaluations."""
    sample = sample_event(name, build=build, status=status)
    sample.data.evals = list(evals)
    if stop is not None:
        sample.data.stop_time = stop
    if not dependents:
        sample.data.dependents = []
    return sample


def bodies(sink: Sink) -> list[dict[str, Any]]:
    """What was posted, in order."""
    return [json.loads(call.body) for call in sink.calls]


def states(sink: Sink) -> list[str]:
    """The states that were posted, in order."""
    return [body["state"] for body in bodies(sink)]
