"""The commands for authors of plugins: their words, their options, their help.

What they do is imported when it is done.
"""

from pathlib import Path

import click

from hydra_notify.cli.options import settings_option

_program = click.argument(
    "command", metavar="PROGRAM [ARGUMENT]...", nargs=-1, required=True
)


@click.group()
def plugin() -> None:
    """Write, try and look into plugins; needs neither a database nor a Hydra."""


@plugin.command(
    epilog="Example: hydra-notify plugin check ./chat.py --config chat.toml. Arguments "
    "of the program that begin with a dash follow after --."
)
@_program
@settings_option
@click.option(
    "--level",
    type=click.Choice(["must", "should"]),
    default="must",
    show_default=True,
    help="What the verdict goes by.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "junit"]),
    default="text",
    show_default=True,
    help="For people, programs, or CI systems.",
)
def check(
    command: tuple[str, ...], settings_path: Path | None, level: str, form: str
) -> None:
    """Try every rule of the protocol on a program, and say what to mend.

    The program is started a dozen times and sent about fifty made-up events: it does
    what it does with them. Exit status 1 if it breaks a rule of the level.
    """
    from hydra_notify.cli.plugin_check import check_program

    check_program(command, settings_path, level, form)
