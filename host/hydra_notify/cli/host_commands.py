"""The commands about the host and the plugins it runs: words, options, help.

What they do is imported when it is done.
"""

from pathlib import Path

import click

from hydra_notify.cli.options import Utf8, config_option, json_option
from hydra_notify.cli.plugin_commands import plugin


@click.command()
@config_option
@click.option("--watch", is_flag=True, help="Draw it anew every second, until Ctrl-C.")
@json_option
def status(config_path: Path, watch: bool, as_json: bool) -> None:
    """Say how the host is, what is wrong, and what helps.

    Exit status 0 if all is well, 1 if something is not or no host answers.
    """
    if watch and as_json:
        raise click.UsageError("--watch is for people: leave it out, or --json")
    from hydra_notify.cli.status import show

    show(config_path, watch=watch, as_json=as_json)


@click.command()
@config_option
@json_option
def doctor(config_path: Path, as_json: bool) -> None:
    """Look for what is wrong around the host, and say what helps.

    It looks at the configuration, database, ledger, host, state directory, HTTP,
    plugins and their sandboxes. Nothing is changed and no event is sent; a plugin that
    no host runs is started in a temporary directory, greeted, and ended. Exit status 1
    if something fails; a warning is none.
    """
    from hydra_notify.cli.doctor import show

    show(config_path, as_json=as_json)


@plugin.command("restart", epilog="Example: hydra-notify plugin restart chat")
@click.argument("name", type=Utf8())
@config_option
def restart(config_path: Path, name: str) -> None:
    """Have a running host start a plugin again, and wait until it is ready.

    It finishes what it has first. One that is disabled, or waits for its next start, is
    started at once. Exit status 1 if it is not ready within a minute.
    """
    from hydra_notify.cli.plugin_orders import give

    give(config_path, name, "restart")


@plugin.command("pause", epilog="Example: hydra-notify plugin pause chat")
@click.argument("name", type=Utf8())
@config_option
def pause(config_path: Path, name: str) -> None:
    """Have a running host send a plugin nothing until it is resumed.

    It goes on running, and what it is owed is kept. A host that is started anew knows
    nothing of it.
    """
    from hydra_notify.cli.plugin_orders import give

    give(config_path, name, "pause")


@plugin.command("resume", epilog="Example: hydra-notify plugin resume chat")
@click.argument("name", type=Utf8())
@config_option
def resume(config_path: Path, name: str) -> None:
    """Have a running host send a paused plugin what it is owed."""
    from hydra_notify.cli.plugin_orders import give

    give(config_path, name, "resume")
