"""The host's session plays the host's part in every golden conversation."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec
import pytest
from hypothesis import given, settings
from tests.transcripts import Frame, Transcript, differences, fill, load
from tests.transcripts.newer import Newer, newer_versions

from hydra_notify.limits import PAUSE_DEFAULT
from hydra_notify.outcomes import DELIVERED, Dead, Delivered, Outcome, Retry
from hydra_notify.session import (
    Answered,
    Broken,
    Logged,
    Malformed,
    Ready,
    Refused,
    Session,
    Signal,
    Stopped,
    Stray,
)
from hydra_notify_sdk.wire import InitializeParams

NONCE = "9f3a7c"
WORDS = "$any"
"""What a transcript leaves open is sent as it stands."""


@dataclass
class Item:
    """A delivery made of what the transcript's host sends."""

    params: Frame
    payload: bytes
    attempt: int
    redelivered: bool
    channel: str
    wire_id: str = ""
    opening: None = None


class Host:
    """A session and its clock, which goes where the transcript needs it."""

    def __init__(self, transcript: Transcript) -> None:
        hello = next(line.frame for line in transcript.lines if line.frame)
        params = msgspec.convert(fill(hello["params"]), InitializeParams)
        self.now = 0.0
        self.session: Session[Item] = Session(params, nonce=NONCE, now=0.0)
        self.signals: list[Signal[Item]] = []

    def say(self, frame: Frame) -> bytes:
        """What the session sends when the transcript's host sends `frame`."""
        match frame["method"]:
            case "initialize":
                return self.session.open()
            case "event":
                params = fill(frame["params"])
                assert isinstance(params, dict)
                item = Item(
                    params,
                    json.dumps(params["event"]).encode(),
                    params["delivery"]["attempt"],
                    params["delivery"]["redelivered"],
                    params["name"],
                )
                assert self.session.room > 0
                return self.session.send([item], self.now)
            case "cancel" | "ping":
                self.now = self.session.deadline
                data, signals = self.session.tick(self.now)
                self.signals += signals
                return data
            case "shutdown":
                return self.session.shutdown("host_stop", 5.0)
            case method:
                raise AssertionError(f"no host sends {method!r}")

    def hear(self, line: bytes) -> None:
        self.signals += self.session.receive(line + b"\n", self.now)


def as_it_stands(frame: Frame) -> list[Frame]:
    return [frame]


def play(
    transcript: Transcript, sent: Callable[[Frame], list[Frame]] = as_it_stands
) -> Host:
    """Play a conversation; every frame of the host is compared on the way.

    Args:
        sent: What the plugin really sends for a frame of the transcript.
    """
    host = Host(transcript)
    for line in transcript.lines:
        match line.sender, line.frame, line.raw:
            case "host", dict(frame), _:
                (actual,) = map(json.loads, host.say(frame).splitlines())
                wrong = list(differences(frame, actual))
                assert not wrong, f"line {line.number}: {wrong}"
            case "plugin", dict(frame), _:
                filled = fill(frame)
                assert isinstance(filled, dict)
                for each in sent(filled):
                    host.hear(json.dumps(each).encode())
            case "plugin", _, str(raw):
                host.hear(raw.encode())
            case _:
                assert line.end or line.exit is not None
    return host


WORKED_NOT = "it did not work"

DEAD = Dead(WORKED_NOT)
RETRY = Retry(WORKED_NOT)
PAUSE = Retry(WORKED_NOT, pause=PAUSE_DEFAULT)
BLOCK = Retry(WORKED_NOT, block=True)

CODES: dict[int, Outcome] = {
    **dict.fromkeys((-32700, -32600, -32601, -32602, -32603), RETRY),
    400: DEAD,
    401: BLOCK,
    403: BLOCK,
    404: DEAD,
    407: BLOCK,
    408: RETRY,
    409: Delivered(note=WORKED_NOT),
    410: DEAD,
    413: DEAD,
    415: DEAD,
    422: DEAD,
    424: RETRY,
    425: RETRY,
    426: RETRY,
    429: PAUSE,
    499: RETRY,
    500: RETRY,
    503: PAUSE,
}
"""What each code means; the reason begins with it."""


def with_code(code: int, outcome: Outcome) -> Outcome:
    """`outcome` as it is told of an error with this code."""
    match outcome:
        case Delivered(skipped, note):
            return Delivered(skipped, f"{code} {note}")
        case _:
            return replace(outcome, reason=f"{code} {outcome.reason}")


OUTCOMES: dict[str, list[Outcome]] = {
    "bad_error_data": [Dead(f"422 {WORKED_NOT}")],
    "bad_manifest": [],
    "cancel": [Retry(f"499 {WORDS}")],
    "careless_results": [DELIVERED] * 3,
    "config_rejected": [],
    "conflict": [Delivered(note=f"409 {WORDS}")],
    "error_without_message": [Retry("500")],
    "every_code": [with_code(*each) for each in CODES.items()],
    "every_event": [DELIVERED] * 10,
    "forbidden": [
        Retry(f"403 {WORKED_NOT}", block=True),
        Retry(f"407 {WORKED_NOT}", block=True),
    ],
    "not_retryable": [Dead(f"500 {WORDS} ({WORDS})")],
    "outage": [Retry(f"503 {WORDS}", pause=PAUSE_DEFAULT)],
    "pause": [Retry(f"429 {WORDS}", after=60.0, pause=60.0)],
    "permanent": [Dead(f"422 {WORDS}")],
    "ping": [],
    "ping_degraded": [],
    "ping_failing": [],
    "ping_unknown": [],
    "progress_while_starting": [],
    "retry": [Retry(f"500 {WORDS}", after=2.0), DELIVERED],
    "retry_at_once": [Retry(f"500 {WORKED_NOT}", after=0.0)],
    "retry_after_a_year": [Retry(f"500 {WORKED_NOT}", after=86_400.0)],
    "retryable": [Retry(f"404 {WORKED_NOT}")],
    "scope_event": [
        Retry(f"429 {WORKED_NOT}", after=5.0),
        Retry(f"401 {WORKED_NOT}"),
    ],
    "scope_plugin": [Retry(f"500 {WORKED_NOT}", after=5.0, pause=5.0)],
    "settings_rejected_one_by_one": [],
    "skipped": [Delivered(skipped=True, note="no github input")],
    "start_later": [],
    "unauthorized": [Retry(f"401 {WORDS} ({WORDS})", block=True)],
    "unauthorized_until": [Retry(f"401 {WORKED_NOT}", after=90.0, block=True)],
    "unknown_code": [Retry(f"599 {WORKED_NOT}")],
    "unknown_words_of_plugin": [Delivered(note="42 before it")],
    "version_not_offered": [],
    "version_refused_by_plugin": [],
    "version_refused_with_those_spoken": [],
    "window_out_of_order": [DELIVERED] * 4,
}
"""What became of the events, where that is not one that was delivered."""

REFUSALS: dict[str, Refused] = {
    "bad_manifest": Refused(
        "its answer to initialize is not a manifest: "
        "Object missing required field `version`",
        final=True,
    ),
    "config_rejected": Refused(
        f"422 settings.url: expected `str`, got `int`; {WORDS}", final=True
    ),
    "settings_rejected_one_by_one": Refused(
        "422 settings; settings.room is required (name a room); "
        "secrets.token has expired",
        final=True,
    ),
    "start_later": Refused(f"424 {WORDS}", final=False),
    "version_not_offered": Refused(
        "it picked protocol version 2, and this host speaks 1: upgrade hydra-notify, "
        "or take an older version of the plugin",
        final=True,
    ),
    "version_refused_by_plugin": Refused(f"426 {WORDS}", final=True),
    "version_refused_with_those_spoken": Refused(
        f"426 {WORDS}; it speaks protocol version 3, 2, and this host 1: upgrade "
        "hydra-notify, or take an older version of the plugin",
        final=True,
    ),
}
"""Conversations that end where they begin, and why."""

SIGNALS: dict[str, list[type]] = {
    "bad_progress": [Ready, Malformed, Malformed, Stopped],
    "careless_results": [Ready, Logged, Logged, Logged, Stopped],
    "glued": [Stray, Ready, Stray, Stopped],
    "log": [Ready, Logged, Stopped],
    "long_line_of_plugin": [Ready, Malformed, Stopped],
    "malformed": [Ready, Malformed, Malformed, Malformed, Malformed, Stopped],
    "ping_failing": [Ready, Broken, Stopped],
    "progress_of_nothing": [Ready, Logged, Stopped],
    "request_of_plugin": [Ready, Malformed, Stopped],
    "stray_line": [Stray, Ready, Stray, Stray, Stopped],
    "unknown_words_of_plugin": [Ready, Logged, Logged, Stopped],
}
"""What the session says besides, where it is more than the beginning and the end."""


@pytest.mark.parametrize("transcript", load("host"), ids=lambda t: t.name)
def test_the_session_plays_its_part(transcript: Transcript) -> None:
    host = play(transcript)
    answers = [s.outcome for s in host.signals if isinstance(s, Answered)]
    assert answers == OUTCOMES.get(transcript.name, [DELIVERED])
    assert host.session.in_flight == 0
    others = [s for s in host.signals if not isinstance(s, Answered)]
    if transcript.name in REFUSALS:
        assert others == [REFUSALS[transcript.name]]
    else:
        expected = SIGNALS.get(transcript.name, [Ready, Stopped])
        assert [type(signal) for signal in others] == expected


def test_every_expectation_is_about_a_conversation() -> None:
    names = {transcript.name for transcript in load("host")}
    assert {*OUTCOMES, *REFUSALS, *SIGNALS} <= names


def test_a_log_comes_with_its_level_its_fields_and_its_event() -> None:
    (transcript,) = (t for t in load("host") if t.name == "log")
    (logged,) = (s for s in play(transcript).signals if isinstance(s, Logged))
    assert isinstance(logged.about, Item)
    assert logged.about.channel == "build_finished"
    assert logged == Logged("warning", "quota low", {"left": 12}, logged.about)


def test_answers_in_another_order_settle_what_they_name() -> None:
    (transcript,) = (t for t in load("host") if t.name == "window_out_of_order")
    host = play(transcript)
    subjects = [
        json.loads(signal.delivery.payload)["subject"]
        for signal in host.signals
        if isinstance(signal, Answered)
    ]
    assert subjects == [f"build/{n}" for n in (4713, 4711, 4714, 4712)]


@pytest.mark.parametrize("transcript", load("host"), ids=lambda t: t.name)
@settings(max_examples=5, deadline=None)
@given(newer=newer_versions)
def test_what_a_newer_plugin_adds_changes_nothing(
    transcript: Transcript, newer: Newer
) -> None:
    grown = play(transcript, lambda frame: [*newer.told(), newer.grown(frame)])
    assert said(grown) == said(play(transcript))


def said(host: Host) -> list[object]:
    """The signals, without what is told apart by the very bytes that came."""
    return [
        (signal.delivery.params, signal.outcome)
        if isinstance(signal, Answered)
        else signal.reason
        if isinstance(signal, Malformed)
        else signal
        for signal in host.signals
    ]
