"""The show, from the first curtain to the verdict.

A private Postgres comes up, the plugins say what they want, and the host starts on the
reference configuration. When it listens, the simulated Hydra goes to work. When its
time is over nothing more comes; whatever is missing is waited for, the host stops, and
the verdict is found in the plugins' receipts and the flags that are left.

Everything lies in the directory of that Postgres, whose guard removes it when this
process ends, however it does.
"""

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

import click
import trio
from rich.console import Console

from hydra_notify import ledger
from hydra_notify.config import Config
from hydra_notify.database import connect
from hydra_notify.demo.acts import Play, pending_flags
from hydra_notify.demo.closing import show_verdict
from hydra_notify.demo.history import history_of
from hydra_notify.demo.manifests import wanted_channels
from hydra_notify.demo.plain import say, tell, tell_trouble
from hydra_notify.demo.reference import TOKEN, assemble
from hydra_notify.demo.scene import Scene, captured_log
from hydra_notify.demo.server.postgres import private_postgres
from hydra_notify.demo.simulation.hydra import open_hydra
from hydra_notify.demo.simulation.schema import new_database
from hydra_notify.demo.sink import webhook_sink
from hydra_notify.demo.view import draw
from hydra_notify.errors import HydraNotifyError
from hydra_notify.metrics import Counts

EXIT_LOST: Final = 1
EXIT_INTERRUPTED: Final = 130
"""As a shell reports a program that Ctrl-C has ended."""


def show(*, seconds: float, rate: float, seed: int, serve: bool = False) -> int:
    """Play the demo on this terminal, or in lines where there is none.

    Args:
        seconds: How long builds go on.
        rate: Builds a second.
        seed: Of what the simulated Hydra does.
        serve: Whether the host, and its page, go on at the end until Ctrl-C.

    Returns:
        The exit status: 0 when nothing was lost, 1 when something was or the demo
        cannot run here, 130 when it was interrupted.
    """
    console = Console()
    try:
        return _show(console, seconds, rate, seed, serve=serve)
    except HydraNotifyError as error:
        click.echo(f"hydra-notify: {error}", err=True)
        return EXIT_LOST
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _show(
    console: Console, seconds: float, rate: float, seed: int, *, serve: bool
) -> int:
    on_screen = sys.stdout.isatty() and not console.is_dumb_terminal
    with ExitStack() as stack:
        server = stack.enter_context(private_postgres())
        url = new_database(server)
        with connect(url) as connection:
            ledger.create(connection)
        sink = stack.enter_context(webhook_sink())
        hydra = stack.enter_context(open_hydra(url, seed=seed))
        players = assemble(url, server.directory, sink.url)
        channels = _ask_all(players.config, server.directory / "questions")
        say(
            console,
            f"hydra-notify demo: a private Postgres, a simulated Hydra with {rate:g}"
            f" builds a second for {seconds:g} s (seed {seed}), and {len(channels)}"
            f" plugins: {', '.join(channels)}",
        )
        say(console, f"status page: {players.page} (token for its buttons: {TOKEN})")
        for sentence in players.remarks:
            say(console, sentence)
        scene = Scene(seconds, channels, Counts(), page=players.page)
        stack.enter_context(captured_log(scene))
        play = Play(players.config, hydra, rate, sink, scene, serve=serve)
        trio.run(play.perform, partial(draw if on_screen else tell, scene, console))
        with connect(url) as connection:
            flags = pending_flags(connection)
        verdict = play.judge(history_of(hydra.log.facts), flags)
        if not (on_screen and verdict.good):
            tell_trouble(scene, console)
        show_verdict(verdict, scene.counts, console, interrupted=play.interrupted)
    if play.interrupted:
        return EXIT_INTERRUPTED
    return 0 if verdict.good else EXIT_LOST


def _ask_all(config: Config, directory: Path) -> Mapping[str, frozenset[str]]:
    """The channels that each plugin wants."""

    def ask(name: str) -> frozenset[str]:
        own = directory / name
        own.mkdir(parents=True)
        return wanted_channels(config.plugins[name], config.host, own)

    with ThreadPoolExecutor() as threads:
        return dict(zip(config.plugins, threads.map(ask, config.plugins), strict=True))
