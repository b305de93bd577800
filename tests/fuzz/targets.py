"""What must hold whatever bytes come: one function for each parser.

Each takes any bytes, and raises when the parser breaks a promise. The suite feeds them
from hypothesis (`test_targets.py`), `python -m tests.fuzz` from a fuzzer that follows
the branches of the code.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from tests.fuzz.conversation import HELLO, NONCE, Item, converse, plugin_frame

from hydra_notify.config import Config, describe, parse_config
from hydra_notify.errors import ConfigError, PayloadError
from hydra_notify.events import BuildFinished, Event, Notification, parse
from hydra_notify.limits import MAX_BUILD_ID, TAIL_LINES
from hydra_notify.plugin_log import PluginLog
from hydra_notify.session import Ready, Refused, Session
from hydra_notify_sdk.wire import (
    CHANNELS,
    Framer,
    Oversized,
    PluginFrame,
)
from hydra_notify_sdk.wire.limits import LOG_LINE_BYTES, MAX_IN_FLIGHT

LINE: Final = 16
"""Bytes of the longest line in `framer`: short ones are cut and joined more often."""


def framer(data: bytes) -> None:
    """Any chunking gives the lines that the whole has, and no more than one is held.

    The first byte says how long chunks are.
    """
    step = 1 + (data[0] % 40 if data else 0)
    stream = data[1:]
    cutter = Framer(LINE)
    lines: list[bytes | Oversized] = []
    for start in range(0, len(stream), step):
        lines += cutter.feed(stream[start : start + step])
        assert sum(map(len, cutter._parts)) <= LINE
    *whole, rest = stream.split(b"\n")
    assert lines == [_line(line) for line in whole if line not in (b"", b"\r")]
    assert cutter.held == len(rest)
    assert cutter.close() == _line(rest)


def _line(line: bytes) -> bytes | Oversized:
    return line if len(line) <= LINE else Oversized(len(line))


def payload(data: bytes) -> None:
    """Any text is an event or refused; an event announced again is the same.

    The first byte picks the channel.
    """
    channel = CHANNELS[data[0] % len(CHANNELS)] if data else ""
    text = data[1:].decode("utf-8", "replace")
    try:
        event = parse(Notification(channel, text))
    except PayloadError:
        return
    assert event.channel == channel
    _has_possible_ids(event)
    if isinstance(event, BuildFinished):
        assert event.build not in event.dependents
        assert len(set(event.dependents)) == len(event.dependents)
        again = "\t".join(map(str, (event.build, *event.dependents)))
        assert parse(Notification(channel, again)) == event


def _has_possible_ids(event: Event) -> None:
    names = ("build", "evaluation", "jobset", "step")
    ids = [getattr(event, name, None) for name in names]
    ids += getattr(event, "dependents", ())
    assert all(0 <= each <= MAX_BUILD_ID for each in ids if each is not None)


def config(data: bytes) -> None:
    """Any text is a configuration that can be used, or has problems that are told."""
    use_config(data.decode("utf-8", "replace"))


def read_text(text: str) -> Config | ConfigError:
    """The configuration that `text` is, or what is wrong with it."""
    try:
        return parse_config(text, directory=Path("/etc"), environ={})
    except ConfigError as error:
        return error


def use_config(text: str) -> None:
    """Read `text`, and use what comes out in all the ways there are."""
    config = read_text(text)
    if isinstance(config, ConfigError):
        assert config.problems
        assert all(p.key and p.problem and p.fix for p in config.problems)
        return
    assert len(describe(config)) == len(config.plugins)
    for plugin in config.plugins.values():
        msgspec.json.encode(plugin.settings)
        assert plugin.command[0]
        assert not any("\0" in word for word in plugin.command)
        plugin.match.wants_event("build_finished")
        plugin.match.wants_build("nixpkgs:trunk:hello", 1)
        plugin.match.wants_jobset("nixpkgs:trunk")
        for source in plugin.secrets.values():
            assert (source.file is None) != (source.credential is None)


def handshake(data: bytes) -> None:
    """Any answer to `initialize` makes a plugin ready, or refuses it, or is none.

    An even first byte puts the rest into `result`, an odd one into `error`.
    """
    member = b"error" if data and data[0] % 2 else b"result"
    line = plugin_frame(b"i0", member, data[1:])
    session: Session[Item] = Session(HELLO, nonce=NONCE, now=0.0)
    session.open()
    signals = session.receive(line, 1.0)
    answers = [each for each in signals if isinstance(each, Ready | Refused)]
    if _answers_initialize(line):
        assert len(answers) == 1
    # A second line may follow a refusal; a plugin that is ready is asked no more.
    assert all(isinstance(each, Refused) for each in answers[:-1])
    if answers and isinstance(answers[-1], Ready):
        assert 1 <= session.room <= MAX_IN_FLIGHT
    else:
        assert session.room == 0
    assert session.in_flight == 0


def _answers_initialize(line: bytes) -> bool:
    """Whether this is one frame, and a reply to `initialize`."""
    try:
        frame = msgspec.json.decode(line, type=PluginFrame)
    except (ValueError, RecursionError):
        return False
    named = frame.id == f"i0-{NONCE}" and not frame.method
    answered = bool(frame.result) or frame.error is not None
    return named and answered and line.count(b"\n") == 1


def replies(data: bytes) -> None:
    """Whatever a plugin writes, each event it was sent is answered once at most."""
    converse(data)


Target = Callable[[bytes], None]

SECRETS: Final = ("hunter22", 'pa"ss', "line one of a key\nline two of it")


def log(data: bytes) -> None:
    """Any line of stderr is shown without secrets, and no longer than may be."""
    heard = PluginLog(SECRETS, now=0.0)
    for line in data.split(b"\n"):
        shown = heard.stderr(line, 0.0)
        assert shown is not None or heard.dropped
        for text in (*(shown or ()), *heard.tail):
            assert not any(secret in text for secret in SECRETS)
        assert shown is None or len(shown[1]) <= LOG_LINE_BYTES
    assert len(heard.tail) <= TAIL_LINES


TARGETS: Final[dict[str, Target]] = {
    "framer": framer,
    "payload": payload,
    "config": config,
    "handshake": handshake,
    "replies": replies,
    "log": log,
}
