"""Events: what Hydra announces, parsed from notifications, and what is known of them.

A notification is a channel and a payload of fields separated by TAB. As in Hydra's own
daemon, trailing empty fields do not count, integers are ASCII digits (leading zeros
allowed), and anything else is refused as a whole.
"""

from collections.abc import Callable
from typing import ClassVar, Final, assert_never

from msgspec import Struct

from hydra_notify.errors import PayloadError
from hydra_notify.limits import MAX_BUILD_ID
from hydra_notify_sdk.wire import CHANNELS, Channel

ORDERS_CHANNEL: Final = "hydra_notify_orders"
"""Ours: an operator has ordered something, which is in the ledger; no payload."""


DUMP_CHANNEL: Final = "hydra_notify_dump_metrics"
"""Hydra's: an operator wants the metrics in the log; no payload."""


class Notification(Struct, frozen=True, gc=False):
    """What Postgres sends."""

    channel: str
    payload: str


class BuildEvent(Struct, frozen=True, gc=False):
    """`build_queued`, `build_started`: a build without an outcome."""

    channel: Channel
    build: int


class BuildFinished(Struct, frozen=True, gc=False):
    """A build ended, and `dependents` with it (never the head itself, no repeats)."""

    channel: ClassVar[Channel] = "build_finished"

    build: int
    dependents: tuple[int, ...] = ()


class CachedBuildEvent(Struct, frozen=True, gc=False):
    """`cached_build_queued`, `cached_build_finished`: an evaluation met a known one."""

    channel: Channel
    evaluation: int
    build: int


class StepFinished(Struct, frozen=True, gc=False):
    """A step of a build ended. `log_path` is absolute, null for Hydra's `-`."""

    channel: ClassVar[Channel] = "step_finished"

    build: int
    step: int
    log_path: str | None


class EvalEvent(Struct, frozen=True, gc=False):
    """`eval_started|cached|added|failed` of a jobset.

    Attributes:
        trace: Opaque text, equal for all events of one evaluation.
        evaluation: Which one, where the channel names it.
        error_changed: Whether the jobset's error differs from the one before; None
            from a Hydra that does not say (before schema 88).
    """

    channel: Channel
    trace: str
    jobset: int
    evaluation: int | None = None
    error_changed: bool | None = None


Event = BuildEvent | BuildFinished | CachedBuildEvent | StepFinished | EvalEvent


def parse(notification: Notification) -> Event:
    """The event a notification announces.

    Raises:
        PayloadError: The channel is unknown or the payload is not of its form.
    """
    parser = _PARSERS.get(notification.channel)
    if parser is None:
        raise PayloadError(f"no such channel: {notification.channel!r}")
    fields = notification.payload.split("\t")
    while fields and not fields[-1]:
        fields.pop()
    return parser(fields)


def notification_of(event: Event) -> Notification:
    """The notification that announces `event`, which `parse` makes of it again."""
    match event:
        case BuildFinished(build, dependents):
            fields: tuple[object, ...] = (build, *dependents)
        case BuildEvent(_, build):
            fields = (build,)
        case CachedBuildEvent(_, evaluation, build):
            fields = (evaluation, build)
        case StepFinished(build, step, log_path):
            fields = (build, step, "-" if log_path is None else log_path)
        case EvalEvent():
            known = (event.evaluation, event.error_changed)
            fields = (event.trace, event.jobset, *(v for v in known if v is not None))
        case _:
            assert_never(event)
    texts = (str(int(f) if isinstance(f, bool) else f) for f in fields)
    return Notification(event.channel, "\t".join(texts))


_MOST_DIGITS: Final = len(str(MAX_BUILD_ID))


def _integer(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise PayloadError(f"{name} is not an integer: {text[:40]!r}")
    # Python refuses to convert thousands of digits, even if most are zeros.
    digits = text.lstrip("0") or "0"
    if len(digits) > _MOST_DIGITS or (number := int(digits)) > MAX_BUILD_ID:
        raise PayloadError(f"{name} is larger than any id: {text[:40]!r}")
    return number


def _flag(name: str, text: str) -> bool:
    if text not in ("0", "1"):
        raise PayloadError(f"{name} is neither 0 nor 1: {text[:40]!r}")
    return text == "1"


def _count(fields: list[str], *names: str, optional: int = 0) -> None:
    if not len(names) - optional <= len(fields) <= len(names):
        expected = ", ".join(names)
        raise PayloadError(f"{len(fields)} fields where these are needed: {expected}")


def _build_event(channel: Channel) -> Callable[[list[str]], Event]:
    def parse_fields(fields: list[str]) -> Event:
        _count(fields, "build")
        return BuildEvent(channel, _integer("build", fields[0]))

    return parse_fields


def _build_finished(fields: list[str]) -> Event:
    if not fields:
        raise PayloadError("no fields where at least one build is needed")
    head, *rest = [_integer("build", text) for text in fields]
    if not rest:
        return BuildFinished(head)
    # The queue runner lists the head among its own dependents.
    dependents = dict.fromkeys(build for build in rest if build != head)
    return BuildFinished(head, tuple(dependents))


def _cached_build_event(channel: Channel) -> Callable[[list[str]], Event]:
    def parse_fields(fields: list[str]) -> Event:
        _count(fields, "evaluation", "build")
        evaluation = _integer("evaluation", fields[0])
        return CachedBuildEvent(channel, evaluation, _integer("build", fields[1]))

    return parse_fields


def build_of(id_: str) -> int | None:
    """The build that the event of an id is about; None where it is about none."""
    channel, *parts = id_.split(":")
    if not channel.startswith(("build_", "cached_build_", "step_")):
        return None
    number = parts[1:2] if channel.startswith("cached_") else parts[:1]
    return int(number[0]) if number and number[0].isdecimal() else None


def _step_finished(fields: list[str]) -> Event:
    _count(fields, "build", "step", "log path")
    build, step = _integer("build", fields[0]), _integer("step", fields[1])
    return StepFinished(build, step, None if fields[2] == "-" else fields[2])


def _eval_event(channel: Channel) -> Callable[[list[str]], Event]:
    def parse_fields(fields: list[str]) -> Event:
        _count(fields, "trace", "jobset")
        return EvalEvent(channel, fields[0], _integer("jobset", fields[1]))

    return parse_fields


def _eval_cached(fields: list[str]) -> Event:
    _count(fields, "trace", "jobset", "evaluation")
    jobset = _integer("jobset", fields[1])
    evaluation = _integer("evaluation", fields[2])
    return EvalEvent("eval_cached", fields[0], jobset, evaluation)


def _eval_added(fields: list[str]) -> Event:
    # Hydras from schema 88 on add the flag.
    _count(fields, "trace", "jobset", "evaluation", "error changed", optional=1)
    jobset = _integer("jobset", fields[1])
    evaluation = _integer("evaluation", fields[2])
    changed = _flag("error changed", fields[3]) if len(fields) > 3 else None
    return EvalEvent("eval_added", fields[0], jobset, evaluation, changed)


def _eval_failed(fields: list[str]) -> Event:
    _count(fields, "trace", "jobset", "error changed", optional=1)
    jobset = _integer("jobset", fields[1])
    changed = _flag("error changed", fields[2]) if len(fields) > 2 else None
    return EvalEvent("eval_failed", fields[0], jobset, None, changed)


_PARSERS: Final[dict[str, Callable[[list[str]], Event]]] = {
    "build_queued": _build_event("build_queued"),
    "build_started": _build_event("build_started"),
    "build_finished": _build_finished,
    "cached_build_queued": _cached_build_event("cached_build_queued"),
    "cached_build_finished": _cached_build_event("cached_build_finished"),
    "step_finished": _step_finished,
    "eval_started": _eval_event("eval_started"),
    "eval_cached": _eval_cached,
    "eval_added": _eval_added,
    "eval_failed": _eval_failed,
}
assert set(_PARSERS) == set(CHANNELS)
