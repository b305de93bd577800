"""`hydra-notify status`: how the host is, once or as it goes on."""

import os
import select
import signal
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn

import click
import trio
from msgspec import DecodeError
from msgspec.json import decode
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from hydra_notify.cli.listing import age, count_of, show_texts
from hydra_notify.cli.options import EXIT_USAGE, read_or_exit
from hydra_notify.cli.paragraph import paragraph
from hydra_notify.cli.status_picture import picture
from hydra_notify.config import Config
from hydra_notify.database import Database
from hydra_notify.doctor.elsewhere import Elsewhere, look
from hydra_notify.doctor.host import STATUS, ask_status
from hydra_notify.errors import HydraNotifyError
from hydra_notify.http import SOCKET_NAME
from hydra_notify.http.client import HostError, NoHost, ask
from hydra_notify.limits import READ_CHUNK, WATCH_PATIENCE, WATCH_TURN
from hydra_notify.status import Health, HostStatus

DONE: Final = 0
NOT_OK: Final = 1


def show(path: Path, *, watch: bool, as_json: bool) -> NoReturn:
    """Say how the host is; exits.

    Args:
        path: Of the configuration.
        watch: Whether to go on until Ctrl-C.
        as_json: Whether to write the host's document as it is.
    """
    config = read_or_exit(path)
    socket = config.host.state_dir / SOCKET_NAME
    if watch:
        _watch(socket)
    if as_json:
        _pass_on(socket)
    console = _console()
    room = console.width if console.is_terminal else None
    try:
        status = ask_status(socket)
    except HostError as error:
        show_texts([*_no_answer(error, room), Text(), *_without_host(config, room)])
        sys.exit(NOT_OK)
    show_texts(picture(status, room))
    sys.exit(DONE if status.health is Health.OK else NOT_OK)


def _console() -> Console:
    return Console(highlight=False, markup=False, emoji=False)


def _pass_on(socket: Path) -> NoReturn:
    try:
        body = ask(socket, "GET", STATUS).body
    except HostError as error:
        click.echo(f"hydra-notify: {error}", err=True)
        sys.exit(NOT_OK)
    click.echo(body.removesuffix(b"\n"))
    try:
        health = decode(body, type=HostStatus).health
    except DecodeError:
        # Whoever reads the document may know it better.
        sys.exit(NOT_OK)
    sys.exit(DONE if health is Health.OK else NOT_OK)


def _no_answer(error: HostError, room: int | None) -> list[Text]:
    if not isinstance(error, NoHost):
        # It may be well.
        return paragraph("UNKNOWN", "bold red", str(error), room)
    why, _, fix = str(error).rpartition(": ")
    return [
        *paragraph("DOWN", "bold red", why, room),
        *paragraph("  fix:", "cyan", fix, room),
    ]


def _without_host(config: Config, room: int | None) -> list[Text]:
    """What the database knows where no host answers."""
    try:
        found = trio.run(_ask_database, config.database.url)
    except HydraNotifyError as error:
        words = f"cannot be asked either: {error}; see `hydra-notify doctor`"
        return paragraph("database", "bold", words, room)
    other = f"another one is active ({found.active})" if found.active else "none"
    pending = count_of(found.pending, "build")
    if found.pending:
        pending += "; see `hydra-notify pending`"
    lines: list[Text] = []
    for name, words in (
        ("database", "answers"),
        ("host", f"{other}, as the database knows"),
        ("pending", pending),
    ):
        lines += paragraph(f"{name:8}", "bold", words, room)
    return lines


async def _ask_database(url: str) -> Elsewhere:
    # In a thread that can be left behind: whoever is silent is not waited for.
    database = Database(url)
    try:
        return await database.run(look)
    finally:
        database.drop()


# Going on ------------------------------------------------------------------------


def _watch(socket: Path) -> NoReturn:
    console = _console()
    if not console.is_terminal:
        click.echo("hydra-notify: --watch needs a terminal; leave it out", err=True)
        sys.exit(EXIT_USAGE)
    view = _View()
    try:
        view.look(socket)
        with (
            _resized() as woken,
            Live(view, console=console, screen=True, auto_refresh=False) as live,
        ):
            while True:
                until = time.monotonic() + WATCH_TURN
                while (left := until - time.monotonic()) > 0:
                    if select.select([woken], [], [], left)[0]:
                        os.read(woken, READ_CHUNK)
                        live.refresh()
                view.look(socket)
                live.refresh()
    except KeyboardInterrupt:
        sys.exit(DONE)


@contextmanager
def _resized() -> Generator[int]:
    """A descriptor that can be read when the terminal has another size."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def tell(*_: object) -> None:
        # No lock may be taken here: whoever is interrupted may hold it.
        with suppress(BlockingIOError):
            os.write(writing, b"x")

    before = signal.signal(signal.SIGWINCH, tell)
    try:
        yield reading
    finally:
        signal.signal(signal.SIGWINCH, before)
        os.close(reading)
        os.close(writing)


class _View:
    """The latest that is known, as it is drawn."""

    def __init__(self) -> None:
        self._status: HostStatus | None = None
        self._gone = ""
        self._seen = 0.0

    def look(self, socket: Path) -> None:
        """Ask the host."""
        try:
            self._status = ask_status(socket, WATCH_PATIENCE)
        except HostError as error:
            self._gone = str(error)
        else:
            self._gone = ""
            self._seen = time.time()

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        width, height = options.max_width, options.height or console.height
        lines = self._lines(width)
        clock = time.strftime("%H:%M:%S")
        foot = f"{clock}  Ctrl-C ends"
        if len(lines) > height - 1:
            hidden = len(lines) - height + 1
            lines = lines[: height - 1]
            foot = f"{clock}  {count_of(hidden, 'line')} below do not fit  Ctrl-C ends"
        lines += [Text()] * (height - 1 - len(lines))
        for line in (*lines, Text(foot, "dim")):
            line.truncate(width, overflow="ellipsis")
            yield Text.assemble(line, no_wrap=True)

    def _lines(self, width: int) -> list[Text]:
        if not self._gone:
            assert self._status is not None
            return picture(self._status, width)
        lines = paragraph("GONE", "bold red", self._gone, width)
        if self._status is not None:
            ago = age(time.time() - self._seen)
            lines += [Text(), *paragraph("before", "bold", f"{ago} ago:", width)]
            for line in picture(self._status, width):
                line.stylize("dim")
                lines.append(line)
        return lines
