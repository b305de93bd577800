"""What holds whatever bytes come, tried with those that are nearly right.

`make fuzz TARGET=replies SECONDS=60` looks for others, along the branches of the code.
"""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.fuzz import targets
from tests.fuzz.conversation import Item, converse, plugin_frame
from tests.fuzz.strategies import (
    as_json,
    json_values,
    json_words,
    manifests,
    payloads,
)

from hydra_notify.session import (
    Answered,
    Broken,
    Logged,
    Malformed,
    Ready,
    Refused,
    Stopped,
    Stray,
)
from hydra_notify.session.window import Window

TARGETS = targets.TARGETS


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@given(data=st.binary(max_size=2_000))
def test_any_bytes_keep_every_promise(target: targets.Target, data: bytes) -> None:
    target(data)


@given(st.integers(0, 255), st.lists(st.binary(max_size=40)))
def test_lines_of_any_length_in_any_chunks_are_the_same_lines(
    step: int, lines: list[bytes]
) -> None:
    targets.framer(bytes([step]) + b"\n".join(lines))


@given(payloads)
def test_payloads_that_are_nearly_right_are_events_or_refused(data: bytes) -> None:
    targets.payload(data)


@given(st.booleans(), json_values | manifests)
@example(False, {"protocol_version": 10**400})
@example(True, {"code": 422, "data": {"errors": [{"path": "\ud800"}]}})
def test_any_json_answers_initialize_or_is_refused(error: bool, value: object) -> None:
    targets.handshake(bytes([error]) + as_json(value))


RECORDS = st.fixed_dictionaries(
    {"level": json_words},
    optional={
        "message": st.sampled_from(targets.SECRETS) | json_words,
        "msg": st.sampled_from(targets.SECRETS) | json_values,
    },
)


@given(RECORDS, st.sampled_from(["", "<3>", "ERROR: ", "x" * 16_380]))
def test_secrets_in_records_are_masked(record: dict[str, object], start: str) -> None:
    targets.log(start.encode() + as_json(record))


STORIES = st.lists(
    st.one_of(
        st.tuples(st.just(0), st.integers(0, 7)),
        st.tuples(st.just(2), st.integers(0, 12), st.integers(0, 247)),
        st.tuples(st.just(3), st.integers(0, 7), st.integers(0, 247)),
        st.tuples(st.just(4), st.integers(0, 255)),
        st.tuples(st.just(6), st.integers(0, 12)),
        st.tuples(st.just(7), st.integers(0, 3), st.integers(0, 10)),
    ).map(bytes)
    | st.builds(
        lambda text: bytes([5, len(text)]) + text,
        st.binary(max_size=20)
        | json_values.map(as_json).map(lambda text: text[:254] + b"\n"),
    ),
    max_size=40,
)


@given(st.integers(0, 255), STORIES)
def test_each_event_is_answered_once_at_most_in_any_story(
    window: int, acts: list[bytes]
) -> None:
    targets.replies(bytes([window]) + b"".join(acts))


WINDOW_OF_TWO = b"\x05"
SEND = b"\x00\x00"
ANSWER = b"\x02\x01\x00"
LATER = b"\x04\xff"
NOISE = b"\x05\x02x\n"
SHUT_DOWN = b"\x07\x00"


@pytest.mark.parametrize(
    ("story", "signals"),
    [
        (b"\x00\x03\x00\xff\x02{}", {Refused}),
        (WINDOW_OF_TWO, {Ready}),
        (WINDOW_OF_TWO + SEND + ANSWER, {Ready, Answered}),
        (WINDOW_OF_TWO + SEND + LATER, {Ready}),
        (WINDOW_OF_TWO + SEND + LATER + LATER, {Ready, Answered, Broken}),
        (WINDOW_OF_TWO + SEND + LATER + LATER + ANSWER, {Logged}),
        (WINDOW_OF_TWO + NOISE, {Stray}),
        (WINDOW_OF_TWO + ANSWER, {Malformed}),
        (WINDOW_OF_TWO + SEND + SHUT_DOWN + ANSWER, {Ready, Answered}),
        (WINDOW_OF_TWO + SHUT_DOWN + b"\x03\x01\x00", {Stopped}),
    ],
)
def test_stories_can_tell_everything_that_a_session_signals(
    story: bytes, signals: set[type]
) -> None:
    assert converse(story).seen >= signals


def test_a_session_that_settled_twice_would_be_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(window: Window[Item], name: str) -> Item | None:
        sent = window._sent.get(name)
        return None if sent is None else sent[0]

    def answer_all(window: Window[Item], names: list[str]) -> list[Item]:
        found = [answer(window, name) for name in names]
        return [each for each in found if each is not None]

    monkeypatch.setattr(Window, "answer", answer)
    monkeypatch.setattr(Window, "answer_all", answer_all)
    with pytest.raises(AssertionError):
        targets.replies(WINDOW_OF_TWO + SEND + ANSWER)
    with pytest.raises(KeyError):
        converse(WINDOW_OF_TWO + SEND).hear(2 * plugin_frame(b"e1", b"result", b"{}"))
