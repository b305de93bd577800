"""The protocol's words: the names of events, and lists of words that may grow.

A receiver takes any word and treats those it does not know as "something else". So the
types here, which messages are made of, accept every text; what they add to it is what
the JSON Schemas say.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, get_args

from msgspec import Meta

from hydra_notify_sdk.wire.limits import MAX_ID_LENGTH

Channel = Literal[
    "build_queued",
    "build_started",
    "build_finished",
    "cached_build_queued",
    "cached_build_finished",
    "step_finished",
    "eval_started",
    "eval_cached",
    "eval_added",
    "eval_failed",
]
"""The name of an event: the Postgres channel Hydra announces it on."""

CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)

EVENTS: Final[dict[Channel, str]] = {
    "build_queued": "An evaluation has made a build.",
    "build_started": "A step of the build is sent to a builder (again for each step).",
    "build_finished": "The build has ended, in whatever way but cancellation.",
    "cached_build_queued": "An evaluation contains a build that is queued already.",
    "cached_build_finished": (
        "An evaluation contains a build that has finished before."
    ),
    "step_finished": "A step of a build has ended.",
    "eval_started": "The evaluation of a jobset begins.",
    "eval_cached": "Nothing has changed since the last evaluation.",
    "eval_added": "An evaluation has ended, with or without errors of single jobs.",
    "eval_failed": "An evaluation has ended without result.",
}
"""When each event happens."""

OWN_MEMBERS: Final[dict[Channel, tuple[str, ...]]] = {
    "build_queued": (),
    "build_started": (),
    "build_finished": ("dependentIds",),
    "cached_build_queued": ("eval",),
    "cached_build_finished": ("eval",),
    "step_finished": ("step",),
    "eval_started": (),
    "eval_cached": ("eval",),
    "eval_added": ("eval",),
    "eval_failed": ("errorChanged",),
}
"""What the data of each event is about, besides its build or its evaluation."""

Ordering = Literal["subject", "none"]
"""`subject`: one event of a build at a time, oldest first. `none`: any order."""


def matches(patterns: tuple[str, ...] | list[str], channel: str) -> bool:
    """Whether one of `patterns` names `channel`: exact, `prefix*`, or `*`."""
    return any(
        pattern == channel
        or (pattern.endswith("*") and channel.startswith(pattern[:-1]))
        for pattern in patterns
    )


def names_event(pattern: str) -> bool:
    """Whether `pattern` names any event there is."""
    return any(matches([pattern], channel) for channel in CHANNELS)


def listed(
    words: Mapping[str, str] | Mapping[Channel, str] | Mapping[int, str], other: str
) -> Meta:
    """For a schema: the known words with what they mean, and what any other means."""
    known = [{"const": word, "description": text} for word, text in words.items()]
    return Meta(extra_json_schema={"anyOf": [*known, {"description": other}]})


RequestId = Annotated[
    str,
    Meta(
        extra_json_schema={
            "minLength": 1,
            "maxLength": MAX_ID_LENGTH,
            "pattern": "^[A-Za-z0-9._-]+$",
        }
    ),
]

EventName = Annotated[str, listed(EVENTS, "An event of a newer host.")]

EventPattern = Annotated[
    str,
    Meta(
        extra_json_schema={
            "pattern": r"^([^*]+\*?|\*)$",
            "examples": ["*", "build_*", *CHANNELS],
        }
    ),
]

PartName = Annotated[
    str,
    listed(
        {
            "dependents": "The builds that finished with this one, in full.",
            "evals": "The evaluations of a build, with their inputs.",
            "previousBuild": "The build of the same job before this one.",
            "errorMsg": "Of the jobset: up to megabytes.",
        },
        "Ignored.",
    ),
]

OrderingWord = Annotated[
    str,
    listed(
        {
            "subject": "One event of a build at a time, oldest first.",
            "none": "Any order.",
        },
        "Counts as `subject`.",
    ),
]

EventStatus = Annotated[
    str,
    listed(
        {
            "delivered": "The plugin has done its work.",
            "skipped": "The event is not the plugin's business.",
        },
        "Counts as `delivered`.",
    ),
]

PingStatus = Annotated[
    str,
    listed(
        {
            "ok": "All is well.",
            "degraded": "It works, but not as it should.",
            "failing": "It asks to be restarted.",
        },
        "Counts as `ok`.",
    ),
]

LogLevel = Annotated[
    str,
    listed(
        {
            "debug": "For the plugin's author.",
            "info": "What happens.",
            "notice": "What happens seldom.",
            "warning": "Somebody may have to do something.",
            "error": "Something did not work.",
            "critical": "Nothing works.",
        },
        "Counts as `info`.",
    ),
]

ErrorScope = Annotated[
    str,
    listed(
        {
            "plugin": "Every other event would meet the same error now.",
            "event": "Other events may fare better, whatever the code says.",
        },
        "The code says it.",
    ),
]

ShutdownReason = Annotated[
    str,
    listed(
        {
            "host_stop": "The host stops.",
            "reload": "The plugin's configuration was changed, or it was removed.",
        },
        "Another reason, of a newer host.",
    ),
]

CancelReason = Annotated[
    str,
    listed(
        {"deadline": "`timeout_ms` has passed."}, "Another reason, of a newer host."
    ),
]

BUILD_STATUSES: Final = {
    "succeeded": 0,
    "failed": 1,
    "dependency failed": 2,
    "aborted": 3,
    "cancelled": 4,
    "failed with output": 6,
    "timed out": 7,
    "system not supported": 9,
    "log limit exceeded": 10,
    "output limit exceeded": 11,
    "not deterministic": 12,
}
"""Hydra's numbers for how a build ends, by what they mean. Others may come."""

BuildStatus = Annotated[
    int,
    listed(
        {number: f"{words.capitalize()}." for words, number in BUILD_STATUSES.items()},
        "Others may come: treat them as failures.",
    ),
]

Positive = Annotated[int, Meta(extra_json_schema={"minimum": 1})]
NotNegative = Annotated[int, Meta(extra_json_schema={"minimum": 0})]
Percent = Annotated[float, Meta(extra_json_schema={"minimum": 0, "maximum": 100})]
