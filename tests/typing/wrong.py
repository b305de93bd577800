"""Mistakes of authors: each line that is marked is an error to both type checkers.

The mark names the code of mypy and the rule of pyright.
"""

from dataclasses import dataclass

from hydra_notify_sdk import (
    AnyEvent,
    BuildEvent,
    Context,
    EvalEvent,
    Permanent,
    Plugin,
    Retry,
    Skipped,
)
from hydra_notify_sdk.testing import drive, sample_event


@dataclass
class Settings:
    """Of the plugin."""

    room: str


@dataclass
class OtherSettings:
    """Of another plugin."""

    port: int


plugin = Plugin("chat", "1.0", config=Settings)


@plugin.on("build_finished")  # wrong: arg-type, reportArgumentType
def other_event(event: EvalEvent) -> None: ...


@plugin.on("build_started")  # wrong: arg-type, reportArgumentType
def other_settings(event: BuildEvent, context: Context[OtherSettings]) -> None: ...


@plugin.on("build_queued")  # wrong: arg-type, reportArgumentType
def nothing_to_take() -> None: ...


@plugin.on("step_finished")  # wrong: type-var, reportArgumentType
def returns_a_bool(event: BuildEvent) -> bool:
    return event.redelivered


@plugin.on("cached_build_queued")  # wrong: type-var, reportArgumentType
async def is_async(event: BuildEvent) -> None: ...


@plugin.on("*")  # wrong: arg-type, reportArgumentType
def not_only_builds(event: BuildEvent) -> None: ...


@plugin.on("build_finish")  # wrong: call-overload, reportCallIssue
def misspelt(event: AnyEvent) -> None: ...


@plugin.on("eval_*")
def evaluations(event: EvalEvent, context: Context[Settings]) -> None:
    str(event.data.build)  # wrong: attr-defined, reportAttributeAccessIssue
    str(context.config.port)  # wrong: attr-defined, reportAttributeAccessIssue
    context.config = Settings("x")  # wrong: misc, reportAttributeAccessIssue
    raise Retry("later", after="30")  # wrong: arg-type, reportArgumentType


@plugin.on("cached_build_finished")
def cached(event: BuildEvent) -> None:
    raise Permanent("never", after=30)  # wrong: call-arg, reportCallIssue


@plugin.on("eval_added")
def added(event: EvalEvent) -> Skipped:
    return Skipped()  # wrong: call-arg, reportCallIssue


@plugin.on_start  # wrong: arg-type, reportArgumentType
def start(context: Context[OtherSettings]) -> None: ...


Plugin("x", "1.0", include=["eval"])  # wrong: list-item, reportArgumentType
Plugin("x", "1.0", ordering="build")  # wrong: call-overload, reportArgumentType
Plugin("x", "1.0", config=Settings("x"))  # wrong: call-overload, reportArgumentType
Plugin("x")  # wrong: call-overload, reportCallIssue

host = drive(plugin)
host.send("build_finish")  # wrong: call-overload, reportCallIssue
host.send("build_finished", after=3)  # wrong: call-overload, reportCallIssue
evaluation = sample_event("eval_added")
str(evaluation.data.build)  # wrong: attr-defined, reportAttributeAccessIssue
