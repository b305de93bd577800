"""Golden conversations: what both sides of the wire are tested from.

They are frozen once they are released: see `frozen`. `v1/*.jsonl` hold one JSON object
per line, in the order in which things happen:

    {"from": "comment", "text": ..., "for": ["host", "plugin"]}   first: who is tested
    {"from": "host", "frame": {...}}      a frame from host to plugin
    {"from": "plugin", "frame": {...}}    a frame from plugin to host
    {"from": ..., "raw": "..."}           a line that is no frame, without its newline
    {"from": ..., "raw": "x", "times": 9}  the same, of a text so often
    {"from": "host", "end": true}         the host closes the plugin's stdin
    {"from": "plugin", "exit": 0}         the plugin ends with this status

Within a frame these values are patterns:

    "$any"                    any value, but the member is there
    {"$any": VALUE}           the same, and VALUE where the frame has to be sent
    {"$sample": "NAME"}       any value; the data of NAME in `samples.json` where sent

Everything else is meant exactly, unknown members included. A host chooses its own ids:
those in the files are names for them, bound where the host first uses one.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parent / "v1"

Side = Literal["host", "plugin"]
Frame = dict[str, object]


@dataclass(frozen=True, slots=True)
class Line:
    """One step of a conversation; exactly one of the last four is set."""

    number: int
    sender: Side
    frame: Frame | None = None
    raw: str | None = None
    end: bool = False
    exit: int | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """One file: its name without suffix, and what happens in it."""

    name: str
    about: str
    tests: tuple[Side, ...]
    lines: tuple[Line, ...]


def load(side: Side) -> list[Transcript]:
    """All conversations that test this side, by name."""
    every = (_read(path) for path in sorted(FOLDER.glob("*.jsonl")))
    return [transcript for transcript in every if side in transcript.tests]


def sample(name: str) -> Frame:
    """The data of an event called `name`, with every part a plugin can ask for."""
    data = json.loads(_samples()[name])
    assert isinstance(data, dict)
    return data


@cache
def _samples() -> dict[str, str]:
    samples = json.loads((FOLDER / "samples.json").read_text())
    return {name: json.dumps(data) for name, data in samples.items()}


def _read(path: Path) -> Transcript:
    objects = [json.loads(text) for text in path.read_text().splitlines()]
    first = objects[0]
    lines = tuple(
        Line(
            number,
            step["from"],
            step.get("frame"),
            step["raw"] * step.get("times", 1) if "raw" in step else None,
            step.get("end", False),
            step.get("exit"),
        )
        for number, step in enumerate(objects, 1)
        if step["from"] != "comment"
    )
    return Transcript(path.stem, first["text"], tuple(first["for"]), lines)


class Ids:
    """The ids a host really uses, by their names in a transcript."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    def bind(self, frame: Frame, actual: Frame) -> None:
        """Notes the id that the host's `actual` frame gives to the request `frame`."""
        name, real = frame.get("id"), actual.get("id")
        if isinstance(name, str) and isinstance(real, str):
            self._real[name] = real

    def real(self, name: str) -> str:
        """The real id; the name itself where none is bound."""
        return self._real.get(name, name)


def fill(value: object, ids: Ids | None = None) -> object:
    """`value`, a frame or a part of one, as it is sent: without patterns."""
    match value:
        case {"$any": sent}:
            return sent
        case {"$sample": str(name)}:
            return sample(name)
        case dict():
            return {key: _filled(key, part, ids) for key, part in value.items()}
        case list():
            return [fill(part, ids) for part in value]
        case _:
            return value


def differences(
    expected: object, actual: object, ids: Ids | None = None, path: str = "$"
) -> Iterator[str]:
    """In words, where `actual` is not what the pattern `expected` allows."""
    match expected:
        case "$any" | {"$any": _} | {"$sample": _}:
            return
        case dict():
            if not isinstance(actual, dict):
                yield f"{path}: expected an object, got {actual!r}"
                return
            for key in expected.keys() - actual.keys():
                yield f"{path}.{key}: is missing"
            for key in actual.keys() - expected.keys():
                yield f"{path}.{key}: is not expected: {actual[key]!r}"
            for key in expected.keys() & actual.keys():
                wanted = (
                    _filled(key, expected[key], ids) if key == "id" else expected[key]
                )
                yield from differences(wanted, actual[key], ids, f"{path}.{key}")
        case list() if isinstance(actual, list) and len(actual) == len(expected):
            for index, wanted in enumerate(expected):
                yield from differences(wanted, actual[index], ids, f"{path}[{index}]")
        case _:
            # True is 1 to Python, but not on the wire.
            alike = isinstance(expected, bool) is isinstance(actual, bool)
            if expected != actual or not alike:
                yield f"{path}: expected {expected!r}, got {actual!r}"


def _filled(key: str, part: object, ids: Ids | None) -> object:
    if key == "id" and isinstance(part, str) and ids is not None:
        return ids.real(part)
    return fill(part, ids)
