"""The host's half of the protocol, in memory: bytes in, bytes and signals out."""

import json
from dataclasses import dataclass

import pytest

from hydra_notify.frames import Opening, opening
from hydra_notify.outcomes import DELIVERED, Dead, Delivered, Retry
from hydra_notify.session import (
    Answered,
    Broken,
    Late,
    Logged,
    Malformed,
    Ready,
    Refused,
    Session,
    Signal,
    Stopped,
    Stray,
)
from hydra_notify_sdk.wire import HostInfo, InitializeParams

HELLO = InitializeParams(
    protocol_versions=[1], host=HostInfo(name="test", version="1"), instance="p"
)


@dataclass(eq=False)
class Item:
    """A delivery as a session sees it."""

    payload: bytes = b'{"id":"x"}'
    attempt: int = 1
    redelivered: bool = False
    channel: str = "build_finished"
    wire_id: str = ""
    opening: Opening | None = None


def line(**members: object) -> bytes:
    return json.dumps(members).encode() + b"\n"


def reply(name: str, result: object = None) -> bytes:
    return line(jsonrpc="2.0", id=name, result={} if result is None else result)


def manifest(**members: object) -> dict[str, object]:
    return {
        "protocol_version": 1,
        "name": "t",
        "version": "1",
        "events": ["*"],
        **members,
    }


def session(**options: float) -> Session[Item]:
    return Session(HELLO, nonce="n", now=0.0, **options)  # type: ignore[arg-type]


def ready(window: int = 1, **members: object) -> Session[Item]:
    s = session()
    s.open()
    (signal,) = s.receive(
        reply("i0-n", manifest(max_in_flight=window, **members)), now=0.0
    )
    assert isinstance(signal, Ready)
    return s


def frames(data: bytes) -> list[dict[str, object]]:
    return [json.loads(text) for text in data.splitlines()]


def only(signals: list[Signal[Item]]) -> Signal[Item]:
    (signal,) = signals
    return signal


def test_the_first_frame_is_initialize() -> None:
    (frame,) = frames(session().open())
    assert (frame["jsonrpc"], frame["id"], frame["method"]) == (
        "2.0",
        "i0-n",
        "initialize",
    )


def test_nothing_is_sent_before_the_plugin_is_ready() -> None:
    assert session().room == 0


def test_an_event_is_put_together_around_its_payload() -> None:
    s = ready(timeout_ms=5000)
    item = Item(payload=b'{"id":"e"}', attempt=3, redelivered=True)
    (frame,) = frames(s.send([item], now=0.0))
    assert frame == {
        "jsonrpc": "2.0",
        "id": "e1-n",
        "method": "event",
        "params": {
            "name": "build_finished",
            "delivery": {"attempt": 3, "redelivered": True, "timeout_ms": 5000},
            "event": {"id": "e"},
        },
    }


def test_what_is_made_for_all_plugins_is_sent_as_it_is() -> None:
    s = ready(window=2, timeout_ms=5000)
    shared = opening("e7-host", "build_finished", 1, redelivered=False)
    first, second = Item(opening=shared), Item()
    frame, own = frames(s.send([first, second], now=0.0))
    assert (frame["id"], own["id"]) == ("e7-host", "e1-n")
    assert {**frame, "id": "e1-n"} == own
    assert s.acknowledged(reply("e7-host"), 1.0) == [first]


SUCCESS = reply("e1-n")
COMPACT = b'{"jsonrpc":"2.0","id":"e2-n","result":{}}\n'


@pytest.mark.parametrize(
    ("chunk", "builds"),
    [
        (SUCCESS, [1]),
        (COMPACT + COMPACT.replace(b"e2", b"e1"), [2, 1]),
        (SUCCESS.replace(b"e1", b"e2") + SUCCESS, [2, 1]),
        # Not all of it, not whole lines, or not that alone: `receive` looks at it.
        (b"", []),
        (SUCCESS + COMPACT[:-1], []),
        (COMPACT[:-1] + SUCCESS, []),
        (COMPACT + SUCCESS, []),
        (COMPACT + COMPACT, []),
        (b'{"jsonrpc":"2.0","id":","result":{}}\n', []),
        (COMPACT + line(method="log") + COMPACT.replace(b"e2", b"e1"), []),
        (COMPACT + b"\n", []),
        (b"ready" + COMPACT, []),
        (reply("e3-n") + COMPACT, []),
        (COMPACT + reply("e3-n"), []),
        (reply("e1-n", {"status": "skipped"}) + COMPACT, []),
        (line(method="log", params={"message": "m"}) + COMPACT, []),
        (COMPACT.replace(b"e2", b"\xe92"), []),
    ],
)
def test_plain_successes_are_taken_as_one(chunk: bytes, builds: list[int]) -> None:
    s, same = ready(window=4), ready(window=4)
    items = [Item(), Item()]
    s.send(items, now=0.0)
    same.send(items, now=0.0)
    done = s.acknowledged(chunk, 1.0)
    assert [items.index(each) + 1 for each in done] == builds
    if done:
        made_of_it = same.receive(chunk, 1.0)
        assert made_of_it == [Answered(each, DELIVERED) for each in done]
    assert (s.room, s.in_flight) == (2 + len(done), 2 - len(done))
    if done:
        assert (s.room, s.in_flight, s.deadline) == (
            same.room,
            same.in_flight,
            same.deadline,
        )


def test_what_completes_a_line_is_not_taken_for_a_success_of_its_own() -> None:
    s = ready()
    s.send([Item()], now=0.0)
    assert s.receive(b"progress: 10%", 1.0) == []
    assert s.acknowledged(SUCCESS, 1.0) == []
    assert isinstance(s.receive(SUCCESS, 1.0)[0], Stray)


def test_answers_come_in_any_order_and_free_the_window() -> None:
    s = ready(window=2)
    first, second = Item(), Item()
    s.send([first, second], now=0.0)
    assert s.room == 0
    assert only(s.receive(reply("e2-n"), 1.0)) == Answered(second, DELIVERED)
    assert only(s.receive(reply("e1-n"), 1.0)) == Answered(first, DELIVERED)
    assert s.room == 2


def test_the_operator_bounds_the_window() -> None:
    s = session(most=2)
    s.open()
    s.receive(reply("i0-n", manifest(max_in_flight=50)), now=0.0)
    assert s.room == 2


def test_no_window_is_larger_than_the_protocols() -> None:
    assert ready(window=1000).room == 64


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"result": {}}, DELIVERED),
        ({"result": None}, DELIVERED),
        ({"result": {"status": "ok"}}, DELIVERED),
        (
            {"result": {"status": "skipped", "note": "no input"}},
            Delivered(skipped=True, note="no input"),
        ),
        ({"error": {"code": 500, "message": "oh"}}, Retry("500 oh")),
        ({"error": {"code": 404}}, Dead("404")),
    ],
)
def test_the_reply_says_what_became_of_the_event(
    answer: dict[str, object], outcome: object
) -> None:
    s = ready()
    item = Item()
    s.send([item], now=0.0)
    assert only(s.receive(line(id="e1-n", **answer), 1.0)) == Answered(
        item,
        outcome,  # type: ignore[arg-type]
    )


def test_a_result_that_is_no_object_counts_as_delivered_with_a_remark() -> None:
    s = ready()
    s.send([Item()], now=0.0)
    answered, remark = s.receive(line(id="e1-n", result="ok"), 1.0)
    assert isinstance(answered, Answered)
    assert isinstance(remark, Logged)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (b"{half\n", "not a frame"),
        (b'{"id":7,"result":{}}\n', "not a frame"),
        (b'{"id":"e9-n","result":{}}\n', "answers nothing"),
        (b'{"id":"e1-n"}\n', "needs a result or an error"),
        (b'{"id":null,"error":{"code":-32700,"message":"m"}}\n', "could not parse"),
        (b'{"id":"x","method":"log","params":{}}\n', "send no requests"),
        (b'{"method":"log","params":{}}\n', "parameters of log"),
        (b'{"method":"log"}\n', "parameters of log"),
        (b'{"id":"e1-n","result":{"note":"\xff"}}\n', ""),
        (b'{"a":' + b"[" * 50_000 + b"\n", "not a frame"),
    ],
)
def test_a_bad_frame_is_reported_and_survived(frame: bytes, words: str) -> None:
    s = ready()
    item = Item()
    s.send([item], now=0.0)
    signals = s.receive(frame, 1.0)
    if words:
        complaint = only(signals)
        assert isinstance(complaint, Malformed)
        assert words in complaint.reason
        assert only(s.receive(reply("e1-n"), 1.0)) == Answered(item, DELIVERED)
    else:
        assert signals[0] == Answered(item, DELIVERED)


def test_text_on_stdout_is_stray_and_a_frame_glued_to_it_counts() -> None:
    s = ready()
    item = Item()
    s.send([item], now=0.0)
    stray, answered = s.receive(
        b'progress: 10%{"jsonrpc":"2.0","id":"e1-n","result":{}}\n', 1.0
    )
    assert isinstance(stray, Stray)
    assert answered == Answered(item, DELIVERED)


def test_an_id_of_another_process_is_no_answer() -> None:
    s = ready()
    s.send([Item()], now=0.0)
    assert isinstance(only(s.receive(reply("e1-other"), 1.0)), Malformed)
    assert s.in_flight == 1


def test_five_bad_frames_in_a_row_are_not_the_protocol() -> None:
    s = ready()
    signals = [signal for _ in range(5) for signal in s.receive(b"{\n", 1.0)]
    assert isinstance(signals[-1], Broken)
    assert [isinstance(signal, Broken) for signal in signals].count(True) == 1


def test_good_answers_between_bad_frames_keep_patience_for_a_while() -> None:
    s = ready()
    broken_after = 0
    for number in range(1, 30):
        s.send([Item()], now=0.0)
        signals = s.receive(b"{\n" + reply(f"e{number}-n"), 1.0)
        if any(isinstance(signal, Broken) for signal in signals):
            broken_after = number
            break
    assert broken_after == 21


def test_bad_frames_of_more_than_a_minute_ago_are_forgotten() -> None:
    s = ready()
    for number in range(1, 60):
        s.send([Item()], now=number * 10.0)
        signals = s.receive(b"{\n" + reply(f"e{number}-n"), number * 10.0)
        assert not any(isinstance(signal, Broken) for signal in signals)


def test_a_plugin_that_does_not_answer_initialize_in_time_is_hanging() -> None:
    s = session()
    assert s.deadline == 10.0
    assert s.tick(9.9) == (b"", [])
    _, signals = s.tick(10.0)
    assert isinstance(only(signals), Broken)


def test_progress_extends_the_start_up_to_its_longest() -> None:
    s = session()
    s.receive(line(method="progress", params={"id": "i0-n"}), 9.0)
    assert s.deadline == 19.0
    s.receive(line(method="progress", params={"id": "i0-n"}), 119.0)
    assert s.deadline == 120.0


def test_a_megabyte_of_text_before_the_first_answer_is_no_plugin() -> None:
    s = session()
    chunk = b"x" * 70_000 + b"\n"
    signals = [signal for _ in range(16) for signal in s.receive(chunk, 1.0)]
    assert isinstance(signals[-1], Broken)


def test_an_event_past_its_deadline_is_cancelled_then_retried_as_unanswered() -> None:
    s = ready(window=4, timeout_ms=1000)
    item = Item()
    s.send([item], now=0.0)
    assert s.deadline == 1.0
    data, signals = s.tick(1.0)
    (cancel,) = frames(data)
    assert cancel["method"] == "cancel"
    assert cancel["params"] == {"id": "e1-n", "reason": "deadline"}
    assert "id" not in cancel
    assert signals == []
    data, signals = s.tick(6.0)
    answered = only(signals)
    assert isinstance(answered, Answered)
    assert answered.outcome == Retry("no answer in time", unanswered=True)
    assert s.room == 3


def test_half_a_frame_and_silence_is_no_answer() -> None:
    """It needs no deadline of its own: the event's runs on."""
    s = ready(timeout_ms=1000)
    item = Item()
    s.send([item], now=0.0)
    assert s.receive(reply("e1-n")[:-2], 0.5) == []
    s.tick(1.0)
    expired, broken = s.tick(6.0)[1]
    assert expired == Answered(item, Retry("no answer in time", unanswered=True))
    assert isinstance(broken, Broken)


def test_half_a_frame_of_an_idle_plugin_does_not_keep_pings_away() -> None:
    s = ready()
    s.receive(b'{"method":"lo', 1.0)
    s.tick(61.0)
    s.tick(71.0)
    assert isinstance(only(s.tick(81.0)[1]), Broken)


def test_a_cancelled_event_may_still_be_answered() -> None:
    s = ready(timeout_ms=1000)
    item = Item()
    s.send([item], now=0.0)
    s.tick(1.0)
    assert only(s.receive(reply("e1-n"), 2.0)) == Answered(item, DELIVERED)


def test_a_plugin_with_a_window_of_one_that_lost_its_slot_is_hanging() -> None:
    s = ready(timeout_ms=1000)
    s.send([Item()], now=0.0)
    s.tick(1.0)
    _, signals = s.tick(6.0)
    assert [type(signal) for signal in signals] == [Answered, Broken]


def test_an_answer_after_everything_is_late_and_frees_the_lost_slot() -> None:
    s = ready(window=4, timeout_ms=1000)
    item = Item()
    s.send([item], now=0.0)
    s.tick(1.0)
    s.tick(6.0)
    late, logged = s.receive(reply("e1-n"), 7.0)
    assert late == Late(item, DELIVERED)
    assert isinstance(logged, Logged)
    assert s.room == 4
    # Once is enough.
    assert isinstance(only(s.receive(reply("e1-n"), 8.0)), Malformed)


def test_a_line_of_log_belongs_to_the_event_whose_id_it_bears() -> None:
    s = ready(window=4, timeout_ms=1000)
    first, second = Item(), Item()
    s.send([first, second], now=0.0)

    def about(**params: object) -> Item | None:
        logged = only(
            s.receive(line(method="log", params={"message": "m", **params}), 0.5)
        )
        assert isinstance(logged, Logged)
        return logged.about

    assert about(id="e2-n") is second
    assert about(id="e1-n") is first
    assert about() is about(id=None) is about(id="e1-of-another") is None
    s.tick(1.0)
    s.tick(6.0)
    assert about(id="e1-n") is first
    s.receive(reply("e1-n"), 7.0)
    assert about(id="e1-n") is None


def test_a_failure_after_everything_is_told_apart_from_a_success() -> None:
    s = ready(window=4, timeout_ms=1000)
    item = Item()
    s.send([item], now=0.0)
    s.tick(1.0)
    s.tick(6.0)
    late, _ = s.receive(line(id="e1-n", error={"code": 500, "message": "oh"}), 7.0)
    assert late == Late(item, Retry("500 oh"))


def test_progress_starts_the_deadline_again_up_to_ten_timeouts() -> None:
    s = ready(timeout_ms=1000)
    s.send([Item()], now=0.0)
    for second in range(1, 10):
        s.receive(line(method="progress", params={"id": "e1-n"}), second - 0.1)
        assert s.tick(float(second)) == (b"", [])
    s.receive(line(method="progress", params={"id": "e1-n"}), 9.9)
    data, _ = s.tick(10.0)
    assert frames(data)[0]["method"] == "cancel"


def test_an_idle_plugin_is_pinged_and_an_answer_of_any_kind_is_a_sign_of_life() -> None:
    s = ready()
    assert s.deadline == 60.0
    (ping,) = frames(s.tick(60.0)[0])
    assert ping["method"] == "ping"
    answer = line(id=ping["id"], error={"code": -32601, "message": "unknown"})
    assert s.receive(answer, 61.0) == []
    assert s.deadline == 121.0


def test_the_answer_to_a_ping_counts_after_whatever_was_on_its_way() -> None:
    s = ready()
    s.tick(60.0)
    assert only(s.receive(line(method="log", params={"message": "m"}), 60.1)) == (
        Logged("info", "m")
    )
    s.send([Item()], now=60.2)
    assert s.receive(reply("p1-n"), 60.3) == []
    assert type(only(s.receive(reply("p1-n"), 60.4))) is Malformed


def test_a_ping_may_be_answered_after_the_next_one() -> None:
    s = ready()
    s.tick(60.0)
    s.tick(70.0)
    assert s.receive(reply("p2-n") + reply("p1-n"), 70.1) == []


def test_a_ping_may_be_had_before_it_is_due_but_not_while_there_is_work() -> None:
    s = session()
    assert s.ping(1.0) == b""
    s = ready()
    (ping,) = frames(s.ping(1.0))
    assert ping["method"] == "ping"
    awaited = s.awaits_ping
    assert s.ping(2.0) == b""
    s.receive(reply(str(ping["id"])), 3.0)
    assert (awaited, s.awaits_ping) == (True, False)
    assert s.deadline == 63.0
    s.send([Item()], now=4.0)
    assert s.ping(5.0) == b""


def test_a_plugin_that_says_it_fails_is_restarted() -> None:
    s = ready()
    (ping,) = frames(s.tick(60.0)[0])
    signals = s.receive(reply(str(ping["id"]), {"status": "failing"}), 61.0)
    assert isinstance(only(signals), Broken)


def test_two_pings_without_an_answer_are_a_hang() -> None:
    s = ready()
    s.tick(60.0)
    assert s.tick(70.0)[1] == []
    _, signals = s.tick(80.0)
    assert isinstance(only(signals), Broken)


def test_a_busy_plugin_is_not_pinged() -> None:
    s = ready(timeout_ms=600_000)
    s.send([Item()], now=0.0)
    assert s.tick(120.0) == (b"", [])


def test_shutdown_is_answered_and_nothing_more_is_sent() -> None:
    s = ready()
    (frame,) = frames(s.shutdown("host_stop", 5.0))
    assert frame["params"] == {"reason": "host_stop", "grace_ms": 5000}
    assert s.room == 0
    assert only(s.receive(reply("s0-n"), 1.0)) == Stopped()


def test_events_in_flight_at_shutdown_are_still_answered() -> None:
    s = ready()
    item = Item()
    s.send([item], now=0.0)
    s.shutdown("host_stop", 5.0)
    assert only(s.receive(reply("e1-n"), 1.0)) == Answered(item, DELIVERED)


@pytest.mark.parametrize(
    ("answer", "final", "words"),
    [
        ({"error": {"code": 422, "message": "bad config"}}, True, "422 bad config"),
        ({"error": {"code": 426, "message": "too old"}}, True, "426 too old"),
        ({"error": {"code": 424, "message": "no proxy"}}, False, "424 no proxy"),
        ({"error": {"code": -32601, "message": "what?"}}, False, "-32601 what?"),
        ({"result": {}}, True, "missing required field"),
        (
            {"result": manifest(protocol_version=2)},
            True,
            "it picked protocol version 2, and this host speaks 1: upgrade hydra-not",
        ),
        ({"result": manifest(protocol_version=0)}, True, "1: upgrade the plugin"),
        (
            {"error": {"code": 426, "data": {"supported": [3, 2]}}},
            True,
            "it speaks protocol version 3, 2, and this host 1: upgrade hydra-notify",
        ),
        (
            {"error": {"code": 426, "data": {"supported": [2], "help": "wait"}}},
            True,
            "and this host 1; wait",
        ),
        (
            {"error": {"code": 426, "data": {"supported": [0]}}},
            True,
            "this host 1: upgrade the plugin",
        ),
        ({"result": manifest(max_in_flight=0)}, True, "max_in_flight"),
    ],
)
def test_a_plugin_that_cannot_start_says_why(
    answer: dict[str, object], final: bool, words: str
) -> None:
    s = session()
    signal = only(s.receive(line(id="i0-n", **answer), 1.0))
    assert isinstance(signal, Refused)
    assert signal.final is final
    assert words in signal.reason
    # It cannot change its mind.
    late = s.receive(reply("i0-n", manifest()), 1.0)
    assert not any(isinstance(signal, Ready) for signal in late)
    assert s.room == 0


def test_an_event_of_a_newer_host_is_remarked_on_and_ignored() -> None:
    s = session()
    signals = s.receive(reply("i0-n", manifest(events=["build.finished", "*"])), 1.0)
    assert [type(signal) for signal in signals] == [Ready, Logged]
    assert "build.finished" in str(signals[1])
    assert s.room == 1


def test_what_is_wrong_with_its_settings_is_part_of_the_refusal() -> None:
    problem = {"path": "$.url", "message": "is required", "help": "set url"}
    error = {"code": 422, "message": "config", "data": {"errors": [problem]}}
    signal = only(session().receive(line(id="i0-n", error=error), 1.0))
    assert isinstance(signal, Refused)
    assert signal.reason == "422 config; $.url is required (set url)"


def test_members_and_notifications_of_a_newer_plugin_are_ignored() -> None:
    s = ready(grease=1, include=["dependents", "future"])
    assert s.receive(line(method="future", params={"a": 1}), 1.0) == []
    item = Item()
    s.send([item], now=0.0)
    answer = line(id="e1-n", result={"future": True, "status": "brilliant"}, extra=1)
    assert only(s.receive(answer, 1.0)) == Answered(item, DELIVERED)
