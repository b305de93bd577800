"""The host's session plays the host's part in every golden conversation."""

import json
from dataclasses import dataclass

import msgspec
import pytest
from tests.transcripts import Frame, Transcript, differences, fill, load

from hydra_notify.outcomes import DELIVERED, Dead, Delivered, Outcome, Retry
from hydra_notify.session import (
    Answered,
    Logged,
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


@dataclass(eq=False)
class Item:
    """A delivery made of what the transcript's host sends."""

    params: Frame
    payload: bytes
    attempt: int
    redelivered: bool
    channel: str


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


def play(transcript: Transcript) -> Host:
    """Play a conversation; every frame of the host is compared on the way."""
    host = Host(transcript)
    for line in transcript.lines:
        match line.sender, line.frame, line.raw:
            case "host", dict(frame), _:
                (actual,) = map(json.loads, host.say(frame).splitlines())
                wrong = list(differences(frame, actual))
                assert not wrong, f"line {line.number}: {wrong}"
            case "plugin", dict(frame), _:
                host.hear(json.dumps(fill(frame)).encode())
            case "plugin", _, str(raw):
                host.hear(raw.encode())
            case _:
                assert line.end or line.exit is not None
    return host


OUTCOMES: dict[str, list[Outcome]] = {
    "cancel": [Retry(f"499 {WORDS}")],
    "config_rejected": [],
    "every_event": [DELIVERED] * 10,
    "not_retryable": [Dead(f"500 {WORDS} ({WORDS})")],
    "pause": [Retry(f"429 {WORDS}", after=60.0, pause=60.0)],
    "permanent": [Dead(f"422 {WORDS}")],
    "ping": [],
    "ping_unknown": [],
    "progress_while_starting": [],
    "retry": [Retry(f"500 {WORDS}", after=2.0), DELIVERED],
    "skipped": [Delivered(skipped=True, note="no github input")],
    "unauthorized": [Retry(f"401 {WORDS} ({WORDS})", block=True)],
    "version_refused_by_plugin": [],
    "window_out_of_order": [DELIVERED] * 4,
}
"""What became of the events, where that is not one that was delivered."""


@pytest.mark.parametrize("transcript", load("host"), ids=lambda t: t.name)
def test_the_session_plays_its_part(transcript: Transcript) -> None:
    host = play(transcript)
    answers = [s.outcome for s in host.signals if isinstance(s, Answered)]
    assert answers == OUTCOMES.get(transcript.name, [DELIVERED])
    assert host.session.in_flight == 0
    others = [s for s in host.signals if not isinstance(s, Answered)]
    match transcript.name:
        case "config_rejected" | "version_refused_by_plugin":
            (refused,) = others
            assert isinstance(refused, Refused)
            assert refused.final
        case "stray_line":
            kinds = [type(signal) for signal in others]
            assert kinds == [Stray, Ready, Stray, Stray, Stopped]
        case "log":
            assert Logged("warning", "quota low", {"left": 12}) in others
        case _:
            assert [type(signal) for signal in others] == [Ready, Stopped]


def test_answers_in_another_order_settle_what_they_name() -> None:
    (transcript,) = (t for t in load("host") if t.name == "window_out_of_order")
    host = play(transcript)
    subjects = [
        json.loads(signal.delivery.payload)["subject"]
        for signal in host.signals
        if isinstance(signal, Answered)
    ]
    assert subjects == [f"build/{n}" for n in (4713, 4711, 4714, 4712)]
