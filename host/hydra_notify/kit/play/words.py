"""What the host would make of what a plugin does, in words for its author."""

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from hydra_notify import process
from hydra_notify.errors import PluginError
from hydra_notify.kit.child import resolved
from hydra_notify.limits import RESTART_CAP
from hydra_notify.outcomes import Dead, Delivered, Outcome, Retry
from hydra_notify.plugin_log import one_line
from hydra_notify_sdk.wire import InitializeResult, limits, matches

Tone = Literal["good", "middling", "bad"]

_FINAL: Final = (process.EXIT_CONFIG, process.EXIT_NO_PERMISSION)


def outcome_words(outcome: Outcome) -> tuple[str, Tone]:
    """What an answer comes to: `delivered`, `retry in 30 s: ...`, `dead: ...`."""
    match outcome:
        case Delivered(skipped, note):
            word = "skipped" if skipped else "delivered"
            return (f"{word}: {one_line(note)}" if note else word), "good"
        case Dead(reason):
            return f"dead: {one_line(reason)} (a dead letter: not sent again)", "bad"
        case Retry(reason, block=True):
            return (
                f"blocked: credentials: {one_line(reason)} (nothing more is sent, but "
                "for one event now and then to see whether they are good again)"
            ), "bad"
        case Retry(reason, unanswered=True):
            return f"{reason} (retry, marked as redelivered)", "bad"
        case Retry(reason, after, pause):
            wait = after if pause is None else pause
            when = "in 2 s, then 4, 8, ..." if wait is None else f"in {_seconds(wait)}"
            words = f"retry {when}: {one_line(reason)}"
            if pause is not None:
                words += " (pauses the plugin: nothing else is sent until then)"
            return words, "middling"


def manifest_words(manifest: InitializeResult) -> str:
    """What a plugin that is ready has asked for."""
    asked = manifest.timeout_ms or limits.EVENT_TIMEOUT_MS
    timeout = min(max(asked, limits.MIN_EVENT_TIMEOUT_MS), limits.MAX_EVENT_TIMEOUT_MS)
    parts = [
        f"wants {', '.join(manifest.events) or 'no events'}",
        f"{min(manifest.max_in_flight, limits.MAX_IN_FLIGHT)} at a time",
        f"{_seconds(timeout / 1000)} for each",
    ]
    if manifest.include:
        parts.append(f"with {', '.join(manifest.include)}")
    name = f"{manifest.name} {manifest.version}".strip()
    return one_line(f"ready: {name} {', '.join(parts)}")


def unwanted_words(manifest: InitializeResult, channel: str) -> str:
    """A remark when the manifest does not name an event; mostly ""."""
    if matches(manifest.events, channel):
        return ""
    return f"its manifest does not name {channel}: the host would not send this"


def end_words(status: int, *, asked: bool) -> tuple[str, Tone]:
    """What the end of a process means.

    Args:
        status: As of `process.wait_end`.
        asked: Whether it was to end.
    """
    reason = process.exit_reason(status)
    if asked:
        return f"it has ended: {reason}", "good" if status == 0 else "bad"
    if status == 0:
        reason = "exit status 0, too early: a plugin runs until its stdin ends"
    if status in _FINAL:
        then = "does not start it again until its configuration changes"
    else:
        then = f"starts it again after 1 s, then 2, 4, ... up to {RESTART_CAP:g} s"
    return f"it has ended by itself: {reason}; the host {then}", "bad"


def command_of(words: Sequence[str]) -> tuple[str, ...]:
    """A command that can be started in another directory, see `child.resolved`.

    Raises:
        PluginError: There is no such program, or it cannot be started.
    """
    command = resolved(words)
    path = Path(command[0])
    if "/" not in command[0]:
        if shutil.which(command[0]) is None:
            raise PluginError(
                f"{words[0]} is neither in PATH nor a file here; name the plugin's "
                "program"
            )
    elif not path.is_file():
        what = "is a directory" if path.is_dir() else "does not exist"
        raise PluginError(f"{words[0]} {what}; name the plugin's program")
    elif not os.access(path, os.X_OK):
        raise PluginError(
            f"{words[0]} is not executable; chmod +x {words[0]}, and let its first "
            "line name its interpreter, such as #!/usr/bin/env python3"
        )
    return command


def start_words(error: OSError, program: str) -> str:
    """Why a program could not be started."""
    reason = error.strerror or str(error)
    fix = ""
    if isinstance(error, FileNotFoundError) and Path(program).exists():
        fix = "; the interpreter that its first line names does not exist"
    elif isinstance(error, PermissionError):
        fix = f"; chmod +x {program}"
    elif error.errno == errno.ENOEXEC:
        fix = "; let its first line name its interpreter: #!/usr/bin/env python3"
    return f"{program} cannot be started: {reason}{fix}"


def _seconds(seconds: float) -> str:
    if seconds >= 120:
        return f"{seconds / 60:.3g} min"
    return f"{seconds:.3g} s"
