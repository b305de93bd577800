"""docs/conformance.md: what it names is there, and what is there is named."""

import re
from pathlib import Path
from typing import Final

import pytest
from tests.pages import ROOT, dead_links, missing_tests, names_in, rows

PATH = ROOT / "docs" / "conformance.md"
PAGE = PATH.read_text()

FILES: Final = (
    "t/Hydra/Event.t",
    *(
        f"t/Hydra/Event/{name}.t"
        for name in (
            "BuildFinished",
            "BuildQueued",
            "CachedBuildFinished",
            "EvalStarted",
            "StepFinished",
        )
    ),
    "crates/build-logs/src/notify.rs",
    "t/Hydra/TaskDispatcher.t",
    "t/Hydra/Math.t",
    "t/Hydra/Schema/Result/TaskRetries.t",
    "t/Hydra/Schema/ResultSet/TaskRetries.t",
    "t/Hydra/PostgresListener.t",
    "t/Hydra/Config/hydra-notify.t",
    "t/queue-runner/notifications.t",
    "nixos-tests/notifications.nix",
    "t/scripts/hydra-eval-jobset/notifications.t",
    "crates/db/src/connection.rs",
)
"""Where Hydra tests what is a host's business."""

CASES = [row for row in rows(PAGE) if row[0] != "case"]

JUDGEMENTS: Final = re.compile(r"same\b|different: .{15}|later: .{15}")

_, _, OUR_OWN = PAGE.partition("## What Hydra's tests do not ask")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0][:40])
def test_a_case_is_judged_and_proved_by_tests_that_exist(case: list[str]) -> None:
    asked, judgement, *proof = case
    assert asked
    if case not in rows(OUR_OWN):
        assert JUDGEMENTS.match(judgement), judgement
    if judgement.startswith("later: "):
        assert not proof
    else:
        assert missing_tests(proof[0]) == []


def test_every_test_of_conformance_stands_for_a_case() -> None:
    here = Path(__file__).parent / "conformance"
    tests = {
        f"conformance/{path.name}::{name}"
        for path in here.glob("test_*.py")
        for name in names_in(path)
    }
    assert len(tests) > 40
    assert tests - set(re.findall(r"`(conformance/[^`]+)`", PAGE)) == set()


def test_what_differs_says_so_in_the_name_of_its_test() -> None:
    for asked, judgement, *proof in CASES:
        own = [name for name in proof if "conformance/" in name]
        if own and judgement.startswith("same"):
            assert "unlike" not in own[0], asked


def test_every_file_of_hydras_suite_that_is_a_hosts_business_is_a_heading() -> None:
    headings = " ".join(re.findall(r"^#+ (.+)$", PAGE, re.M))
    assert [name for name in FILES if name not in headings] == []


def test_every_link_leads_somewhere() -> None:
    assert dead_links(PATH) == []
