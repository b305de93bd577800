"""Every example keeps every rule that can be tried on it, at level should."""

import os
import sys
from pathlib import Path

import pytest
from tests.languages import EXAMPLES as LANGUAGES
from tests.languages import is_plugin, program
from tests.transcripts import Frame

from hydra_notify.kit.check.candidate import Candidate, Patience
from hydra_notify.kit.check.formats import as_text
from hydra_notify.kit.check.report import Level
from hydra_notify.kit.check.run import check

EXAMPLES = Path(__file__).parents[1] / "example_plugins"

PYTHON: dict[str, Frame] = {
    "log_events/log_events.py": {"receipts": True},
    "flaky/flaky.py": {},
    "run_command/run_command.py": {"commands": [{"command": "true"}]},
    "webhook/webhook.py": {"url": "{sink}/hook", "timeout": 2},
}
"""Settings of those that are written in Python."""

NEVER_ASKED_TWICE = {"bad-config", "new-events", "window"}
"""Rules that are not tried on plugins without settings, patterns, or a window."""

WITHOUT_SERVICE = {"slow-down", "outage", "credentials", "hang"}

PATIENCE = Patience(quick=10)
"""The machine may have other work."""


def test_every_example_is_checked() -> None:
    scripts = {path for path in EXAMPLES.rglob("*.py") if is_plugin(path)}
    own = {path for path in scripts if "languages" not in path.parts}
    assert own == {EXAMPLES / name for name in PYTHON}


def settings_of(name: str) -> Frame:
    if name in PYTHON:
        return PYTHON[name]
    return {"failures_only": False} if LANGUAGES[name].settings else {}


@pytest.mark.parametrize("name", [*PYTHON, *LANGUAGES])
async def test_an_example_keeps_every_rule(name: str, builds: Path) -> None:
    path = EXAMPLES / name if name in PYTHON else program(name, builds)
    settings = settings_of(name)
    found_first = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    candidate = Candidate(
        (str(path),), settings, {"token": "a secret of the test"}, {"PATH": found_first}
    )
    report = await check(candidate, Level.SHOULD, PATIENCE)
    assert report.passed, as_text(report)
    untried = {each.rule for each in report.results if each.outcome == "not tried"}
    assert untried <= NEVER_ASKED_TWICE | WITHOUT_SERVICE
    assert bool(untried & WITHOUT_SERVICE) is not ("{sink}" in str(settings))
