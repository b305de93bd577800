"""The command line: arguments in, exit statuses out.

Nothing heavy is imported before a command needs it: `--help` and completion are quick.

* here: what runs the host, and the demo.
* `commands`: the operators' commands; `options`: what they have in common.
* `plugin_commands`: those about single plugins; `plugin_...`: what each of them does.
* `host_commands`: those about the host and what it runs.
* `host_socket`: how they get to the host that runs.
* `status`: how it is, once or as it goes on; `status_picture`: its lines.
* `doctor`: what is wrong around it.
* `ledger`, `dead`, `pending`, `resend`, `task_retries`: what those do.
* `letters`, `succession`: what they say of deliveries, and of the rows Perl has left.
* `import_config`: Hydra's own configuration to one of ours.
* `schema`: the protocol for programs.
* `at_database`: how they get there, and what becomes of errors; `listing`: tables;
  `paragraph`: lines of words.
"""

import gc
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import hydra_notify
from hydra_notify.cli import commands
from hydra_notify.cli.options import config_option, read_or_exit

if TYPE_CHECKING:
    from hydra_notify.logs import Form, Level

EXIT_BUG: Final = 70
"""EX_SOFTWARE of sysexits.h."""


class _Commands(click.Group):
    """Runs `run` when the first word is no command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"--help", "--version", "-h"}
        # Whoever completes the first word may want any command.
        empty = not args and not ctx.resilient_parsing
        if empty or (args and args[0].startswith("-") and args[0] not in own):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Without a command: run.",
)
@click.version_option(hydra_notify.__version__, prog_name="hydra-notify")
def main() -> None:
    """Deliver Hydra's build events to plugins, each a process of its own."""


@main.command()
@config_option
@click.option("--queued-only", is_flag=True, help="Deliver what is pending, then exit.")
@click.option(
    "--log-format",
    type=click.Choice(["auto", "human", "journal", "json"]),
    envvar="HYDRA_NOTIFY_LOG_FORMAT",
    show_envvar=True,
    default="auto",
    show_default=True,
    help="json is for containers and whatever collects logs.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    envvar="HYDRA_NOTIFY_LOG_LEVEL",
    show_envvar=True,
    default="info",
    show_default=True,
    help="The least that is kept; debug has a line for each delivery.",
)
def run(
    config_path: Path, queued_only: bool, log_format: "Form", log_level: "Level"
) -> None:
    """Listen to Hydra's database and deliver events until stopped."""
    config = read_or_exit(config_path)

    import faulthandler

    import trio

    from hydra_notify import logs, process
    from hydra_notify.config import Config, passwords, read_config
    from hydra_notify.daemon import Daemon
    from hydra_notify.metrics import Counts
    from hydra_notify.systemd import Systemd

    if sys.stderr is not None:
        # A watchdog ends with SIGABRT what stands still: the log then says where.
        faulthandler.enable()
    logs.set_up(sys.stderr, os.environ, form=log_format, level=log_level)

    def hide_passwords(config: Config) -> None:
        of_libpq = os.environ.get("PGPASSWORD", "")
        logs.hide("database.url", {of_libpq, *passwords(config.database.url)})

    def reread() -> Config:
        config = read_config(config_path, environ=os.environ)
        hide_passwords(config)
        return config

    hide_passwords(config)
    process.adopt_orphans()
    _collect_seldom()
    plugins = config.plugins.values()
    process.give_up_privileges(
        setuid=not all(plugin.sandbox.no_new_privs for plugin in plugins)
    )
    process.cgroups.settle()
    daemon = Daemon(config, Counts(), reread=reread, systemd=Systemd(os.environ))
    try:
        status: int = trio.run(daemon.deliver_queued if queued_only else daemon.serve)
    except Exception:
        # Whatever a user, a plugin or Postgres can do is handled where it happens.
        logging.getLogger(__name__).critical(
            "hydra-notify has a bug and ends; nothing that was owed is lost",
            exc_info=True,
        )
        status = EXIT_BUG
    sys.exit(status)


def _collect_seldom() -> None:
    """Have the garbage collector look less often, and never at what was imported.

    Next to nothing here is in a cycle: it finds little, and costs a tenth of the time.
    """
    from hydra_notify.limits import GARBAGE_ALLOCATIONS

    gc.freeze()
    gc.set_threshold(GARBAGE_ALLOCATIONS)


@main.command("check-config")
@config_option
def check_config(config_path: Path) -> None:
    """Check the configuration and say what each plugin gets."""
    from hydra_notify.config import describe

    for line in describe(read_or_exit(config_path)):
        click.echo(line)


@main.command()
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    default=20,
    show_default=True,
    help="How long builds go on.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0.1, 500),
    default=5,
    show_default=True,
    help="Builds a second.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of all chance.")
@click.option(
    "--serve", is_flag=True, help="Keep the status page alive at the end, until Ctrl-C."
)
def demo(seconds: float, rate: float, seed: int, serve: bool) -> None:
    """Show it all at work: a private Postgres, a pretended Hydra, a bad plugin.

    Needs no set-up, touches nothing outside a temporary directory, and ends by itself
    with a verdict: exit status 1 if anything was lost. The status page's address is
    what it says first.
    """
    from hydra_notify.demo.play import show

    sys.exit(show(seconds=seconds, rate=rate, seed=seed, serve=serve))


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the shell completion: eval "$(hydra-notify completion bash)"."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(main, {}, "hydra-notify", "_HYDRA_NOTIFY_COMPLETE").source())


for _command in commands.ALL:
    main.add_command(_command)
