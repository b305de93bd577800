"""What there is to see of a plugin's life, beside the signals of its session."""

from collections.abc import Callable
from dataclasses import dataclass

from hydra_notify.kit.play.sample_event import Sending
from hydra_notify.session import Signal
from hydra_notify_sdk.wire import Oversized


@dataclass(frozen=True, slots=True)
class Wrote:
    """A frame went to the plugin."""

    line: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """A line came from the plugin's stdout; signals follow, if it means anything."""

    line: bytes | Oversized


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Its stdout has ended within a line, which counts as nothing."""

    line: bytes | Oversized


@dataclass(frozen=True, slots=True)
class Quiet:
    """Everything that was asked is answered."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line came from the plugin's stderr."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The process has ended; `asked` if it was to."""

    status: int
    asked: bool


Happening = Wrote | Read | Unfinished | Quiet | Said | Ended | Signal[Sending]
Tell = Callable[[Happening], None]
