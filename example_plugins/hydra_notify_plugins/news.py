"""What people are told of builds: which ones, and the words that messages share."""

from collections.abc import Sequence
from typing import Final

from hydra_notify_plugins.statuses import UNINFORMATIVE, word_of
from hydra_notify_sdk import BuildEventData
from hydra_notify_sdk.wire import BuildDocument

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def is_news(build: BuildDocument, *, force: bool = False) -> bool:
    """Whether a build ended otherwise than the one before it, which may be none.

    Args:
        build: With the part `previousBuild`.
        force: Whether every end is news, even one that says nothing of the job.
    """
    if build.build_status is None:
        return False
    if force:
        return True
    before = build.previous_build
    if build.build_status in UNINFORMATIVE:
        return False
    return not before or before.build_status != build.build_status


def outcome_of(build: BuildDocument) -> str:
    """The key of how a build ended this time: a restarted one ends anew.

    Events do as keys where each is about one build. Hydra splits a long list of
    dependents, and each part has the same build at its head.
    """
    times = f"{build.start_time}-{build.stop_time}"
    return f"{build.build}:{times}:{build.build_status}"


def title_of(status: int | None) -> str:
    """How a build ended, as Hydra begins its messages: `Success`, `Timed out`."""
    return "Success" if status == 0 else word_of(status).capitalize()


def duration_of(build: BuildDocument) -> str:
    """How long it took, such as `1h 2m 5s`; "" where nothing was built."""
    if build.start_time is None or build.stop_time is None or build.is_cached_build:
        return ""
    left = max(0, build.stop_time - build.start_time)
    words: list[str] = []
    for seconds, unit in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            words.append(f"{count}{unit}")
    return " ".join(words) or "0s"


def others(count: int, data: BuildEventData) -> str:
    """How many builds a message is about besides its first, such as ` (and 2 others)`.

    Args:
        count: Those that are known.
        data: Of the event; a very long list of dependents is cut by the host.
    """
    if "dependents" in (data.truncated or ()):
        return f" (and at least {count} others)"
    if not count:
        return ""
    return f" (and {count} {'other' if count == 1 else 'others'})"


def either(names: Sequence[str]) -> str:
    """`A, B or C`."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
