"""What a session tells its owner."""

from typing import Generic, Protocol, TypeVar

import msgspec
from msgspec import Struct

from hydra_notify.frames import Opening
from hydra_notify.outcomes import Outcome
from hydra_notify_sdk.wire import InitializeResult


class Sendable(Protocol):
    """What a session needs of a delivery: the frame is made of it.

    Attributes:
        payload: The event, in JSON.
        opening: How its frame begins, if that is the same for every plugin; else it
            is made from the other members, with an id of the session's own.
    """

    attempt: int
    redelivered: bool
    payload: bytes
    wire_id: str
    """The id of its latest sending, which the session sets."""

    @property
    def opening(self) -> Opening | None: ...

    @property
    def channel(self) -> str: ...


D = TypeVar("D", bound=Sendable)


class Ready(Struct, frozen=True):
    """The plugin has said what it wants; it can be sent events."""

    manifest: InitializeResult


class Refused(Struct, frozen=True):
    """The plugin cannot start.

    Attributes:
        reason: What it said, with its own help.
        final: Whether starting it again is useless until something is mended.
    """

    reason: str
    final: bool


class Answered(Struct, Generic[D], frozen=True, gc=False):
    """A delivery is no longer in flight."""

    delivery: D
    outcome: Outcome


class Late(Struct, Generic[D], frozen=True):
    """The answer to a delivery that was `Answered` already, by its deadline."""

    delivery: D
    outcome: Outcome


class Logged(Struct, Generic[D], frozen=True):
    """The plugin's words for the log, by a notification or about its answers.

    Attributes:
        about: The delivery that they belong to, if they belong to one.
    """

    level: str
    message: str
    fields: dict[str, object] = msgspec.field(default_factory=dict)
    about: D | None = None


class Stray(Struct, frozen=True):
    """Text on stdout that is no frame."""

    text: str


class Malformed(Struct, frozen=True):
    """A frame that could not be understood, or that answers nothing.

    Attributes:
        reason: What is wrong with it, for the author.
        text: Its beginning.
    """

    reason: str
    text: str


class Broken(Struct, frozen=True):
    """The process has to be ended.

    Attributes:
        cause: One word for counting: `hang` or `protocol`.
        reason: For the log.
    """

    cause: str
    reason: str


class Stopped(Struct, frozen=True):
    """The plugin has answered `shutdown`."""


Signal = (
    Ready
    | Refused
    | Answered[D]
    | Late[D]
    | Logged[D]
    | Stray
    | Malformed
    | Broken
    | Stopped
)
