"""The commands for authors of plugins: their words, their options, their help.

What they do is imported when it is done.
"""

import click


@click.group()
def plugin() -> None:
    """Write, try and look into plugins; needs neither a database nor a Hydra."""
