"""The command: `python -m tests.soak --minutes 10 --seed 1`."""

import shutil
import sys
import tempfile
from pathlib import Path

import click
import trio
from tests.soak.report import report
from tests.soak.run import soak
from tests.soak.settings import Settings

from hydra_notify.demo.server.postgres import private_postgres


@click.command()
@click.option("--minutes", type=click.FloatRange(0.05), default=10, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Of all chance.")
@click.option("--flag-only", is_flag=True, help="Without the host's ledger.")
def main(minutes: float, seed: int, flag_only: bool) -> None:
    """Kill everything again and again, and see whether anything is lost.

    Ends with a report; exit status 0 if all is well. What plugins and hosts wrote is
    kept if not.
    """
    directory = Path(tempfile.mkdtemp(prefix="hydra-notify-soak-"))
    settings = Settings(minutes * 60, seed, not flag_only, directory, click.echo)
    with private_postgres(tcp=True) as server:
        findings = trio.run(soak, settings, server)
    click.echo(report(findings))
    if findings.problems:
        click.echo(f"the evidence is in {directory}")
        sys.exit(1)
    shutil.rmtree(directory)


main()
