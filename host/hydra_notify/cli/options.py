"""What several commands have in common: options, and reading the configuration."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from hydra_notify.config import Config
    from hydra_notify.kit.settings import Settings

DEFAULT_CONFIG: Final = "hydra-notify.toml"
"""In the working directory, when neither `--config` nor $HYDRA_NOTIFY_CONFIG says."""

EXIT_USAGE: Final = 2


class Utf8(click.ParamType[str]):
    """Text that Postgres can hold."""

    name = "text"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value)
        try:
            text.encode()
        except UnicodeEncodeError:
            self.fail("it is not UTF-8", param, ctx)
        return text


config_option = click.option(
    "--config",
    "config_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    envvar="HYDRA_NOTIFY_CONFIG",
    default=DEFAULT_CONFIG,
    show_default=True,
    help="The configuration.",
)

settings_option = click.option(
    "--config",
    "settings_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="TOML or JSON with the tables settings and secrets (their values).",
)
"""For authors' commands: what the plugin is told, not a host's configuration."""

json_option = click.option(
    "--json", "as_json", is_flag=True, help="For programs: one JSON document."
)

plugin_option = click.option(
    "--plugin", metavar="NAME", type=Utf8(), help="Of this plugin only."
)

yes_option = click.option("--yes", is_flag=True, help="Do not ask.")

all_option = click.option("--all", "every", is_flag=True, help="All of them.")


def need_ids_or_all(ids: tuple[object, ...], *, every: bool) -> None:
    """Refuse a command that names nothing, or everything and something."""
    if bool(ids) == every:
        wrong = "not both" if every else "neither was given"
        raise click.UsageError(f"name one or more IDs, or --all ({wrong})")


def read_or_exit(path: Path) -> "Config":
    """The configuration; if it cannot be used, all that is wrong with it is said."""
    from hydra_notify.config import read_config
    from hydra_notify.errors import ConfigError

    try:
        return read_config(path, environ=os.environ)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"hydra-notify: {problem}", err=True)
        sys.exit(EXIT_USAGE)


def settings_or_exit(path: Path | None) -> "Settings":
    """What a plugin is told; if it cannot be used, all that is wrong is said."""
    from hydra_notify.errors import ConfigError
    from hydra_notify.kit.settings import read_settings

    try:
        return read_settings(path)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"hydra-notify: {path}: {problem}", err=True)
        sys.exit(EXIT_USAGE)
