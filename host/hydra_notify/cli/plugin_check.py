"""`plugin check`: a program in, a report and a verdict out."""

import sys
from pathlib import Path
from typing import Final

import click
import trio

from hydra_notify.cli.options import settings_or_exit
from hydra_notify.kit.check.candidate import Candidate
from hydra_notify.kit.check.formats import as_json, as_junit, as_text
from hydra_notify.kit.check.report import Level
from hydra_notify.kit.check.rule import Rule
from hydra_notify.kit.check.run import check
from hydra_notify.kit.child import resolved

_FORMATS: Final = {"text": as_text, "json": as_json, "junit": as_junit}

_COLOURS: Final = {
    "  ok": "green",
    "  FAILED": "red",
    "  should": "yellow",
    "          fix:": "cyan",
    "FAILED": "red",
    "passed": "green",
}
"""How the beginnings of lines are shown."""

_CLEAR_LINE: Final = "\r\x1b[K"


def check_program(
    command: tuple[str, ...], settings_path: Path | None, level: str, form: str
) -> None:
    """Print the report; exit status 1 if the verdict is bad."""
    settings = settings_or_exit(settings_path)
    candidate = Candidate(
        resolved(command), settings.settings, settings.secrets, settings.environment
    )
    report = trio.run(check, candidate, Level(level), None, _tell)
    if sys.stderr.isatty():
        click.echo(_CLEAR_LINE, err=True, nl=False)
    for line in _FORMATS[form](report).splitlines():
        # click takes the colours out again where nobody sees them.
        click.echo(_coloured(line) if form == "text" else line)
    sys.exit(not report.passed)


def _coloured(line: str) -> str:
    for start, colour in _COLOURS.items():
        if line.startswith(start):
            mark, rest = line[: len(start)], line[len(start) :]
            return click.style(mark, fg=colour, bold=True) + rest
    return line


def _tell(rule: Rule) -> None:
    if sys.stderr.isatty():
        click.echo(f"{_CLEAR_LINE}{rule.name}: it {rule.title} ...", err=True, nl=False)
