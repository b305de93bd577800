"""What happens between host and plugin, on the terminal or in plain lines.

→  a frame to the plugin       ←  a frame from it
│  a line of its stderr        =  what the host makes of an answer
!  trouble                     ·  a word of the kit's own
"""

import json
from collections.abc import Collection
from typing import Final, cast

import trio

from hydra_notify.kit.play.happenings import (
    Ended,
    Happening,
    Read,
    Said,
    Unfinished,
    Wrote,
)
from hydra_notify.kit.play.sample_event import Sending
from hydra_notify.kit.play.screen import Screen
from hydra_notify.kit.play.words import Tone, end_words, manifest_words, outcome_words
from hydra_notify.plugin_log import STRAY_HINT, classify
from hydra_notify.session import (
    Answered,
    Broken,
    Late,
    Logged,
    Malformed,
    Ready,
    Refused,
    Stopped,
    Stray,
)
from hydra_notify_sdk.wire import Oversized

Frame = dict[str, object]

_TONES: Final[dict[Tone, str]] = {
    "good": "bold green",
    "middling": "bold yellow",
    "bad": "bold red",
}
_LEVELS: Final = {
    "debug": "dim",
    "warning": "yellow",
    "error": "red",
    "critical": "bold red",
}
_NO_ANSWER: Final = (
    "is each frame one line, ended by a newline and flushed at once "
    "(flush=True, $|=1, jq --unbuffered)?"
)


class Show:
    """Tells whatever happens.

    Args:
        screen: Where to.
        methods: Frames of these and their answers are shown; None: all.
    """

    def __init__(
        self, screen: Screen, *, methods: Collection[str] | None = None
    ) -> None:
        self.screen = screen
        self._methods = methods
        self._asked: dict[object, tuple[str, float]] = {}
        self._logged = False
        self._strays = 0

    def restart(self) -> None:
        """The times begin again: another process has started."""
        self.screen.restart()
        self._asked.clear()
        self._strays = 0

    def __call__(self, happening: Happening) -> None:
        """Tell one thing."""
        match happening:
            case Wrote(line):
                self._wrote(line)
            case Read(line):
                self._read(line)
            case Unfinished(line):
                size = line.length if isinstance(line, Oversized) else len(line)
                words = f"its last {size} bytes were no line: end each frame with \\n"
                self.screen.line("!", words, "red")
            case Said(text):
                level, words = classify(text)
                self.screen.line("│", f"{level}: {words}", _LEVELS.get(level, ""))
            case Ended(status, asked):
                words, tone = end_words(status, asked=asked)
                self.verdict(words, tone)
            case _:
                self._signal(happening)

    def note(self, words: str) -> None:
        """A word of the kit's own."""
        self.screen.line("·", words, "cyan")

    def trouble(self, words: str) -> None:
        """Something the author has to mend."""
        self.screen.line("!", words, "red")

    def verdict(self, words: str, tone: Tone) -> None:
        """What the host makes of something."""
        self.screen.line("=", words, _TONES[tone])

    def reply(self, line: bytes) -> None:
        """The reply to an event that another program has sent."""
        self.screen.frame("←", "answer to event", _decoded(line), line, "green")

    def _signal(self, signal: object) -> None:
        match signal:
            case Ready(manifest):
                self.verdict(manifest_words(manifest), "good")
            case Refused(reason, final):
                then = "until its configuration changes" if final else "for now"
                self.verdict(f"refused, it is not started {then}: {reason}", "bad")
            case Answered(delivery, outcome):
                assert isinstance(delivery, Sending)
                self.verdict(*outcome_words(outcome))
            case Late(_, outcome):
                words, tone = outcome_words(outcome)
                self.verdict(f"late, it counts if it is a success: {words}", tone)
            case Logged(level, message):
                # Of a `log` notification the frame was shown.
                if not self._logged:
                    self.screen.line("!", message, _LEVELS.get(level, ""))
            case Stray():
                self._strays += 1
                hint = f" ({STRAY_HINT})" if self._strays == 1 else ""
                self.screen.line("!", f"printed on stdout, no frame{hint}", "yellow")
            case Malformed(reason, _):
                self.trouble(f"bad frame: {reason}")
            case Broken(cause, reason):
                hint = f"; {_NO_ANSWER}" if cause == "hang" else ""
                self.verdict(f"the host ends it ({cause}): {reason}{hint}", "bad")
            case Stopped() | _:
                pass

    def _wrote(self, line: bytes) -> None:
        frame = _decoded(line)
        method = str(frame.get("method", ""))
        name = frame.get("id")
        if name is not None:
            self._asked[name] = (method, trio.current_time())
        if self._hides(method):
            return
        what = method
        params = frame.get("params")
        if method == "event" and isinstance(params, dict):
            what += f" {params.get('name')}"
        self.screen.frame("→", _titled(what, name), params, line, "cyan")

    def _read(self, line: bytes | Oversized) -> None:
        self._logged = False
        if isinstance(line, Oversized):
            self.screen.line("←", f"a line of {line.length:,} bytes", "red")
            return
        frame = _decoded(line)
        name, method = frame.get("id"), frame.get("method")
        if not frame:
            # Signals say what is wrong with it.
            self.screen.line("←", line[:4096].decode("utf-8", "replace"), "yellow")
        elif isinstance(method, str):
            self._logged = method == "log"
            self.screen.frame(
                "←", _titled(method, name), frame.get("params"), line, "blue"
            )
        else:
            known = self._asked.get(name) if isinstance(name, str) else None
            to, at = known or ("nothing that was asked", None)
            if known and self._hides(to):
                return
            failed = "error" in frame
            what = _titled(f"{'error' if failed else 'result'} of {to}", name)
            if at is not None:
                what += f"  after {1000 * (trio.current_time() - at):.0f} ms"
            part = frame["error"] if failed else frame.get("result")
            self.screen.frame("←", what, part, line, "red" if failed else "green")

    def _hides(self, method: str) -> bool:
        return self._methods is not None and method not in self._methods


def _titled(what: str, name: object) -> str:
    return what if name is None else f"{what}  {name}"


def _decoded(line: bytes) -> Frame:
    """A line as a frame; an empty one if it is none."""
    try:
        frame: object = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return cast(Frame, frame) if isinstance(frame, dict) else {}
