"""The plugins of forges as their users meet them: their manuals, and every rule."""

import sys
import textwrap
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from hydra_notify.kit.check.candidate import Candidate, Patience
from hydra_notify.kit.check.formats import as_text
from hydra_notify.kit.check.report import Level
from hydra_notify.kit.check.run import check
from hydra_notify_plugins import bitbucket, gitea, github, gitlab
from hydra_notify_sdk.testing import drive

PATIENCE = Patience(quick=10)
"""The machine may have other work."""


def shown_in(text: str) -> str:
    """The first configuration that a text shows, as TOML."""
    lines = text[text.index("    [plugins.") :].splitlines()
    return textwrap.dedent("\n".join(lines[: lines.index("")]))


@pytest.mark.parametrize("module", [bitbucket, gitea, github, gitlab])
def test_a_manual_shows_every_setting_and_what_it_shows_is_taken(
    module: ModuleType, tmp_path: Path
) -> None:
    shown = shown_in(module.__doc__ or "")
    ((_, table),) = tomllib.loads(shown)["plugins"].items()
    settings = table["settings"]
    assert set(settings) == set(module.Settings.__struct_fields__)
    assert table["command"] == [f"hydra-notify-{module.plugin.name}"]
    secrets = {name: "made up" for name in table["secrets"] if name != "password"}
    drive(module.plugin, config=settings, secrets=secrets, state_dir=tmp_path)


async def test_the_plugin_for_github_keeps_every_rule() -> None:
    """One of the four: they differ in nothing that is tried."""
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
