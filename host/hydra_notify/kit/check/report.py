"""What a check found, and what all of them come to."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from msgspec import Struct

NEVER_STARTED: Final = "it does not live long enough"
"""Why nearly nothing was tried."""


class Level(Enum):
    """How much a rule matters.

    MUST: the host, or a later one, will not get on with a plugin that breaks it.
    SHOULD: it gets on, but somebody will suffer for it.
    """

    MUST = "must"
    SHOULD = "should"


@dataclass(frozen=True, slots=True)
class Failed:
    """A rule is broken.

    Attributes:
        diagnosis: What was seen, and what it comes from.
        fix: What to write instead, in the author's language where it is known.
        evidence: What the plugin sent or logged: lines, the most telling first.
        rule: The rule that it is about, where that is not the one that was tried.
    """

    diagnosis: str
    fix: str
    evidence: tuple[str, ...] = ()
    rule: str = ""


@dataclass(frozen=True, slots=True)
class NotTried:
    """There was nothing to try it on."""

    reason: str


Finding = Failed | NotTried | None
"""None: the rule is kept."""


class Broken(Exception):
    """A rule is broken, as `failed` says."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.diagnosis)
        self.failed = failed


class Untried(Exception):
    """There is nothing to try a rule on; the text says why."""


class Result(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule, tried.

    Attributes:
        rule: Its name.
        title: It, in words.
        group: As of `rule.Group`.
        level: `must` or `should`.
        outcome: `passed`, `failed` or `not tried`.
        diagnosis: Of a failure; why it was not tried.
        fix: Of a failure.
        evidence: Of a failure.
    """

    rule: str
    title: str
    group: str
    level: str
    outcome: str
    diagnosis: str = ""
    fix: str = ""
    evidence: tuple[str, ...] = ()


class Report(Struct, frozen=True, kw_only=True):
    """All rules, tried on one program.

    Attributes:
        command: The program and its arguments.
        level: The one that the verdict goes by.
        passed: The verdict.
        plugin: What it says it is; "" if it never did.
        start_ms: Milliseconds from spawn to the answer of `initialize`; None if none.
        results: In the order of the rules.
    """

    command: tuple[str, ...]
    level: str
    passed: bool
    plugin: str
    start_ms: int | None
    results: tuple[Result, ...]

    def count(self, outcome: str, level: str) -> int:
        """How many rules of a level came out so."""
        return sum(r.outcome == outcome and r.level == level for r in self.results)
