"""Plugins as authors write them: nothing here is an error to a type checker."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_type

import msgspec

from hydra_notify_sdk import (
    AnyEvent,
    BuildEvent,
    BuildEventData,
    Cancelled,
    ConfigProblem,
    Context,
    EvalEvent,
    EvalEventData,
    Permanent,
    Plugin,
    Retry,
    Skipped,
    Unauthorized,
)
from hydra_notify_sdk.testing import Outcome, Sample, drive, sample_event
from hydra_notify_sdk.wire import Code, Verdict


@dataclass
class Settings:
    """Of a chat."""

    room: str
    mentions: list[str] = field(default_factory=list)


class Limits(msgspec.Struct):
    """Settings as a struct."""

    lines: int = 10


plugin = Plugin("chat", "1.0", config=Settings, include=["evals", "previousBuild"])
assert_type(plugin, Plugin[Settings])


@plugin.on_start
def connect(context: Context[Settings]) -> None:
    """Refuses what cannot work."""
    if not context.config.room:
        raise ConfigProblem("settings.room", "is empty", fix="name a room")


@plugin.on("build_finished", "cached_build_finished")
def finished(event: BuildEvent, context: Context[Settings]) -> Skipped | None:
    """Has the data of a build, and the author's settings."""
    assert_type(event.data, BuildEventData)
    assert_type(event.data.build_status, int | None)
    assert_type(context.config, Settings)
    assert_type(context.secrets, Mapping[str, str])
    assert_type(context.state_dir, Path)
    assert_type(context.log, logging.Logger)
    if event.data.evals:
        assert_type(event.data.evals[0].inputs[0].revision, str | None)
    if event.data.build_status == 0:
        return Skipped("it succeeded")
    context.progress("posting", 50)
    if event.cancelled:
        raise Cancelled
    if event.attempt > 1 or event.redelivered:
        raise Retry("not yet", after=2.5, code=Code.TOO_MANY_REQUESTS)
    raise Permanent("never", fix="delete it")


@plugin.on("build_*", "step_finished")
def some_builds(event: BuildEvent) -> None:
    """Needs no context."""
    assert_type(event.data, BuildEventData)


@plugin.on("eval_*")
def evaluations(event: EvalEvent) -> Skipped:
    """Always skips."""
    assert_type(event.data, EvalEventData)
    return Skipped(event.data.trace_id)


@plugin.on("*")
def everything(event: AnyEvent) -> None:
    """Has to look which of the two it is."""
    assert_type(event.data, BuildEventData | EvalEventData)
    if isinstance(event.data, EvalEventData):
        assert_type(event.data.error_changed, bool | None)
    raise Unauthorized("bad token")


plain = Plugin("plain", "1.0", max_in_flight=8, ordering="none", timeout=60)
assert_type(plain, Plugin[dict[str, object]])


@plain.on("*")
def anything(_event: AnyEvent, context: Context[dict[str, object]]) -> None:
    """Has whatever the operator wrote."""
    assert_type(context.config, dict[str, object])


class Room:
    """Handlers may be methods."""

    def tell(self, event: BuildEvent) -> None:
        """Takes an event."""


by_struct = Plugin("struct", "1.0", config=Limits)
by_struct.on("build_finished")(Room().tell)
by_struct.on("build_started")(lambda event, context: None)


def test_it(tmp_path: Path) -> None:
    """As an author tests it."""
    host = drive(plugin, config={"room": "x"}, state_dir=tmp_path)
    sample = sample_event("build_finished", status=1)
    assert_type(sample, Sample[BuildEventData])
    sample.data.job = "x"
    assert_type(sample_event("eval_added"), Sample[EvalEventData])
    outcome = host.send(sample, attempt=2)
    assert_type(outcome, Outcome)
    assert outcome.verdict is Verdict.RETRY
    assert_type(host.send("eval_added").skipped, str | None)
    host.send_all([sample, "eval_added", "build_queued"])
    first, second = host.send_twice(sample)
    assert first.delivered
    assert second.delivered


plugin.run()
