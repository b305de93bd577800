"""A rule of the protocol, as it is tried."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from hydra_notify.kit.check.bench import Bench
from hydra_notify.kit.check.report import Finding, Level

Group = Literal["start", "frames", "events", "work", "service", "end", "always"]
"""What it is about; those of `always` look at every conversation that was had."""

Attempt = Callable[[Bench], Awaitable[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        name: Stable: reports and tests go by it.
        title: What a plugin does that keeps it, after "it".
        attempt: Tries it.
    """

    group: Group
    level: Level
    name: str
    title: str
    attempt: Attempt


def must(group: Group) -> Callable[[Attempt], Rule]:
    """Makes the decorated attempt a rule: its name and its docstring name it."""
    return lambda attempt: _rule(group, Level.MUST, attempt)


def should(group: Group) -> Callable[[Attempt], Rule]:
    """The same for a rule that a plugin can break and still work."""
    return lambda attempt: _rule(group, Level.SHOULD, attempt)


def _rule(group: Group, level: Level, attempt: Attempt) -> Rule:
    title = (attempt.__doc__ or "").rstrip(".")
    name = attempt.__name__.replace("_", "-")
    return Rule(group, level, name, title[:1].lower() + title[1:], attempt)
