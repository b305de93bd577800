"""What is checked, and with how much patience."""

import math
from dataclasses import dataclass, field, replace
from typing import Any, Self

from hydra_notify.kit.conversation import Json
from hydra_notify.kit.limits import LEAVE, QUICK_START, QUIET
from hydra_notify.kit.sink import filled, mentions
from hydra_notify_sdk.wire import limits


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is checked.

    Attributes:
        command: Program and arguments, paths absolute.
        settings: Its configuration.
        secrets: By name.
        environment: Variables that its configuration sets.
    """

    command: tuple[str, ...]
    settings: Json = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def calls_sink(self) -> bool:
        """Whether `{sink}` stands anywhere in what it is told."""
        return mentions([self.settings, self.secrets, self.environment])

    def calling(self, url: str) -> Self:
        """The same, with `url` in place of `{sink}`."""
        changed: dict[str, Any] = {
            name: filled(getattr(self, name), url)
            for name in ("settings", "secrets", "environment")
        }
        return replace(self, **changed)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long what is waited for, in seconds.

    Attributes:
        start: The answer to `initialize`.
        answer: The answer to anything else but an event.
        event: The answer to an event, at most; less if the plugin says less.
        leave: The exit after the end of stdin.
        term: The exit after SIGTERM.
        quiet: No word about an event.
        quick: From spawn to the answer of `initialize`, at level should.
    """

    start: float = limits.START_TIMEOUT_MS / 1000
    answer: float = limits.PING_TIMEOUT_MS / 1000
    event: float = math.inf
    leave: float = LEAVE
    term: float = limits.TERM_GRACE_MS / 1000
    quiet: float = QUIET
    quick: float = QUICK_START
