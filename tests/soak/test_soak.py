"""A short soak finds nothing, and the verdict on a soak can be a bad one."""

from collections import Counter
from pathlib import Path

import pytest
from tests.soak import repeats
from tests.soak.cast import CAST
from tests.soak.evidence import Evidence, HostEnd, Trouble
from tests.soak.findings import Findings, find
from tests.soak.plan import make_plan
from tests.soak.processes import Usage
from tests.soak.record import NANO, Record, parse_record
from tests.soak.report import report
from tests.soak.run import soak
from tests.soak.settings import Settings

from hydra_notify.demo.server.postgres import private_postgres
from hydra_notify.demo.simulation.outcome_log import Fact, Finished, Notified

HOST = 50
LIFE = f"60.{100 * NANO}"
FIRST = "build_finished:1:10-20:0"
SECOND = "build_finished:2:10-20:0"

FACTS: list[Fact] = [
    Finished(1, status=0, start=10, stop=20, pending=20),
    Notified("build_finished", "1", (1,)),
    Finished(2, status=0, start=10, stop=20, pending=20),
    Notified("build_finished", "2", (2,)),
]

START = f"S\t{LIFE}\t{HOST}\t{100 * NANO}\t."
"""The host has started at 90, the plugin at 100; the first answer comes at 110."""


def handled(event: str, at: float, *, request: str = "e1", life: str = LIFE) -> str:
    build = event.split(":")[1]
    return f"H\t{life}\t{int(at * NANO)}\t{request}\t{event}\t{build}\t."


def answered(at: float, *, request: str = "e1", life: str = LIFE) -> str:
    return f"A\t{life}\t{int(at * NANO)}\t{request}\t."


GOOD = [
    START,
    handled(FIRST, 109),
    answered(110),
    handled(SECOND, 111, request="e2"),
    answered(112, request="e2"),
]

AGAIN = [
    f"S\t61.{200 * NANO}\t{HOST + 1}\t{200 * NANO}\t.",
    handled(FIRST, 201, life=f"61.{200 * NANO}"),
    answered(202, life=f"61.{200 * NANO}"),
]
"""In the life of another host the first event comes once more."""


def findings(
    lines: list[str],
    *,
    killed: float = 190,
    troubles: tuple[Trouble, ...] = (),
    flags: frozenset[int] = frozenset(),
    ledger: bool = True,
    usage: Usage | None = None,
) -> Findings:
    """What is found when all plugins have the good record, but one has these lines."""
    ends = (HostEnd(HOST, 90, killed, flags), HostEnd(HOST + 1, 195, 300, drained=True))
    records: dict[str, Record] = dict.fromkeys(CAST, parse_record(GOOD))
    records["single"] = parse_record(lines)
    evidence = Evidence(tuple(FACTS), (100.0,) * len(FACTS), ends, troubles, ledger)
    return find(evidence, records, (), Counter(), usage or Usage(), [])


async def test_a_short_soak_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a machine that is busy with other tests everything takes longer.
    monkeypatch.setattr(repeats, "LEDGER_LAG", 5 * repeats.LEDGER_LAG)
    later = {kind: 3 * seconds for kind, seconds in repeats.BACK_AFTER.items()}
    monkeypatch.setattr(repeats, "BACK_AFTER", later)
    told: list[str] = []
    settings = Settings(8.0, 3, ledger=True, directory=tmp_path, say=told.append)
    with private_postgres(tcp=True) as server:
        found = await soak(settings, server)
    assert found.problems == (), report(found)
    assert found.done["kills of the host"] >= 3
    assert found.done["kills of plugins"] >= 8
    assert found.durable.received > 100


def test_the_same_seed_is_the_same_plan() -> None:
    assert make_plan(1, 60, ["a", "b"]) == make_plan(1, 60, ["a", "b"])
    assert make_plan(1, 60, ["a", "b"]) != make_plan(2, 60, ["a", "b"])


def test_ten_minutes_are_three_hundred_hosts_and_a_thousand_plugins_killed() -> None:
    plan = make_plan(1, 600, tuple(CAST))
    assert len(plan.host_kills) >= 300
    assert len(plan.plugin_kills) >= 1_000
    assert min(map(len, (plan.backend_kills, plan.restarts, plan.link_faults))) >= 20


def test_a_record_without_a_flaw_is_good() -> None:
    found = findings(GOOD)
    assert found.problems == ()
    assert "nothing lost" in report(found)


def test_a_line_that_is_missing_is_a_loss() -> None:
    found = findings(GOOD[:3])
    assert any("LOST: single never got 1" in problem for problem in found.problems)
    assert "PROBLEM: LOST: single" in report(found)


def test_a_line_that_was_cut_off_does_not_count() -> None:
    found = findings([*GOOD[:3], GOOD[3][:-2], GOOD[4]])
    assert any("LOST: single" in problem for problem in found.problems)


def test_what_never_happened_is_found() -> None:
    found = findings([*GOOD, handled("build_finished:3:10-20:0", 113, request="e3")])
    assert any("out of thin air" in problem for problem in found.problems)


def test_a_repetition_of_what_was_answered_long_ago_is_beyond_the_bound() -> None:
    found = findings([*GOOD, *AGAIN])
    assert found.repeats["single"].beyond == (FIRST,)
    assert any("1 duplicates, the bound is 0" in problem for problem in found.problems)


def test_a_repetition_of_what_was_in_flight_is_within_the_bound() -> None:
    found = findings([START, handled(FIRST, 109), *GOOD[3:], *AGAIN])
    assert found.problems == ()
    assert found.repeats["single"].reasons == {"in flight": 1}


def test_only_one_repetition_for_each_reason_is_within_the_bound() -> None:
    twice = [line.replace("\te1", "\te9") for line in AGAIN[1:]]
    found = findings([START, handled(FIRST, 109), *GOOD[3:], *AGAIN, *twice])
    assert found.repeats["single"].beyond == (FIRST,)


def test_an_answer_of_the_last_second_may_not_have_come_into_the_ledger() -> None:
    found = findings([*GOOD, *AGAIN], killed=111)
    assert found.problems == ()
    assert found.repeats["single"].reasons == {"last second": 1, "in flight": 1}


def test_without_a_database_no_answer_comes_into_the_ledger() -> None:
    trouble = Trouble("restart", 108, 125)
    found = findings([*GOOD, *AGAIN], killed=126, troubles=(trouble,))
    assert found.problems == ()
    assert found.repeats["single"].reasons == {"no database": 2}
    earlier = Trouble("restart", 112, 125)
    found = findings([*GOOD, *AGAIN], killed=126, troubles=(earlier,))
    assert found.repeats["single"].beyond == (FIRST,)


def test_without_a_ledger_a_flag_that_is_set_is_a_reason_for_a_repetition() -> None:
    found = findings([*GOOD, *AGAIN], ledger=False, flags=frozenset({1}))
    assert found.problems == ()
    found = findings([*GOOD, *AGAIN], ledger=False, flags=frozenset({2}))
    assert found.repeats["single"].beyond == (FIRST,)


def test_a_host_that_keeps_files_open_is_found() -> None:
    found = findings(GOOD, usage=Usage(descriptors=1_000, threads=5))
    assert any("1000 files open" in problem for problem in found.problems)
