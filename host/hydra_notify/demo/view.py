"""The live view: one screen, drawn anew a few times a second.

It takes the whole terminal and gives it back as it was. What does not fit is left out,
the log first.
"""

import logging
from collections.abc import Sequence
from typing import Final

import trio
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from hydra_notify.demo.pace import REDRAW
from hydra_notify.demo.scene import Line, Scene, printable
from hydra_notify.metrics import PluginCounts, PluginState
from hydra_notify_sdk.wire import CHANNELS

WIDE: Final = 110
"""Columns from which there is room for more of everything."""

STATES: Final = {
    PluginState.STARTING: "yellow",
    PluginState.READY: "green",
    PluginState.BACKOFF: "bold red",
    PluginState.FLAPPING: "bold magenta",
    PluginState.DISABLED: "bold red",
    PluginState.DRAINING: "cyan",
    PluginState.STOPPED: "cyan",
}


async def draw(scene: Scene, console: Console) -> None:
    """Draw the scene until cancelled."""
    picture = Picture(scene)
    with Live(picture, console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.refresh()
            await trio.sleep(REDRAW)


class Picture:
    """The scene as it is now, whenever it is drawn."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        width, height = options.max_width, options.height or console.height
        parts: list[RenderableType] = [
            _header(self._scene, width),
            _rule("events", width),
            _channels(self._scene, width),
            _flags(self._scene),
            _rule("plugins", width),
            _plugins(self._scene, wide=width >= WIDE),
        ]
        options = options.update(height=None)
        rows = [row for part in parts for row in console.render_lines(part, options)]
        for part in _log(self._scene, height - len(rows), width):
            rows += console.render_lines(part, options)
        for row in rows[:height]:
            yield from row
            yield Segment.line()


def _header(scene: Scene, width: int) -> Table:
    table = Table.grid(expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_column(no_wrap=True, justify="right")
    elapsed, seconds = scene.elapsed, scene.seconds
    clock = f" {min(elapsed, seconds):5.1f} of {seconds:g} s "
    if elapsed > seconds:
        clock = f" {seconds:g} s + {elapsed - seconds:.1f} s "
    title = Text.assemble((" hydra-notify demo ", "bold reverse"), "  ", scene.phase)
    bar = _bar(min(1.0, elapsed / seconds), 12) if width >= WIDE else Text()
    table.add_row(title, Text.assemble(bar, clock))
    return table


def _bar(part: float, width: int) -> Text:
    full = round(part * width)
    return Text.assemble(("━" * full, "green"), ("━" * (width - full), "dim"))


def _rule(title: str, width: int) -> Text:
    return Text(f"── {title} ".ljust(width, "─"), style="dim", no_wrap=True)


def _channels(scene: Scene, width: int) -> Table:
    """Notifications by channel: the durable ones stand out."""
    columns = 4 if width >= WIDE else 3
    table = Table.grid(expand=True, padding=(0, 2, 0, 1), pad_edge=True)
    for _ in range(columns):
        table.add_column(no_wrap=True, ratio=1)
    received = scene.counts.notifications
    cells = [_channel(name, received[name]) for name in CHANNELS]
    for first in range(0, len(cells), columns):
        table.add_row(*cells[first : first + columns])
    return table


def _channel(name: str, number: int) -> Table:
    table = Table.grid(expand=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    style = "bold" if name == "build_finished" else "" if number else "dim"
    table.add_row(Text(name, style), Text(str(number), style))
    return table


def _flags(scene: Scene) -> Text:
    counts = scene.counts
    pending = "?" if scene.pending is None else str(scene.pending)
    style = "bold yellow" if scene.pending else "bold green"
    return Text.assemble(
        " pending flags now ",
        (pending, style),
        f"   cleared {counts.cleared} in {counts.clear_batches} batches",
        f"   found without notification {counts.swept}",
        no_wrap=True,
        overflow="ellipsis",
    )


def _plugins(scene: Scene, *, wide: bool) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1), header_style="dim")
    table.add_column("plugin", no_wrap=True)
    table.add_column("state", no_wrap=True, width=8)
    for title in ("open", "sent", "delivered", "retried"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("restarts", no_wrap=True, min_width=19)
    table.add_column("last failure" * wide, no_wrap=True, ratio=1, style="dim")
    for name in scene.channels:
        counts = scene.plugin(name)
        table.add_row(
            Text(name, "bold"),
            Text(counts.state.value, STATES[counts.state]),
            _number(scene.open(name)),
            _number(counts.sent),
            _number(counts.delivered),
            _number(counts.retried, "yellow"),
            Text(restarts(counts), "red" if counts.ends else "dim"),
            Text(printable(counts.last_error) * wide),
        )
    return table


def _number(number: int, style: str = "") -> Text:
    return Text(str(number), style if number else "dim")


def restarts(counts: PluginCounts) -> str:
    """How often a plugin ended before its time, and why: `3 (2 crash, 1 hang)`."""
    causes = ", ".join(f"{n} {cause}" for cause, n in sorted(counts.ends.items()))
    return f"{counts.ends.total()} ({causes})" if causes else "0"


def _log(scene: Scene, room: int, width: int) -> list[Text]:
    """The latest trouble, and below it the latest of everything."""
    log = tuple(scene.log)
    trouble = [line for line in log if line.level >= logging.WARNING]
    above = [_rule("trouble", width), *map(_log_line, _last(trouble, room // 2 - 1))]
    rest = room - len(above) - 1
    return [*above, _rule("log", width), *map(_log_line, _last(log, rest))]


def _last(lines: Sequence[Line], number: int) -> Sequence[Line]:
    return lines[max(0, len(lines) - max(0, number)) :]


def _log_line(line: Line) -> Text:
    style = ""
    if line.level >= logging.ERROR:
        style = "bold red"
    elif line.level >= logging.WARNING:
        style = "yellow"
    clock = (f" {line.clock} ", "dim")
    return Text.assemble(clock, (line.text, style), no_wrap=True, overflow="ellipsis")
