"""Lines that an author types while a plugin runs, and what they ask for."""

import errno
import os
import shlex
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final, Literal

import trio

from hydra_notify.config.wording import did_you_mean, quoted
from hydra_notify.errors import HydraNotifyError
from hydra_notify.limits import READ_CHUNK
from hydra_notify_sdk.wire import CHANNELS, Framer, Oversized

Verb = Literal["send", "again", "ping", "restart", "quit", "help"]

_VERBS: Final[dict[str, Verb]] = {
    "again": "again",
    "ping": "ping",
    "restart": "restart",
    "reload": "restart",
    "quit": "quit",
    "exit": "quit",
    "help": "help",
    "?": "help",
}

HELP: Final = f"""\
  EVENT [PATH=VALUE]...  send a sample event, a new one each time, for example
                           build_finished buildStatus=0 jobsetInfo.name=staging
                           build_finished buildStatus=timed_out build=4800
  again                  send the last event once more, as the host would
  ping                   ask for a sign of life now
  restart                end the plugin and start it again
  quit                   end it: also the end of input, and Ctrl-C (twice: kill it)
Events: {", ".join(CHANNELS[:5])},
        {", ".join(CHANNELS[5:])}"""


class TypingError(HydraNotifyError):
    """A line asks for nothing there is; the message says what was probably meant."""


@dataclass(frozen=True, slots=True)
class Command:
    """What a line asks for; an event's name and edits where it sends one."""

    verb: Verb
    event: str = ""
    edits: tuple[str, ...] = ()


def command_in(line: str) -> Command | None:
    """What a line asks for; None if it is empty or a comment.

    Raises:
        TypingError: It asks for nothing there is.
    """
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        raise TypingError(f"{quoted(line)}: {error}; close the quotes") from error
    if not words:
        return None
    first, *rest = words
    if first in CHANNELS:
        return Command("send", first, tuple(rest))
    verb = _VERBS.get(first)
    if verb is None:
        known = [*CHANNELS, *_VERBS]
        fix = did_you_mean(first, known)
        if not fix.startswith("did you mean"):
            fix = "type help to see what there is"
        raise TypingError(f"{quoted(first)} is neither an event nor a command; {fix}")
    if rest:
        raise TypingError(f"{first} stands alone; {quoted(' '.join(rest))} is too much")
    return Command(verb)


async def lines(descriptor: int) -> AsyncGenerator[str]:
    """The lines of a terminal, a pipe or a file, until its end."""
    framer = Framer()
    while chunk := await _some(descriptor):
        for line in framer.feed(chunk):
            yield _text(line)
    if rest := framer.close():
        yield _text(rest)


def _text(line: bytes | Oversized) -> str:
    if isinstance(line, Oversized):
        return f"(a line of {line.length} bytes)"
    return line.decode("utf-8", "replace")


async def _some(descriptor: int) -> bytes:
    """Without changing the mode of a terminal that others use too."""
    try:
        await trio.lowlevel.wait_readable(descriptor)
    except OSError as error:
        # Files, and /dev/null, cannot be waited for: they are always readable.
        if error.errno != errno.EPERM:
            return b""
    try:
        return os.read(descriptor, READ_CHUNK)
    except OSError:
        # A terminal that has gone is an end too.
        return b""
