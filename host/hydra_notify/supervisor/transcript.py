"""A conversation on paper: a JSON object a line, as in `tests/transcripts`.

    {"from": "host", "t": 0, "frame": {...}}      a frame from host to plugin
    {"from": "plugin", "t": 81, "frame": {...}}   a frame from plugin to host
    {"from": "plugin", "t": 90, "raw": "..."}     a line that is no frame
    {"from": "host", "t": 95, "end": true}        the host closed the plugin's stdin
    {"from": "plugin", "t": 99, "exit": 0}        the plugin ended with this status
    {"from": "comment", "t": 99, "text": "..."}   what else there is to know

`t` is in milliseconds. Secrets are replaced by `***`, wherever in a frame they stand
and however they are escaped there. Lines are ASCII: what others take for a line break,
such as U+2028, is in them only as an escape.
"""

import json
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from hydra_notify.plugin_log import mask_within
from hydra_notify_sdk.wire import Oversized

Sender = Literal["host", "plugin", "comment"]

Mask = Callable[[str], str]

STEP_BYTES: Final = 256
"""That a step takes besides its line."""


class Step:
    """One line of a conversation, written down only when somebody reads it.

    All who read it share what was written. It holds the line as it came till then: to
    mask one costs more than to pass it on.

    Args:
        at: When it came to pass (trio's clock).
        sender: Whose line it is.
        body: The members besides `from` and `t`, as JSON without braces.

    Attributes:
        at: As above.
        size: Bytes it takes, about.
    """

    def __init__(self, at: float, sender: Sender, body: bytes) -> None:
        self.at = at
        self.size = len(body) + STEP_BYTES
        self._sender = sender
        self._body = body
        self._mask: Mask | None = None

    @classmethod
    def line(
        cls, at: float, sender: Sender, line: bytes | Oversized, mask: Mask
    ) -> "Step":
        """A line of the wire, without its newline.

        Args:
            at: When it came to pass.
            sender: Who wrote it.
            line: As the framer gives it.
            mask: Takes secrets out of a text.
        """
        if isinstance(line, Oversized):
            return cls.comment(at, f"a line of {line.length} bytes is not shown")
        step = cls(at, sender, line)
        step._mask = mask
        return step

    @classmethod
    def comment(cls, at: float, text: str) -> "Step":
        """Something for people; it must hold no secret."""
        return cls(at, "comment", b'"text":' + _text(text))

    def written(self, since: float) -> bytes:
        """The line of the transcript, newline included.

        Args:
            since: When its clock began (trio's clock).
        """
        if self._mask is not None:
            self._body = _shown(self._body, self._mask)
            self._mask = None
        elapsed = max(0, round((self.at - since) * 1000))
        head = b'{"from":"%s","t":%d,' % (self._sender.encode(), elapsed)
        return head + self._body + b"}\n"


def _shown(line: bytes, mask: Mask) -> bytes:
    try:
        frame = msgspec.json.decode(line)
        if isinstance(frame, dict):
            # Never the line itself: of a member that is there twice we saw only one.
            shown = _compact(frame)
            # To look into its parts costs several times as much as to look at it: a
            # secret is found there, too, escaped once more than in its part.
            if mask(shown) != shown:
                shown = _compact(mask_within(frame, mask))
            return b'"frame":' + shown.encode()
    except (ValueError, RecursionError):
        # No frame at all, or none that anybody should look into.
        pass
    return b'"raw":' + _text(mask(line.decode("utf-8", "replace")))


def _compact(value: object) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _text(text: str) -> bytes:
    return json.dumps(text).encode()
