"""The plugin protocol for programs, on standard output."""

import sys
from difflib import get_close_matches

import click

from hydra_notify import schema
from hydra_notify.cli.options import EXIT_USAGE


def list_all() -> None:
    """Write every name and what it is."""
    names = schema.names()
    width = max(map(len, names))
    for name in names:
        click.echo(f"{name:<{width}}  {schema.title_of(name)}")


def show(name: str) -> None:
    """Write one document; exit status 2 if there is none of that name."""
    names = schema.names()
    if name in names:
        click.echo(schema.text_of(name), nl=False)
        return
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    click.echo(f"hydra-notify: there is no schema {name!r}{hint}", err=True)
    click.echo(f"The schemas are: {', '.join(names)}", err=True)
    sys.exit(EXIT_USAGE)
