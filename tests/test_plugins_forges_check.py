"""A plugin of a forge keeps every rule, at level should.

One of the four: they differ in nothing that is tried.
"""

import sys

from hydra_notify.kit.check.candidate import Candidate, Patience
from hydra_notify.kit.check.formats import as_text
from hydra_notify.kit.check.report import Level
from hydra_notify.kit.check.run import check

PATIENCE = Patience(quick=10)
"""The machine may have other work."""


async def test_the_plugin_for_github_keeps_every_rule() -> None:
    settings: dict[str, object] = {
        "api_url": "{sink}",
        "hosts": ["github.com"],
        "inputs": ["nixpkgs"],
        "timeout": 1,
    }
    command = (sys.executable, "-m", "hydra_notify_plugins.github")
    candidate = Candidate(command, settings, {"token": "a secret of the test"}, {})
    report = await check(candidate, Level.SHOULD, PATIENCE)
    assert report.passed, as_text(report)
    untried = {each.rule for each in report.results if each.outcome == "not tried"}
    # It names its events one by one, and takes one at a time.
    assert untried == {"new-events", "window"}
