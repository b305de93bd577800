"""An answer of a plugin of today beside the one of a recording."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, cast

from hydra_notify.kit.replay.transcript import Frame, Step, differences

Verdict = Literal["same", "words", "different", "open"]

WORDS: Final = (
    "error.message",
    "error.data.help",
    "error.data.url",
    "result.note",
    "result.version",
)
"""Members of a reply that nobody but people reads."""


@dataclass(frozen=True, slots=True)
class Compared:
    """An answer of today beside the one of the recording.

    Attributes:
        number: The line of the answer; of the request, where there was no answer; 0
            for none.
        what: What was answered, such as `event build_finished`.
        verdict: `same`; other `words` alone; `different`; `open`: not answered in the
            recording either.
        where: The members that differ, or why there is nothing to compare.
        recorded: The recording's answer, where they differ.
        now: Today's.
    """

    number: int
    what: str
    verdict: Verdict
    where: str = ""
    recorded: str = ""
    now: str = ""


def compare(step: Step, what: str, reply: Frame) -> Compared:
    """How `reply` differs from the one in `step`, which answered `what`."""
    recorded, now = _answer(cast(Frame, step.frame), what), _answer(reply, what)
    where = list(differences(recorded, now))
    verdict: Verdict = "same"
    if where:
        verdict = "words" if set(where) <= set(WORDS) else "different"
    members = ", ".join(where)
    return Compared(
        step.number, what, verdict, members, compact(recorded), compact(now)
    )


def unanswered(step: Step, what: str) -> Compared:
    """There is no reply beside the one in `step`, which answered `what`."""
    recorded = _answer(cast(Frame, step.frame), what)
    where = "no answer: the plugin has ended, or hangs"
    return Compared(step.number, what, "different", where, compact(recorded))


def _answer(frame: Frame, what: str) -> Frame:
    """What of a reply is compared: not its id, nor how success is spelt."""
    answer = {name: part for name, part in frame.items() if name in ("result", "error")}
    if what.startswith("event ") and "result" in answer:
        result = answer["result"]
        if result is None or isinstance(result, dict):
            answer["result"] = {"status": "delivered", **cast(Frame, result or {})}
    return answer


def compact(value: object) -> str:
    """JSON as it is sent."""
    return json.dumps(value, separators=(",", ":"))


def masked_parts(value: object, mask: Callable[[str], str]) -> object:
    """`value` with `mask` put over every text in it."""
    match value:
        case str():
            return mask(value)
        case dict():
            members = cast(Frame, value)
            return {name: masked_parts(part, mask) for name, part in members.items()}
        case list():
            return [masked_parts(part, mask) for part in cast(list[object], value)]
        case _:
            return value
