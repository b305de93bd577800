"""What a plugin says, made fit for the log: level, length, rate, and no secrets."""

import json
import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus

import msgspec

from hydra_notify.limits import SHORTEST_SECRET, TAIL_LINES
from hydra_notify_sdk.wire.limits import (
    LOG_LINE_BYTES,
    LOG_LINES_BURST,
    LOG_LINES_PER_SECOND,
)

_PRIORITIES: Final = (
    "critical",
    "critical",
    "critical",
    "error",
    "warning",
    "notice",
    "info",
    "debug",
)
"""The levels of sd-daemon's `<0>` to `<7>`."""

_WORD: Final = re.compile(
    r"\[?(DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|CRITICAL|FATAL)(?:\]|:)\s*",
    re.IGNORECASE,
)
STRAY_HINT: Final = "stdout carries frames alone: print to stderr, or use the SDK"
"""What whoever prints there should know."""

_LEVELS: Final = {"warn": "warning", "fatal": "critical"}


class _Line(msgspec.Struct):
    level: str
    message: str = ""
    msg: str = ""


def classify(line: str) -> tuple[str, str]:
    """Level and text of a line of stderr.

    A line may begin with `<N>` (sd-daemon), with `[ERROR]` or `ERROR:`, or be a JSON
    object with `level` and `message` or `msg`; any other is `info`, since programs use
    stderr for everything that is not their output.
    """
    if len(line) > 2 and line[0] == "<" and line[2] == ">" and line[1] in "01234567":
        return _PRIORITIES[int(line[1])], line[3:].strip()
    if line.startswith("{"):
        try:
            record = msgspec.json.decode(line, type=_Line)
        except (ValueError, RecursionError):
            return "info", line
        return record.level.lower(), record.message or record.msg or line
    word = _WORD.match(line)
    if word:
        level = word[1].lower()
        return _LEVELS.get(level, level), line[word.end() :]
    if line.startswith(("Traceback (most recent call last)", "panic: ")):
        return "error", line
    return "info", line


def masker(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that replaces every one of `secrets` in a text by `***`.

    Of a secret of several lines (a key), each line is one too. So is each as it stands
    in JSON, since frames and records are shown as they came, and in JSON that is quoted
    in JSON; in an address (`?token=...`); in the words of Python's errors; and where
    `one_line` was before us. Other codings of it (base64, a digest) are not found.

    A secret of less than SHORTEST_SECRET characters is none.
    """
    forms = _forms(secrets)
    if not forms:
        return lambda text: text
    pattern = re.compile("|".join(map(re.escape, forms)))
    return lambda text: pattern.sub("***", text)


def masker_of_parts(secrets: Collection[str]) -> Callable[[str], str]:
    """A `masker` of texts that may have been cut, and then end with `…`.

    There it finds the beginning of a secret, too, from SHORTEST_SECRET characters on.
    """
    forms = _forms(secrets)
    mask = masker(secrets)

    def masked(text: str) -> str:
        text = mask(text)
        body = text.removesuffix("…")
        if body == text:
            return text
        lengths = (
            length
            for form in forms
            for length in range(SHORTEST_SECRET, len(form))
            if body.endswith(form[:length])
        )
        longest = max(lengths, default=0)
        return f"{body[:-longest]}***…" if longest else text

    return masked


def _forms(secrets: Iterable[str]) -> list[str]:
    """All that is to be masked, the longest first."""
    values = {value for value in secrets if len(value.strip()) >= SHORTEST_SECRET}
    values |= {line for value in values for line in value.splitlines() if len(line) > 7}
    values |= {form for value in values for form in _as_others_write(value)}
    for _ in range(2):
        values |= {
            json.dumps(value, ensure_ascii=ascii_only)[1:-1]
            for value in values
            for ascii_only in (False, True)
        }
    return sorted(values, key=len, reverse=True)


def _as_others_write(value: str) -> Iterator[str]:
    yield one_line(value)
    # Lines lose the blanks at their ends.
    yield value.strip()
    yield one_line(value.strip())
    yield quote(value, errors="replace")
    yield quote(value, safe="", errors="replace")
    yield quote_plus(value, errors="replace")
    yield repr(value)[1:-1]
    # Where there are quotes of both kinds, those around it are escaped.
    yield repr(f"'\"{value}")[4:-1]


def mask_within(value: object, mask: Callable[[str], str]) -> object:
    """`value`, as JSON has them, with the strings, names and numbers in it masked."""
    match value:
        case str():
            return mask(value)
        case dict():
            return {
                mask(str(name)): mask_within(part, mask) for name, part in value.items()
            }
        case list():
            return [mask_within(part, mask) for part in value]
        case bool() | None:
            return value
        case _:
            shown = str(value)
            return value if mask(shown) == shown else mask(shown)


def one_line(text: str) -> str:
    """`text` without line breaks, and without what a terminal would obey.

    So a plugin's words cannot pass for a line of the host's own.
    """
    line = " | ".join(text.splitlines())
    return "".join(c if c.isprintable() else "·" for c in line)


class PluginLog:
    """The lines of one plugin: masked, cut, bounded in rate, the latest kept.

    Attributes:
        tail: The latest lines of stderr, for the report of a crash.
        dropped: Lines beyond the rate so far.
    """

    def __init__(self, secrets: Iterable[str], now: float) -> None:
        self.mask = masker(secrets)
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self.dropped = 0
        self._credit = float(LOG_LINES_BURST)
        self._at = now

    def stderr(self, line: bytes, now: float) -> tuple[str, str] | None:
        """Level and text of a line of stderr; None when there are too many."""
        level, words = classify(line.decode("utf-8", "replace").rstrip())
        # Only now: a record in JSON may write a secret in ways that nobody foresees,
        # and half a secret at the cut is one too.
        text = self.mask(words)[:LOG_LINE_BYTES]
        self.tail.append(text)
        return (level, text) if self.allow(now) else None

    def allow(self, now: float) -> bool:
        """Whether one more line may be logged; one that may not is counted."""
        self._credit += (now - self._at) * LOG_LINES_PER_SECOND
        self._credit = min(self._credit, LOG_LINES_BURST)
        self._at = now
        if self._credit < 1:
            self.dropped += 1
            return False
        self._credit -= 1
        return True
