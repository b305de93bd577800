"""`hydra-notify` as a person runs it: its output and its exit status."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w
from click.testing import CliRunner, Result

from hydra_notify.cli import main


def run(
    *arguments: str | bytes, cwd: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the program as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "hydra_notify", *arguments],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass
class Commands:
    """Commands with a configuration of their own, without the cost of a process."""

    path: Path

    def configure(self, url: str, plugins: dict[str, dict[str, Any]]) -> None:
        """Write the configuration: `plugins` need no command."""
        tables = {name: {"command": ["true"], **keys} for name, keys in plugins.items()}
        document = {"database": {"url": url}, "plugins": tables}
        self.path.write_text(tomli_w.dumps(document))

    def run(self, *arguments: str) -> Result:
        """Run a command, which must not end in an exception."""
        variables = {"HYDRA_NOTIFY_CONFIG": str(self.path)}
        result = CliRunner(env=variables).invoke(
            main, arguments, prog_name="hydra-notify"
        )
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def said(self, *arguments: str, status: int = 0) -> str:
        """All output of a command that must end with this status."""
        result = self.run(*arguments)
        assert result.exit_code == status, result.output
        return result.output


def words(text: str) -> list[Sequence[str]]:
    """The words of each line."""
    return [line.split() for line in text.splitlines()]
