"""hydra-notify(1), from the help of the commands and tables of docs/operating.md."""

import re
from collections.abc import Iterator
from typing import Final

import click

import hydra_notify
from generate import roff
from hydra_notify.cli import main

_NAME: Final = "hydra-notify"

_ENVIRONMENT: Final = {
    "HYDRA_NOTIFY_CONFIG": "The configuration, where --config does not say.",
    "HYDRA_DATABASE_URL, HYDRA_DBI": "Hydra's database, where the configuration does "
    "not say: a libpq URL; or, as older Hydras have it, `dbi:Pg:...`.",
    "PGDATABASE, PGHOST, PGUSER, PGPASSFILE, ...": "What the address leaves open, as "
    "for every program of libpq.",
    "HYDRA_DATA": "Hydra's data directory, where the configuration does not say.",
    "STATE_DIRECTORY, CREDENTIALS_DIRECTORY": "Set by systemd: where plugins have "
    "their directories, and where secrets are.",
    "NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID": "Set by systemd for a service of "
    "`Type=notify`: it is told when the host is ready, and whether it gets on.",
}

_FILES: Final = {
    "hydra-notify.toml": "The configuration, in the working directory if nothing else "
    "is said. See hydra-notify.toml(5).",
    "/var/lib/hydra-notify": "The directories of plugins, and the socket of the host "
    "that runs, host.sock.",
}


def page(operating: str) -> str:
    """The page.

    Args:
        operating: The text of docs/operating.md, which explains signals and statuses.
    """
    context = click.Context(main, info_name=_NAME)
    parts = [
        roff.header("HYDRA-NOTIFY", 1, hydra_notify.__version__, "User Commands"),
        roff.heading("Name"),
        roff.escaped(f"{_NAME} - {_first_sentence(main)}"),
        roff.heading("Synopsis"),
        *(_synopsis(each) for each in _leaves(context)),
        roff.heading("Description"),
        roff.paragraphs(f"{main.help}\n\n{main.epilog}"),
        *_options(context),
        roff.heading("Commands"),
        *_commands(context),
        roff.heading("Signals"),
        *_rows(operating, "signal"),
        roff.heading("Exit status"),
        *_rows(operating, "exit status"),
        roff.heading("Environment"),
        *(roff.item(*each) for each in _ENVIRONMENT.items()),
        roff.heading("Files"),
        *(roff.item(*each) for each in _FILES.items()),
        roff.heading("See also"),
        r"\fBhydra\-notify.toml\fR(5), \fBsystemd.service\fR(5)",
    ]
    return "\n".join(parts) + "\n"


def _children(context: click.Context) -> Iterator[click.Context]:
    command = context.command
    assert isinstance(command, click.Group)
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        yield click.Context(child, info_name=name, parent=context)


def _leaves(context: click.Context) -> Iterator[click.Context]:
    if not isinstance(context.command, click.Group):
        yield context
        return
    for child in _children(context):
        yield from _leaves(child)


def _synopsis(context: click.Context) -> str:
    pieces = context.command.collect_usage_pieces(context)
    shown = (
        rf"\fB{roff.escaped(context.command_path)}\fR {roff.escaped(' '.join(pieces))}"
    )
    return f".PP\n.nf\n{shown}\n.fi"


def _commands(context: click.Context) -> Iterator[str]:
    for child in _children(context):
        command = child.command
        yield roff.part(" ".join(_words(child)))
        yield roff.paragraphs("\n\n".join(filter(None, (command.help, command.epilog))))
        yield from _options(child)
        if isinstance(command, click.Group):
            yield from _commands(child)


def _words(context: click.Context) -> list[str]:
    if isinstance(context.command, click.Group):
        return [context.command_path, "COMMAND"]
    return [context.command_path, *context.command.collect_usage_pieces(context)]


def _options(context: click.Context) -> Iterator[str]:
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and "--help" not in record[0]:
            yield roff.item(*record)


def _rows(operating: str, first: str) -> Iterator[str]:
    """The rows of a table, by the name of its first column."""
    found = re.search(rf"^\| {first} \|.*\n\|[-|]*\n((?:\|.*\n)+)", operating, re.M)
    assert found is not None, first
    for row in found[1].splitlines():
        term, meaning, *_ = (cell.strip() for cell in row.strip("|").split("|"))
        # Links lead nowhere from here.
        yield roff.item(term, re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", meaning))


def _first_sentence(command: click.Command) -> str:
    text = " ".join((command.help or "").split())
    return text.partition(".")[0].replace("Deliver", "deliver", 1)
