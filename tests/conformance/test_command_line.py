"""Hydra: its daemon as the tests of its plugins run it, and an option it has not."""

from pathlib import Path

from tests.command_line import Commands


def test_unlike_hydra_an_unknown_option_is_status_2(tmp_path: Path) -> None:
    """As any wrong usage here; a unit may have `RestartPreventExitStatus=2`."""
    commands = Commands(tmp_path / "hydra-notify.toml")
    assert "No such option" in commands.said("run", "--quued-only", status=2)
