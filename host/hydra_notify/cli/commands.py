"""The operators' commands: their words, their options, their help.

What they do is imported when it is done.
"""

from pathlib import Path
from typing import Final

import click

from hydra_notify.cli.host_commands import doctor, status
from hydra_notify.cli.options import (
    Utf8,
    all_option,
    config_option,
    json_option,
    need_ids_or_all,
    plugin_option,
    yes_option,
)
from hydra_notify.cli.plugin_commands import plugin

_letters = click.argument("ids", metavar="[ID]...", nargs=-1, type=Utf8())


@click.group()
def ledger() -> None:
    """The tables in which the host keeps what outlives it."""


@ledger.command("create")
@config_option
def ledger_create(config_path: Path) -> None:
    """Make the tables, or bring them up to date."""
    from hydra_notify.cli.ledger import create

    create(config_path)


@ledger.command(
    "ddl", epilog="Example: hydra-notify ledger ddl --role notify | psql hydra"
)
@click.option(
    "--role",
    default="",
    type=Utf8(),
    help="A role that shall use the tables without owning them.",
)
def ledger_ddl(role: str) -> None:
    """Print the SQL that makes the tables, for whoever may run it."""
    from hydra_notify.ledger import ddl

    click.echo(ddl(role), nl=False)


@ledger.command("status")
@config_option
@json_option
def ledger_status(config_path: Path, as_json: bool) -> None:
    """Say whether there is a ledger, and how much it holds.

    Exit status 1 if there is none that this version can use.
    """
    from hydra_notify.cli.ledger import status

    status(config_path, as_json=as_json)


@click.group()
def dead() -> None:
    """Dead letters: deliveries that were given up.

    And orphans: deliveries that were owed to a plugin that is no longer configured. An
    ID is a number of `dead list`, or the id of an event as the log has it.
    """


@dead.command("list")
@config_option
@plugin_option
@json_option
def dead_list(config_path: Path, plugin: str | None, as_json: bool) -> None:
    """List them, oldest first."""
    from hydra_notify.cli.dead import show_all

    show_all(config_path, plugin, as_json=as_json)


@dead.command("show")
@click.argument("name", metavar="ID", type=Utf8())
@config_option
@plugin_option
@json_option
def dead_show(config_path: Path, name: str, plugin: str | None, as_json: bool) -> None:
    """Show all there is to know of one event, failures in full."""
    from hydra_notify.cli.dead import show_one

    show_one(config_path, name, plugin, as_json=as_json)


@dead.command("retry")
@_letters
@all_option
@config_option
@plugin_option
def dead_retry(
    config_path: Path, ids: tuple[str, ...], every: bool, plugin: str | None
) -> None:
    """Have them tried again, at once if a host is active."""
    from hydra_notify.cli.dead import retry

    need_ids_or_all(ids, every=every)
    retry(config_path, ids, plugin)


@dead.command("drop")
@_letters
@all_option
@config_option
@plugin_option
@yes_option
def dead_drop(
    config_path: Path, ids: tuple[str, ...], every: bool, plugin: str | None, yes: bool
) -> None:
    """Have them forgotten, and the flags cleared that only they still hold."""
    from hydra_notify.cli.dead import drop

    need_ids_or_all(ids, every=every)
    drop(config_path, ids, plugin, sure=yes)


@click.command()
@config_option
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=50,
    show_default=True,
    help="List no more than so many, the oldest.",
)
@json_option
def pending(config_path: Path, limit: int, as_json: bool) -> None:
    """List the builds whose flag is set, and who still owes them."""
    from hydra_notify.cli.pending import show

    show(config_path, limit, as_json=as_json)


@click.command(epilog="Example: hydra-notify resend build_finished 123")
@click.argument("event", type=Utf8())
@click.argument("fields", metavar="PAYLOAD...", nargs=-1, type=Utf8())
@config_option
def resend(config_path: Path, event: str, fields: tuple[str, ...]) -> None:
    """Announce an event again, as Hydra would.

    PAYLOAD is what Hydra's notification carries: fields separated by TAB, or one
    argument each.
    """
    from hydra_notify.cli.resend import announce

    announce(config_path, event, fields)


@click.group()
def taskretries() -> None:
    """Retries that Hydra's own hydra-notify has left.

    They are in its table taskretries, which nobody else looks at.
    """


@taskretries.command("list")
@config_option
@json_option
def taskretries_list(config_path: Path, as_json: bool) -> None:
    """List the rows, and to whom each would go."""
    from hydra_notify.cli.task_retries import show

    show(config_path, as_json=as_json)


@taskretries.command(
    "import",
    epilog="Example: hydra-notify taskretries import --map RunCommand=hooks",
)
@config_option
@click.option(
    "--map",
    "mapping",
    metavar="CLASS=PLUGIN",
    multiple=True,
    type=Utf8(),
    help="Which plugin takes the place of a Perl class, where the names differ.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def taskretries_import(
    config_path: Path, mapping: tuple[str, ...], dry_run: bool
) -> None:
    """Owe the rows to the plugins that take the place of the Perl ones.

    Stop Hydra's own hydra-notify first. Rows that nobody can deliver any more are left
    and listed.
    """
    from hydra_notify.cli.task_retries import take_over

    take_over(config_path, mapping, dry_run=dry_run)


@taskretries.command("discard")
@click.argument("ids", metavar="[ID]...", nargs=-1, type=click.IntRange(1, 2**31 - 1))
@all_option
@config_option
@yes_option
def taskretries_discard(
    config_path: Path, ids: tuple[int, ...], every: bool, yes: bool
) -> None:
    """Delete rows: what they stand for is not delivered."""
    from hydra_notify.cli.task_retries import discard

    need_ids_or_all(ids, every=every)
    discard(config_path, ids, sure=yes)


@click.command(
    "import-config",
    epilog="Example: hydra-notify import-config /var/lib/hydra/hydra.conf "
    "--output hydra-notify.toml --secrets-dir secrets",
)
@click.argument("path", metavar="HYDRA.CONF", type=click.Path(path_type=Path))
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write it there, where nothing is yet; otherwise it is printed.",
)
@click.option(
    "--secrets-dir",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the values of secrets into files there.",
)
def import_config(path: Path, output: Path | None, secrets_dir: Path | None) -> None:
    """Make a configuration from Hydra's own, hydra.conf.

    What has to be done by hand, and what will be different, is said on standard error.
    The values of secrets are neither printed nor part of the result.
    """
    from hydra_notify.cli.import_config import write

    write(path, output, secrets_dir)


@click.command(epilog="Example: hydra-notify schema event.build_finished")
@click.argument("name", metavar="[NAME]", default="", type=Utf8())
def schema(name: str) -> None:
    """Print a JSON Schema of the plugin protocol, or list them.

    There is one for every message and every event. `openrpc` is the whole protocol as
    an OpenRPC document.
    """
    from hydra_notify.cli.schema import list_all, show

    if name:
        show(name)
    else:
        list_all()


ALL: Final = (
    status,
    doctor,
    ledger,
    dead,
    pending,
    resend,
    taskretries,
    import_config,
    plugin,
    schema,
)
