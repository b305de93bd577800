"""A conversation in a file, as `plugin record` writes it and the golden ones are.

One JSON object per line, in the order in which things happened:

    {"from": "comment", "text": ...}             of no consequence
    {"from": "host", "frame": {...}, "t": MS}    a frame from host to plugin
    {"from": "plugin", "frame": {...}, "t": MS}  a frame from plugin to host
    {"from": ..., "raw": "..."}                  a line that is no frame
    {"from": "host", "end": true}                the host closes the plugin's stdin
    {"from": "plugin", "exit": 0}                the plugin ends with this status

Within a frame these values are patterns: `"$any"` and `{"$any": VALUE}` stand for any
value (VALUE where it is sent), `{"$sample": EVENT}` for the data of a sample event.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

import msgspec

from hydra_notify.config.wording import quoted
from hydra_notify.errors import HydraNotifyError
from hydra_notify.kit.play.sample_event import UnknownEvent, channel_of
from hydra_notify_sdk.wire.limits import MAX_FRAME_BYTES
from hydra_notify_sdk.wire.samples import PARTS, sample_data

Side = Literal["host", "plugin"]
Frame = dict[str, object]

_MOST_BYTES: Final = 8 * MAX_FRAME_BYTES
"""Of one line: a frame grows when it is written in another way."""


class TranscriptError(HydraNotifyError):
    """A file is no transcript; the message names the line, what is wrong, the fix."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened; exactly one of the last four is set.

    Attributes:
        number: Of its line.
        sender: Whose doing it is.
    """

    number: int
    sender: Side
    frame: Frame | None = None
    raw: str | None = None
    end: bool = False
    exit: int | None = None


def read_transcript(path: Path) -> list[Step]:
    """What happens in the file at `path`.

    Raises:
        TranscriptError: It cannot be read, or is no transcript.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise TranscriptError(
            f"{path} cannot be read ({error.strerror}); name the file of a recording"
        ) from error
    except UnicodeDecodeError as error:
        raise TranscriptError(
            f"{path} is not UTF-8 (byte {error.start}); name the file of a recording"
        ) from error
    steps = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            step = _step(number, line)
        except TranscriptError as error:
            raise TranscriptError(f"{path}, line {number} {error}") from error
        if step is not None:
            steps.append(step)
    if not any(step.frame and step.sender == "host" for step in steps):
        raise TranscriptError(
            f"{path} holds no frame of a host; record one with `plugin record`"
        )
    return steps


def _step(number: int, line: str) -> Step | None:
    if len(line) > _MOST_BYTES:
        raise TranscriptError(f"is longer than {_MOST_BYTES} characters; remove it")
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise TranscriptError(
            f"is not JSON ({reason}); each line is one object, as `plugin record` "
            "writes it"
        ) from error
    match value:
        case {"from": "comment"}:
            return None
        case {"from": "host" | "plugin" as sender, "frame": dict(frame)}:
            return Step(number, sender, frame=_checked(sender, frame))
        case {"from": "host" | "plugin" as sender, "raw": str(raw)}:
            return Step(number, sender, raw=raw)
        case {"from": "host", "end": True}:
            return Step(number, "host", end=True)
        case {"from": "plugin", "exit": int(status)}:
            return Step(number, "plugin", exit=status)
        case {"from": "host" | "plugin"}:
            fix = 'write {"from": ..., "frame": {...}}'
            raise TranscriptError(f"has neither frame, raw, end nor exit; {fix}")
        case {"from": other}:
            who = quoted(str(other))
            fix = 'write "host", "plugin" or "comment"'
            raise TranscriptError(f"is from {who}, which is neither side; {fix}")
        case _:
            fix = 'write {"from": "host", "frame": {...}}'
            raise TranscriptError(f"is no step of a conversation; {fix}")


def _checked(sender: str, frame: Frame) -> Frame:
    name = frame.get("id")
    if sender == "host" and not isinstance(frame.get("method"), str):
        raise TranscriptError("is a frame of the host without method; remove the line")
    if not isinstance(name, str | None):
        raise TranscriptError('has an id that is no text; write "id": "e1"')
    return frame


def fill(value: object) -> object:
    """`value`, a frame or a part of one, as it is sent: without patterns.

    Raises:
        TranscriptError: A pattern names a sample that does not exist.
    """
    match value:
        case {"$any": sent}:
            return sent
        case {"$sample": str(name)}:
            try:
                data = sample_data(channel_of(name), parts=PARTS)
            except UnknownEvent as error:
                raise TranscriptError(f"$sample: {error}") from error
            return cast(object, msgspec.to_builtins(data))
        case dict():
            members = cast(Frame, value)
            return {name: fill(part) for name, part in members.items()}
        case list():
            return [fill(part) for part in cast(list[object], value)]
        case _:
            return value


def differences(expected: object, actual: object, path: str = "") -> Iterator[str]:
    """The paths at which `actual` is not what the pattern `expected` allows."""
    match expected:
        case "$any" | {"$any": _} | {"$sample": _}:
            return
        case dict() if isinstance(actual, dict):
            wanted, found = cast(Frame, expected), cast(Frame, actual)
            for name in [*wanted, *(name for name in found if name not in wanted)]:
                below = f"{path}.{name}" if path else name
                if name not in found or name not in wanted:
                    yield below
                else:
                    yield from differences(wanted[name], found[name], below)
        case list() if isinstance(actual, list):
            items, others = cast(list[object], expected), cast(list[object], actual)
            if len(items) != len(others):
                yield path
                return
            for index, (item, other) in enumerate(zip(items, others, strict=True)):
                yield from differences(item, other, f"{path}[{index}]")
        case _:
            # True is 1 to Python, but not on the wire.
            alike = isinstance(expected, bool) is isinstance(actual, bool)
            if expected != actual or not alike:
                yield path
