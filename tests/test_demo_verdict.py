"""The demo's verdict says LOST when something is, and only then."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hydra_notify.demo.closing import sentence
from hydra_notify.demo.history import history_of
from hydra_notify.demo.receipts import RECEIPTS, parse_receipts, read_receipts
from hydra_notify.demo.simulation.outcome_log import (
    Fact,
    Finished,
    Notified,
    Restarted,
    Withheld,
)
from hydra_notify.demo.verdict import Evidence, Share, Verdict, judge
from hydra_notify.metrics import Counts
from hydra_notify_sdk.wire import CHANNELS

ALL = frozenset[str](CHANNELS)

FAILURE: list[Fact] = [
    Notified("eval_started", "17.5\t3"),
    Notified("build_queued", "1", (1,)),
    Notified("build_queued", "2", (2,)),
    Notified("build_queued", "3", (3,)),
    Notified("cached_build_finished", "9\t77", (77,)),
    Notified("eval_added", "17.5\t3\t9\t1"),
    Notified("build_started", "1", (1,)),
    Notified("step_finished", "1\t1\t/var/lib/hydra/log", (1,)),
    # Build 1 fails, and with it 2 and 3, announced in two chunks.
    Finished(1, status=1, start=100, stop=200, pending=200),
    Finished(2, status=2, start=100, stop=200, pending=200),
    Finished(3, status=2, start=100, stop=200, pending=200),
    Notified("build_finished", "1\t1\t2", (1, 1, 2)),
    Notified("build_finished", "1\t3", (1, 3)),
]

FIRST_CHUNK = "build_finished:1:100-200:1:aaaaaaaa\t1 2"
SECOND_CHUNK = "build_finished:1:100-200:1:bbbbbbbb\t1 3"
RECEIVED = [
    "eval_started:17.5:3\t",
    "build_queued:1\t1",
    "build_queued:2\t2",
    "build_queued:3\t3",
    "cached_build_finished:9:77\t77",
    "eval_added:17.5:3:9\t",
    "build_started:1\t1",
    "step_finished:1:1\t1",
    FIRST_CHUNK,
    SECOND_CHUNK,
]

SUCCESS: list[Fact] = [
    Finished(5, status=0, start=300, stop=400, pending=400),
    Notified("build_finished", "5", (5,)),
]
SUCCESS_RECEIPT = "build_finished:5:300-400:0\t5"


def verdict_on(
    facts: Sequence[Fact],
    received: Sequence[str],
    *,
    flags: tuple[int, ...] = (),
    channels: frozenset[str] = ALL,
    fails: bool = False,
) -> Verdict:
    evidence = Evidence(channels, parse_receipts(received), fails)
    return judge(history_of(facts), {"one": evidence}, flags)


def share_of(
    facts: Sequence[Fact], received: Sequence[str], *, fails: bool = False
) -> Share:
    return verdict_on(facts, received, fails=fails).shares["one"]


def said(verdict: Verdict, *, interrupted: bool = False) -> str:
    return sentence(verdict, Counts(), interrupted=interrupted)


def without(line: str) -> list[str]:
    assert line in RECEIVED
    return [each for each in RECEIVED if each != line]


def test_everything_received_and_every_flag_cleared_is_nothing_lost() -> None:
    verdict = verdict_on(FAILURE, RECEIVED)
    assert verdict.good
    # Eight notifications, and what three builds came to.
    assert (verdict.events, verdict.finished) == (11, 3)
    assert (verdict.owed, verdict.received) == (11, 11)
    assert said(verdict).startswith("nothing lost: 11 events, 3 of them finished")


def test_each_missing_receipt_is_something_lost() -> None:
    for line in RECEIVED:
        verdict = verdict_on(FAILURE, without(line))
        assert not verdict.good, line
        assert said(verdict).startswith("LOST: one never got "), line


def test_a_missing_chunk_of_dependents_is_lost_though_their_head_was_told() -> None:
    verdict = verdict_on(FAILURE, without(SECOND_CHUNK))
    assert verdict.shares["one"].missing == ("build_finished of build 3",)
    assert said(verdict) == "LOST: one never got build_finished of build 3"


def test_a_chunk_that_leaves_out_a_dependent_has_lost_it() -> None:
    received = [*without(SECOND_CHUNK), "build_finished:1:100-200:1:bbbbbbbb\t1"]
    assert share_of(FAILURE, received).missing == ("build_finished of build 3",)


def test_a_flag_left_set_is_something_lost() -> None:
    verdict = verdict_on(FAILURE, RECEIVED, flags=(3,))
    assert not verdict.good
    assert said(verdict) == "LOST: the flag is still set on build 3"


def test_what_never_happened_must_not_be_received() -> None:
    inventions = (
        # A build nobody queued, an evaluation, a channel.
        "build_queued:4711\t4711",
        "eval_added:17.5:3:10\t",
        "build_exploded:1\t1",
        # An outcome that the build never had, and one of a build that never was.
        "build_finished:1:100-200:0\t1",
        "build_finished:4711:100-200:0\t4711",
        # Dependents that did not fail with it, or the wrong builds altogether.
        "build_finished:1:100-200:1:cccccccc\t1 77",
        "build_finished:1:100-200:1\t1 2",
        "build_queued:1\t2",
        "eval_started:17.5:3\t1",
        # No receipt at all.
        "Segmentation fault (core dumped)",
        "build_queued:1\tone",
    )
    for line in inventions:
        verdict = verdict_on(FAILURE, [*RECEIVED, line])
        assert not verdict.good, line
        assert "out of thin air" in said(verdict), line
        assert "out of thin air" in said(verdict, interrupted=True), line


def test_nothing_lost_is_not_said_where_nothing_happened() -> None:
    verdict = verdict_on([], [])
    assert not verdict.good
    assert said(verdict).startswith("LOST")


def test_duplicates_are_counted_and_no_fault() -> None:
    verdict = verdict_on(FAILURE, [*RECEIVED, FIRST_CHUNK, FIRST_CHUNK])
    assert verdict.good
    assert verdict.shares["one"].duplicates == 2


def test_only_channels_that_were_asked_for_are_owed() -> None:
    channels = frozenset({"build_finished"})
    verdict = verdict_on(FAILURE, [FIRST_CHUNK, SECOND_CHUNK], channels=channels)
    assert verdict.good
    assert verdict.owed == 3


def test_one_plugin_that_lacks_something_is_enough() -> None:
    complete = Evidence(ALL, parse_receipts(RECEIVED))
    lacking = replace(complete, receipts=parse_receipts(RECEIVED[1:]))
    history = history_of(FAILURE)
    assert not judge(history, {"one": complete, "two": lacking}, ()).good
    assert judge(history, {"one": complete, "two": complete}, ()).good


def test_an_outcome_that_was_never_announced_is_owed_all_the_same() -> None:
    facts = [SUCCESS[0], Withheld((5,))]
    assert verdict_on(facts, [SUCCESS_RECEIPT]).good
    assert share_of(facts, []).missing == ("build_finished of build 5",)


def test_an_outcome_nobody_is_to_be_told_is_not_owed_and_may_be_told() -> None:
    facts = [*SUCCESS, Finished(6, status=4, start=500, stop=500, pending=None)]
    assert verdict_on(facts, [SUCCESS_RECEIPT]).good
    assert verdict_on(facts, [SUCCESS_RECEIPT, "build_finished:6:500-500:4\t6"]).good


def test_the_first_outcome_of_a_restarted_build_does_not_stand_for_the_second() -> None:
    facts = [
        *SUCCESS,
        Restarted(5),
        Finished(5, status=1, start=300, stop=400, pending=400),
        Notified("build_finished", "5", (5,)),
    ]
    second = "build_finished:5:300-400:1\t5"
    assert share_of(facts, [SUCCESS_RECEIPT]).missing == ("build_finished of build 5",)
    assert verdict_on(facts, [SUCCESS_RECEIPT, second]).good
    # A listener may come too late for the first.
    assert verdict_on(facts, [second]).good


def test_a_dependent_told_before_its_outcome_came_to_be_does_not_know_it() -> None:
    facts = [
        *FAILURE,
        Restarted(3),
        Finished(3, status=0, start=300, stop=400, pending=400),
        Notified("build_finished", "3", (3,)),
    ]
    assert share_of(facts, RECEIVED).missing == ("build_finished of build 3",)
    assert verdict_on(facts, [*RECEIVED, "build_finished:3:300-400:0\t3"]).good


def test_dependents_may_be_told_with_a_later_outcome_of_their_head() -> None:
    facts = [
        *FAILURE,
        Restarted(1),
        Finished(1, status=0, start=100, stop=200, pending=200),
        Notified("build_finished", "1", (1,)),
    ]
    later = [
        line.replace("100-200:1", "100-200:0")
        for line in RECEIVED
        if line.startswith("build_finished")
    ]
    received = [*(line for line in RECEIVED if line not in (FIRST_CHUNK, SECOND_CHUNK))]
    assert verdict_on(facts, [*received, *later]).good


def test_a_dependent_may_be_told_as_a_head() -> None:
    received = [*without(SECOND_CHUNK), "build_finished:3:100-200:2\t3"]
    assert verdict_on(FAILURE, received).good


def test_a_plugin_that_fails_may_miss_what_something_newer_has_replaced() -> None:
    for line in ("build_queued:1\t1", "build_started:1\t1"):
        share = share_of(FAILURE, without(line), fails=True)
        assert (share.missing, share.superseded) == ((), 1), line
        assert share.received == share.owed - 1


def test_a_plugin_that_fails_must_still_be_told_everything_else() -> None:
    replaceable = ("build_queued:1\t1", "build_started:1\t1")
    for line in RECEIVED:
        if line not in replaceable:
            assert share_of(FAILURE, without(line), fails=True).missing, line


def test_nothing_replaces_a_notification_that_came_after_it() -> None:
    facts = [*FAILURE, Notified("build_started", "1", (1,))]
    share = share_of(facts, without("build_started:1\t1"), fails=True)
    assert share.missing == ("build_started:1",)


def test_many_missing_things_are_a_few_and_a_number() -> None:
    assert said(verdict_on(FAILURE, [])).endswith(
        "build_finished of build 2, build_finished of build 3 and 8 more"
    )


def test_an_interrupted_show_says_how_far_it_came() -> None:
    verdict = verdict_on(FAILURE, RECEIVED[:4], flags=(1, 2, 3))
    words = said(verdict, interrupted=True)
    assert words.startswith("interrupted: 4 of 11 ")
    assert words.endswith("next start: 3")


def test_a_line_that_is_being_written_is_no_receipt_yet(tmp_path: Path) -> None:
    assert read_receipts(tmp_path) == ()
    (tmp_path / RECEIPTS).write_text(f"{FIRST_CHUNK}\nbuild_queued:1")
    assert read_receipts(tmp_path) == parse_receipts([FIRST_CHUNK])
