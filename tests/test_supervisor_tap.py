"""Who looks at a plugin's frames sees them whole, in order, and without secrets."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import trio
import trio.testing

from hydra_notify.limits import TRACE_BUFFER
from hydra_notify.supervisor import Follower, Tap

HELLO = b'{"jsonrpc":"2.0","id":"i0-x","method":"initialize","params":{}}\n'
MANIFEST = b'{"jsonrpc":"2.0","id":"i0-x","result":{"name":"chat"}}\n'
EVENT = b'{"jsonrpc":"2.0","id":"e1-x","method":"event","params":{}}\n'
ANSWER = b'{"jsonrpc":"2.0","id":"e1-x","result":{}}\n'


async def seen(follower: Follower) -> list[dict[str, Any]]:
    """All that a follower has been shown, without waiting for more."""
    lines: list[dict[str, Any]] = []
    with trio.move_on_after(0):
        while line := await follower.next():
            assert line.endswith(b"\n")
            assert line.isascii()
            lines.append(json.loads(line))
    return lines


def told(lines: list[dict[str, Any]]) -> list[Any]:
    """What each line says, without whose it is and when."""
    return [
        next(value for key, value in line.items() if key not in ("from", "t"))
        for line in lines
    ]


def living(*secrets: str) -> Tap:
    """A tap of a plugin that is ready."""
    tap = Tap()
    tap.start(42, secrets)
    tap.sent(HELLO)
    tap.said(MANIFEST)
    return tap


@contextmanager
def watched(tap: Tap) -> Generator[Follower]:
    """A follower that has been shown how the life began."""
    with tap.follow() as follower:
        for _ in range(4):
            # Without a wait: it is there.
            follower._steps.popleft()
        follower._held = 0
        yield follower


async def test_who_comes_later_first_sees_initialize_and_its_answer() -> None:
    tap = living()
    tap.sent(EVENT)
    tap.said(ANSWER)
    with tap.follow() as follower:
        lines = await seen(follower)
    assert [line["from"] for line in lines] == ["comment", "host", "plugin", "comment"]
    assert lines[1]["frame"] == json.loads(HELLO)
    assert lines[2]["frame"] == json.loads(MANIFEST)
    assert all(line["t"] == 0 for line in lines)


async def test_frames_are_seen_in_order_however_they_are_cut() -> None:
    tap = living()
    with watched(tap) as follower:
        tap.sent(EVENT + EVENT)
        tap.said(ANSWER[:10])
        tap.said(ANSWER[10:] + b"Hello \xff\n")
        lines = await seen(follower)
    assert [line["from"] for line in lines] == ["host", "host", "plugin", "plugin"]
    assert lines[2]["frame"] == json.loads(ANSWER)
    assert lines[3]["raw"] == "Hello \ufffd"


async def test_an_answer_glued_to_text_is_that_of_the_manifest() -> None:
    tap = Tap()
    tap.start(42, ())
    tap.sent(HELLO)
    tap.said(b"loading {} ..." + MANIFEST)
    with tap.follow() as follower:
        lines = await seen(follower)
    assert lines[2]["raw"].startswith("loading")


async def test_half_a_line_before_one_came_is_no_line() -> None:
    tap = living()
    tap.said(ANSWER[:10])
    with tap.follow() as follower:
        tap.said(ANSWER[10:20])
        tap.said(ANSWER[20:] + ANSWER)
        lines = await seen(follower)
    assert told(lines)[0] == "1 line is not shown"
    assert told(lines)[5:] == [json.loads(ANSWER)]


async def test_what_was_cut_before_another_came_is_not_put_together_wrongly() -> None:
    tap = living()
    with watched(tap):
        tap.said(ANSWER[:10])
    tap.said(ANSWER[10:])
    with watched(tap) as follower:
        tap.said(ANSWER)
        assert told(await seen(follower)) == [json.loads(ANSWER)]


async def test_secrets_are_hidden_however_a_plugin_writes_them() -> None:
    tap = living('hun"ter\u00e922', "1234567")
    tap.start(42, ['hun"ter\u00e922', "1234567"])
    hello = {"id": "i0-x", "method": "initialize", "params": {"secrets": ["1234567"]}}
    tap.sent(json.dumps(hello).encode() + b"\n")
    with tap.follow() as follower:
        for line in (
            rb'{"a":"so hun\"ter\u00e922!"}',
            '{"a":"hun\\u0022ter\u00e922"}'.encode(),
            rb'{"\u0068un\"ter\u00e922":1}',
            rb'{"a":1234567,"a":1}',
            rb'{"a":[{"b":1234567}]}',
            'hun"ter\u00e922 in a print'.encode(),
            json.dumps({"log": json.dumps({"a": 'hun"ter\u00e922'})}).encode(),
        ):
            tap.said(line + b"\n")
        lines = await seen(follower)
    text = json.dumps(lines)
    assert "ter" not in text
    assert "1234567" not in text
    assert lines[1]["frame"]["params"] == {"secrets": ["***"]}
    assert told(lines[2:]) == [
        {"a": "so ***!"},
        {"a": "***"},
        {"***": 1},
        {"a": 1},
        {"a": [{"b": "***"}]},
        "*** in a print",
        {"log": '{"a": "***"}'},
    ]


async def test_frames_that_nobody_can_read_are_shown_as_they_came() -> None:
    tap = living()
    with watched(tap) as follower:
        deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
        for line in (deep, b'{"a":"\\ud800"}', b'{"a":1e999}', b'{"a":', b'"x"'):
            tap.said(line + b"\n")
        lines = await seen(follower)
    assert [sorted(line) for line in lines] == [["from", "raw", "t"]] * 5


async def test_a_line_beyond_the_limit_is_only_told_of() -> None:
    tap = living()
    with watched(tap) as follower:
        tap.said(b"x" * 1_100_000 + b"\n")
        assert told(await seen(follower)) == ["a line of 1100000 bytes is not shown"]


async def test_who_does_not_read_loses_lines_and_is_told_how_many() -> None:
    tap = living()
    line = b'{"a":"' + b"x" * 100_000 + b'"}\n'
    fit = TRACE_BUFFER // len(line)
    with watched(tap) as slow, watched(tap) as quick:
        for _ in range(fit + 10):
            tap.said(line)
            assert len(await seen(quick)) == 1
        shown = told(await seen(slow))
        tap.said(ANSWER)
        shown += told(await seen(slow))
    kept = len(shown) - 2
    assert fit - 2 < kept <= fit
    assert shown[kept:] == [
        f"{fit + 10 - kept} lines are not shown",
        json.loads(ANSWER),
    ]


async def test_a_follower_stays_when_the_plugin_is_started_again() -> None:
    tap = living("hunter22")
    with watched(tap) as follower:
        tap.said(b"hunter22 and half a l")
        tap.hung_up()
        tap.ended(-9)
        tap.note("it was killed; starting it again in 1.0 s")
        tap.start(43, ["swordfish"])
        tap.sent(HELLO)
        tap.said(b"swordfish\n" + MANIFEST)
        lines = await seen(follower)
    assert told(lines) == [
        True,
        "its last line has no end and counts for none",
        -9,
        "it was killed; starting it again in 1.0 s",
        "started (pid 43)",
        json.loads(HELLO),
        "***",
        json.loads(MANIFEST),
    ]


async def test_who_comes_between_two_lives_sees_why_there_is_none() -> None:
    tap = living()
    tap.ended(1)
    tap.note("exit status 1; starting it again in 8.0 s")
    with tap.follow() as follower:
        assert told(await seen(follower)) == [
            "exit status 1; starting it again in 8.0 s"
        ]


async def test_a_plugin_that_is_gone_ends_what_its_followers_see() -> None:
    tap = living()
    with watched(tap) as follower, trio.fail_after(20):
        tap.close("it is no longer configured")
        line = await follower.next()
        assert line is not None
        assert told([json.loads(line)]) == ["it is no longer configured"]
        assert await follower.next() is None
    with tap.follow() as late, trio.fail_after(20):
        while await late.next():
            continue


async def test_times_are_those_since_the_follower_came(
    mock_clock: trio.testing.MockClock,
) -> None:
    tap = living()
    mock_clock.jump(3600)
    with tap.follow() as follower:
        mock_clock.jump(1.5)
        tap.sent(EVENT)
        lines = await seen(follower)
    assert told(lines)[0].startswith("started 3600 s ago")
    assert [line["t"] for line in lines] == [0, 0, 0, 0, 1500]
