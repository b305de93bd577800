"""The commands about single plugins: their words, their options, their help.

What they do is imported when it is done.
"""

import sys
from pathlib import Path

import click

from hydra_notify.cli.options import (
    EXIT_USAGE,
    Utf8,
    config_option,
    settings_option,
)

_program = click.argument(
    "command", metavar="PROGRAM [ARGUMENT]...", nargs=-1, required=True
)


@click.group()
def plugin() -> None:
    """Write, try, look into and steer plugins.

    `trace`, `record`, `restart`, `pause` and `resume` are about plugins of a host that
    runs; the others need neither a database nor a Hydra.
    """


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


@plugin.command("trace", epilog="Example: hydra-notify plugin trace chat")
@click.argument("name", type=Utf8())
@config_option
@click.option(
    "--json", "as_json", is_flag=True, help="For programs: one JSON object a line."
)
def trace(config_path: Path, name: str, as_json: bool) -> None:
    """Show what a running plugin says and is told, until Ctrl-C.

    It begins with the plugin's `initialize` and goes on when the plugin is started
    again. Secrets are shown as ***.
    """
    from hydra_notify.cli.plugin_trace import show

    show(config_path, name, as_json=as_json)


@plugin.command("record", epilog="Example: hydra-notify plugin record chat --events 10")
@click.argument("name", type=Utf8())
@config_option
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write it.  [default: NAME.jsonl]",
)
@click.option(
    "--events",
    metavar="N",
    type=click.IntRange(1),
    help="End after so many answered events.",
)
@click.option("--force", is_flag=True, help="Overwrite the file if there is one.")
def record(
    config_path: Path, name: str, output: Path | None, events: int | None, force: bool
) -> None:
    """Write down what a running plugin says and is told, until Ctrl-C.

    The file is a transcript that can be replayed. Secrets are written as ***; what else
    events say of builds is in it.
    """
    from hydra_notify.cli.plugin_record import write

    write(config_path, name, output, events, force=force)


@plugin.command(
    epilog="The languages: python, bash, node, go, rust, perl, ruby. Example: "
    "hydra-notify plugin new go chat"
)
@click.argument("language", metavar="LANG")
@click.argument("name")
def new(language: str, name: str) -> None:
    """Write a plugin to begin with, and its test, into a new directory NAME."""
    from hydra_notify.kit.scaffold import NotWritten, write_plugin

    try:
        steps = write_plugin(language, name, Path())
    except NotWritten as error:
        click.echo(f"hydra-notify: {error}", err=True)
        sys.exit(EXIT_USAGE)
    for step in steps:
        click.echo(step)


@plugin.command(
    epilog="Arguments of the program that begin with a dash follow after --."
)
@_program
@settings_option
@click.option(
    "--watch", "watched", is_flag=True, help="Start it anew when its files change."
)
def run(command: tuple[str, ...], settings_path: Path | None, watched: bool) -> None:
    """Keep a plugin running, send it sample events, and see all that is said.

    Type `help` to see what can be typed. Exit status 1 if the plugin misbehaved.
    """
    from hydra_notify.cli.plugin_play import keep_running

    keep_running(command, settings_path, watched=watched)


@plugin.command(
    epilog="Example: hydra-notify plugin send build_finished --set buildStatus=failed"
)
@click.argument("event", type=Utf8())
@click.argument("command", metavar="[-- PROGRAM [ARGUMENT]...]", nargs=-1)
@click.option(
    "--set",
    "edits",
    metavar="PATH=VALUE",
    multiple=True,
    type=Utf8(),
    help="Change the sample.",
)
@settings_option
@click.option(
    "--to",
    "wanted",
    metavar="NAME",
    default="",
    type=Utf8(),
    help="The run, if there are several.",
)
@click.option(
    "--print", "printed", is_flag=True, help="Write initialize and event for a pipe."
)
def send(
    event: str,
    command: tuple[str, ...],
    edits: tuple[str, ...],
    settings_path: Path | None,
    wanted: str,
    printed: bool,
) -> None:
    """Send a sample event to the plugin that a `plugin run` keeps, or to PROGRAM.

    PATH is dotted and starts in the event's data, but for delivery.* and event.*;
    VALUE is JSON, or else text. Exit status 1 if the event was not delivered.
    """
    if wanted and (command or printed):
        raise click.UsageError("--to names a run: leave it out, or the rest")
    if settings_path and not (command or printed):
        raise click.UsageError("--config is for `plugin run`, or for a PROGRAM here")
    from hydra_notify.cli.plugin_play import print_frames, send_sample

    if printed:
        print_frames(event, edits, settings_path)
    else:
        send_sample(event, edits, command, settings_path, wanted)


@plugin.command()
@click.argument("file", type=click.Path(path_type=Path))
@_program
@settings_option
@click.option("--as-redelivery", is_flag=True, help="Mark every event as sent before.")
def replay(
    file: Path,
    command: tuple[str, ...],
    settings_path: Path | None,
    as_redelivery: bool,
) -> None:
    """Send a recording to a plugin again, and compare its answers.

    FILE is what `plugin record` has written. Its settings are used unless --config has
    others; its secrets are masked, and come from there. Exit status 1 if an answer
    differs in more than its words.
    """
    from hydra_notify.cli.plugin_play import say_again

    say_again(file, command, settings_path, as_redelivery=as_redelivery)
