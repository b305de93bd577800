"""docs/plugins/wishes.md: every wish is judged, and what it names is there."""

import re
import tomllib
from typing import Final

import pytest
from tests.pages import ROOT, dead_links, missing_tests, rows

PATH = ROOT / "docs" / "plugins" / "wishes.md"

WISHES = [row for row in rows(PATH.read_text()) if row[0] != "issue"]

JUDGEMENTS: Final = re.compile(r"\*\*(Met|Partly|Not yet|Not ours)\.\*\* .{20}")


ISSUE: Final = re.compile(
    r"\[([\w./-]*)#(\d+)\]\(https://github\.com/([\w./-]+)/issues/(\d+)\)"
)


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: wish[1][:40])
def test_a_wish_has_issues_a_judgement_and_tests_that_exist(wish: list[str]) -> None:
    issues, asked, here = wish
    assert asked
    assert ISSUE.sub("", issues).strip() == ""
    for project, number, linked, its_number in ISSUE.findall(issues):
        assert (project or "NixOS/hydra", number) == (linked, its_number)
    assert JUDGEMENTS.match(here), here
    named = re.findall(r"`[^`]+\.py::[^`]+`", here)
    assert [each for each in named if missing_tests(each)] == []


def test_programs_of_plugins_that_it_names_are_there() -> None:
    text = (ROOT / "example_plugins" / "pyproject.toml").read_text()
    there = set(tomllib.loads(text)["project"]["scripts"])
    named = set(re.findall(r"`(hydra-notify-[a-z-]+)`", PATH.read_text()))
    assert len(named) > 5
    assert named <= there


def test_no_issue_is_judged_twice() -> None:
    issues = [match[2:] for wish in WISHES for match in ISSUE.findall(wish[0])]
    assert len(issues) == len(set(issues)) > 70


def test_every_link_leads_somewhere() -> None:
    assert dead_links(PATH) == []
