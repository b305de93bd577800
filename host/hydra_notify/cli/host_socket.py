"""How a command gets to the host that runs, and what becomes of what it meets."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import quote

import click

from hydra_notify.cli.options import read_or_exit
from hydra_notify.http import SOCKET_NAME
from hydra_notify.http.client import HostError, lines

DONE: Final = 0
FAILED: Final = 1


def with_frames(
    path: Path, name: str, work: Callable[[Iterator[bytes]], None]
) -> NoReturn:
    """Do `work` with what a plugin says and is told, and exit.

    Ctrl-C is how it ends; so is a reader of our output that has seen enough.

    Args:
        path: Of the configuration.
        name: The plugin's.
        work: Takes the lines of the transcript as they come.
    """
    config = read_or_exit(path)
    socket = config.host.state_dir / SOCKET_NAME
    try:
        work(lines(socket, f"/plugins/{quote(name, safe='')}/frames"))
    except KeyboardInterrupt:
        sys.exit(DONE)
    except BrokenPipeError:
        # Nobody is there for what Python would still write at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(DONE)
    except HostError as error:
        click.echo(f"hydra-notify: {error}", err=True)
        sys.exit(FAILED)
    sys.exit(DONE)
