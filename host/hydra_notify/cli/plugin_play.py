"""`plugin run`, `plugin send`, `plugin replay`: the way from words to the kit."""

import io
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TextIO

import click
import trio

from hydra_notify.cli.options import EXIT_USAGE, settings_or_exit
from hydra_notify.errors import HydraNotifyError
from hydra_notify.kit.play import door, once
from hydra_notify.kit.play.orders import obey
from hydra_notify.kit.play.run import Run
from hydra_notify.kit.play.screen import Screen
from hydra_notify.kit.play.show import Show
from hydra_notify.kit.play.words import command_of
from hydra_notify.kit.replay.replay import Replay
from hydra_notify.kit.replay.shown import play
from hydra_notify.kit.replay.transcript import read_transcript

PROMPT = "plugin> "


def keep_running(
    words: Sequence[str], settings_path: Path | None, *, watched: bool
) -> NoReturn:
    """Keep a plugin running for whoever is at the terminal."""
    settings = settings_or_exit(settings_path)
    with _said():
        command = command_of(words)
    typed = _is_terminal(sys.stdin)
    # Without an input, its number may be that of anything.
    descriptor = os.open(os.devnull, os.O_RDONLY) if sys.stdin is None else 0

    async def work(state_dir: Path) -> bool:
        prompt = PROMPT if typed and _is_terminal(sys.stdout) else ""
        show = Show(Screen(settings.secrets.values(), prompt=prompt))
        show.screen.plain(
            f"{' '.join(words)} runs in {state_dir}, which is removed at the end."
        )
        if typed:
            show.screen.plain("Type an event (build_finished buildStatus=0), or help.")
        kept = Run(
            command=command,
            state_dir=state_dir,
            settings=settings,
            show=show,
            typed=typed,
            watched=watched,
        )
        return await obey(kept, words[0], descriptor)

    sys.exit(_run(work))


def send_sample(
    event: str,
    edits: Sequence[str],
    words: Sequence[str],
    settings_path: Path | None,
    wanted: str,
) -> NoReturn:
    """Send a sample event to a plugin that runs, or to one that is started for it."""
    if not words:
        with _said():
            answer = door.ask(door.Request(event, list(edits)), wanted, os.environ)
        sys.exit(_tell(answer))
    settings = settings_or_exit(settings_path)
    with _said():
        command = command_of(words)

    async def work(state_dir: Path) -> bool:
        methods = ("event", "progress", "log")
        show = Show(Screen(settings.secrets.values()), methods=methods)
        return await once.send_once(command, state_dir, settings, show, event, edits)

    with _said():
        sys.exit(_run(work))


def print_frames(event: str, edits: Sequence[str], settings_path: Path | None) -> None:
    """Write the frames of a sample event for a pipe."""
    settings = settings_or_exit(settings_path)
    with _said():
        click.echo(once.frames(settings, event, edits), nl=False)


def say_again(
    file: Path,
    words: Sequence[str],
    settings_path: Path | None,
    *,
    as_redelivery: bool,
) -> NoReturn:
    """Say the host's part of a recording to a plugin, and compare its answers."""
    settings = settings_or_exit(settings_path)
    with _said():
        command = command_of(words)
        steps = read_transcript(file)

    async def work(state_dir: Path) -> bool:
        show = Show(Screen(settings.secrets.values()))
        again = Replay(
            command=command,
            state_dir=state_dir,
            settings=settings,
            as_redelivery=as_redelivery,
            mask=show.screen.mask,
            tell=show,
        )
        return await play(again, steps, show)

    with _said():
        sys.exit(_run(work))


def _tell(answer: door.Answer) -> int:
    """Say what a run has answered; the exit status."""
    if answer.problem:
        click.echo(f"hydra-notify: {answer.problem}", err=True)
        return EXIT_USAGE

    async def tell() -> None:
        show = Show(Screen())
        if answer.reply:
            show.reply(answer.reply.encode())
        show.verdict(answer.words, answer.tone)

    trio.run(tell)
    return 0 if answer.good else 1


def _run(work: Callable[[Path], Awaitable[bool]]) -> int:
    """Do it, in a directory that is there no longer than that; the exit status."""
    # Whatever a plugin says can be shown, if not as it is.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    well = False
    with tempfile.TemporaryDirectory(prefix="hydra-notify-") as folder:
        try:
            well = trio.run(work, Path(folder).resolve())
        except* KeyboardInterrupt:
            pass
        except* (BrokenPipeError, SystemExit):
            # Nobody reads it any more; nor is there anything left to be flushed.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0 if well else 1


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


@contextmanager
def _said() -> Generator[None]:
    """An error of the user's is one line, and the exit status says whose it is."""
    try:
        yield
    except HydraNotifyError as error:
        click.echo(f"hydra-notify: {error}", err=True)
        sys.exit(EXIT_USAGE)
