"""How an operator's command gets to the database, and what becomes of what it meets."""

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NoReturn

import click

from hydra_notify import ledger
from hydra_notify.cli.options import read_or_exit
from hydra_notify.config import Config
from hydra_notify.database import Connection, connect, translated
from hydra_notify.election import host_is_active
from hydra_notify.errors import DatabaseLost, HydraNotifyError, PermissionDenied

DONE: Final = 0
FAILED: Final = 1
UNREACHABLE: Final = 69

_OURS: Final = re.compile(r"hydra_notify|table (meta|event|delivery|plugin)\b")
"""In what Postgres says when it is our own tables that are not to be used."""


class Refused(HydraNotifyError):
    """A command cannot do what it was asked for; the message has the fix.

    Args:
        status: The command's exit status.
    """

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


def at_database(path: Path, work: Callable[[Connection, Config], int]) -> NoReturn:
    """Do `work` with a connection to the configured database, and exit.

    Args:
        path: Of the configuration.
        work: Returns the exit status.
    """
    config = read_or_exit(path)
    try:
        connection = connect(config.database.url, application_name="hydra-notify cli")
    except HydraNotifyError as error:
        complain(f"the database cannot be reached: {error}; see database.url in {path}")
        sys.exit(UNREACHABLE)
    # Behind a pooler there may be another backend each time, which knows none of them.
    connection.prepare_threshold = None
    with connection:
        status = _status(connection, config, work)
    sys.exit(status)


def need_ledger(connection: Connection) -> None:
    """Refuse to go on without a ledger.

    Raises:
        Refused: There is none that can be used.
    """
    fault = ledger_fault(connection)
    if fault:
        raise Refused(fault)


def ledger_fault(connection: Connection) -> str:
    """Why the ledger cannot be used and what to do about it; "" if it can."""
    version = ledger.version(connection)
    if version == ledger.VERSION:
        return ""
    if version == 0:
        return "there is no ledger; make it with `hydra-notify ledger create`"
    if version < ledger.VERSION:
        return (
            f"the ledger is of version {version} and this program needs"
            f" {ledger.VERSION}; bring it up to date with `hydra-notify ledger create`"
        )
    return (
        f"the ledger is of version {version} and this program knows {ledger.VERSION};"
        " upgrade hydra-notify"
    )


def say_who_acts(connection: Connection) -> None:
    """Say when what was ordered will be done."""
    if host_is_active(connection):
        click.echo("the active host does it now")
    else:
        click.echo("no host is active: it will be done when one starts")


def sure(question: str, *, yes: bool) -> bool:
    """Whether the person at the terminal wants that; without one it is not asked."""
    return yes or not sys.stdin.isatty() or click.confirm(question, err=True)


def complain(message: str) -> None:
    """Say what went wrong, in one line."""
    click.echo(f"hydra-notify: {message}", err=True)


def complain_of_unknown(names: Iterable[str], what: str, see: str) -> None:
    """Say which of the names that were given stand for nothing."""
    for name in names:
        complain(f"{name}: {what}; see `{see}`")


def _status(
    connection: Connection, config: Config, work: Callable[[Connection, Config], int]
) -> int:
    try:
        with translated():
            return work(connection, config)
    except Refused as error:
        complain(str(error))
        return error.status
    except PermissionDenied as error:
        role = connection.info.user
        complain(f"the role {role} lacks a privilege: {error}; {_fix(error, role)}")
    except DatabaseLost as error:
        if connection.closed:
            complain(f"the database went away: {error}; try again")
            return UNREACHABLE
        complain(f"the database refused for now: {error}; try again")
    except HydraNotifyError as error:
        complain(f"the database refused: {error}")
    return FAILED


def _fix(error: PermissionDenied, role: str) -> str:
    if _OURS.search(str(error)):
        return f"as the owner of the ledger run: {' '.join(ledger.grants(role))}"
    return f"as the owner of Hydra's tables grant it to {role}"
