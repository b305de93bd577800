"""`hydra-notify ledger`: make the tables, and say how they are."""

from pathlib import Path
from shlex import quote

import click

from hydra_notify import ledger
from hydra_notify.cli.at_database import (
    DONE,
    FAILED,
    Refused,
    at_database,
    ledger_fault,
)
from hydra_notify.cli.letters import WORDS
from hydra_notify.cli.listing import Column, show_json, show_table
from hydra_notify.config import Config
from hydra_notify.database import Connection, translated
from hydra_notify.election import host_is_active
from hydra_notify.errors import PermissionDenied
from hydra_notify.records import Standing

_STANDINGS = tuple(Standing)


def create(path: Path) -> None:
    """Make the tables, or bring them up to date; exits."""
    at_database(path, _create)


def status(path: Path, *, as_json: bool) -> None:
    """Say how the tables are; exits."""

    def work(connection: Connection, _: Config) -> int:
        return _status(connection, as_json=as_json)

    at_database(path, work)


def _create(connection: Connection, _: Config) -> int:
    try:
        with translated():
            before, now = ledger.create(connection)
    except PermissionDenied as error:
        role = connection.info.user
        raise Refused(
            f"the role {role} may not make the ledger ({error}); let the owner of the"
            f" database run: hydra-notify ledger ddl --role {quote(role)} |"
            f" psql --set ON_ERROR_STOP=1 {quote(connection.info.dbname)}"
        ) from error
    if now > ledger.VERSION:
        raise Refused(ledger_fault(connection))
    if before == now:
        click.echo(f"the ledger is of version {now} already")
    elif before == 0:
        click.echo(
            f"made the ledger, version {now}; an active host finds it within 30 s"
        )
    else:
        click.echo(f"brought the ledger from version {before} to {now}")
    return DONE


def _status(connection: Connection, *, as_json: bool) -> int:
    version = ledger.version(connection)
    fault = ledger_fault(connection)
    if not fault:
        ledger.require_privileges(connection)
    document: dict[str, object] = {
        "version": version or None,
        "usable": not fault,
        "fault": fault or None,
        "active_host": host_is_active(connection),
    }
    if fault:
        if as_json:
            show_json(document)
        else:
            click.echo(fault)
        return FAILED
    sizes = ledger.sizes(connection)
    plugins: dict[str, dict[Standing, int]] = {}
    for plugin, standing, number in ledger.counts(connection):
        plugins.setdefault(plugin, {})[standing] = number
    if as_json:
        document |= {
            "open_events": sizes.open_events,
            "closed_events": sizes.closed_events,
            "bytes": sizes.total_bytes,
            "plugins": {
                plugin: {each.value: counts.get(each, 0) for each in _STANDINGS}
                for plugin, counts in plugins.items()
            },
        }
        show_json(document)
        return DONE
    host = "active" if document["active_host"] else "none is active"
    click.echo(f"ledger  version {version}, {sizes.total_bytes / 1024:,.0f} KiB")
    click.echo(f"host    {host}")
    click.echo(
        f"events  {sizes.open_events:,} open, {sizes.closed_events:,} closed but for"
        " dead letters and orphans"
    )
    if plugins:
        click.echo()
        show_table(
            [
                Column("plugin"),
                *(Column(WORDS[each], number=True) for each in _STANDINGS),
            ],
            [
                [plugin, *(f"{counts.get(each, 0):,}" for each in _STANDINGS)]
                for plugin, counts in plugins.items()
            ],
        )
    return DONE
