"""docs/alerts: a page for each alert and each problem, all in one form."""

import re
from itertools import product
from pathlib import Path
from typing import Final

import pytest
from tests.pages import ROOT, dead_links, rows, section
from tests.statuses import plugin_status
from tests.test_docs_operating import words_of_the_host
from tests.test_monitoring import GROUP

from hydra_notify.cli import main
from hydra_notify.election import LOCK_CLASS
from hydra_notify.metrics import Counts, LedgerState, PluginState, Role
from hydra_notify.problems import problems

FOLDER: Final = ROOT / "docs" / "alerts"
INDEX: Final = FOLDER / "README.md"
PAGES: Final = sorted(set(FOLDER.glob("*.md")) - {INDEX})

SECTIONS: Final = ["Look", "Do", "Over when", "Planned?"]


def names_of_problems() -> set[str]:
    """Of all that the host can find wrong with itself."""
    found = set()
    for role, listening, stopping, ledger, state in product(
        Role, (False, True), (False, True), LedgerState, PluginState
    ):
        counts = Counts(role=role, listening=listening, ledger=ledger)
        counts.polling = not listening and stopping
        counts.config_reload_failed = True
        plugin = plugin_status("chat", state=state, paused=True)
        all_of_them = problems(
            counts, [plugin], stuck="the loop", stopping=stopping, dead=1
        )
        found |= {each.name for each in all_of_them}
    return found


PROBLEMS: Final = names_of_problems()
ALERTS: Final = {
    rule.alert: Path(rule.annotations["runbook_url"]).stem for rule in GROUP.rules
}


def head(page: Path) -> str:
    """What stands above the first section, in one line."""
    return " ".join(page.read_text().partition("\n## ")[0].split())


def test_there_are_problems_and_alerts_to_look_for() -> None:
    assert len(PROBLEMS) > 12
    assert len(ALERTS) > 15


def test_each_alert_and_each_problem_has_its_page_and_each_page_has_one() -> None:
    assert {page.stem for page in PAGES} == PROBLEMS | set(ALERTS.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_named_as_what_it_is_about(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    about = head(page)
    if page.stem in PROBLEMS:
        assert re.search(rf"[Pp]roblem `{page.stem}`", about)
    for rule in GROUP.rules:
        if ALERTS[rule.alert] == page.stem:
            (said,) = re.findall(rf"`{rule.alert}`, ([^.]*)", about)
            assert rule.labels["severity"] in said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_all_that_is_asked_at_night_and_is_short(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"^## (.+)$", text, re.M) == SECTIONS
    assert "**What it means.** " in text
    assert "**Is anything lost?** " in text
    assert re.search(r"```sh\n", section(text, "Look"))
    assert len(text.splitlines()) < 70


@pytest.mark.parametrize("page", [*PAGES, INDEX], ids=lambda page: page.stem)
def test_a_page_leads_to_what_is_there(page: Path) -> None:
    assert dead_links(page) == []


def test_a_silence_names_alerts_that_there_are() -> None:
    named = [
        name
        for page in [*PAGES, INDEX]
        for name in re.findall(r'alertname="(\w+)"', page.read_text())
    ]
    assert len(named) > 10
    assert set(named) <= set(ALERTS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_says_is_printed_is_what_the_host_says(page: Path) -> None:
    quoted = re.findall(r"`([a-z][a-z-]*(?: [a-z]+)+)`", page.read_text())
    said = [each for each in quoted if not is_a_command(each)]
    assert [words for words in said if words not in words_of_the_host()] == []


def is_a_command(words: str) -> bool:
    program, command, *_ = words.split()
    return program == "hydra-notify" and command in main.commands


def test_the_lock_that_a_page_looks_for_is_that_of_the_active_host() -> None:
    sought = [
        int(number)
        for page in PAGES
        for number in re.findall(r"classid = (\d+)", page.read_text())
    ]
    assert sought == [LOCK_CLASS, LOCK_CLASS]


def test_the_index_has_a_line_for_each() -> None:
    listed = {
        re.sub(r".*\((.*)\.md\)", r"\1", page): (alert.strip("`-"), problem.strip("`-"))
        for page, alert, problem, _ in rows(INDEX.read_text())
        if page != "page"
    }
    assert set(listed) == {page.stem for page in PAGES}
    assert {alert: page for page, (alert, _) in listed.items() if alert} == ALERTS
    assert {problem for _, problem in listed.values() if problem} == PROBLEMS
    assert all(problem in ("", page) for page, (_, problem) in listed.items())
