"""What every plugin of hydra-notify-plugins has to pass: all rules, at level should."""

import sys

from tests.transcripts import Frame

from hydra_notify.kit.check.candidate import Candidate, Patience
from hydra_notify.kit.check.formats import as_text
from hydra_notify.kit.check.report import Level
from hydra_notify.kit.check.run import check

PATIENCE = Patience(quick=10)
"""The machine may have other work."""

SERVICE = {"slow-down", "outage", "credentials", "hang"}
"""Rules that need a plugin that calls its service for the sample event."""


async def untried(
    module: str,
    settings: Frame,
    secrets: dict[str, str] | None = None,
    environment: dict[str, str] | None = None,
) -> set[str]:
    """The rules that could not be tried; none may be broken.

    Args:
        module: Of `hydra_notify_plugins`.
        settings: Its settings; `{sink}` is the address of the service.
        secrets: Its secrets.
        environment: Variables that its configuration sets.
    """
    command = (sys.executable, "-m", f"hydra_notify_plugins.{module}")
    candidate = Candidate(command, settings, secrets or {}, environment or {})
    report = await check(candidate, Level.SHOULD, PATIENCE)
    assert report.passed, as_text(report)
    return {each.rule for each in report.results if each.outcome == "not tried"}
