"""The show in lines, where there is no terminal: one every few seconds, and trouble."""

import logging

import trio
from rich.console import Console

from hydra_notify.demo.pace import PLAIN_LINE, PLAIN_LOOK
from hydra_notify.demo.scene import Line, Scene
from hydra_notify.metrics import PluginState


async def tell(scene: Scene, console: Console) -> None:
    """Write what happens until cancelled."""
    due = trio.current_time() + PLAIN_LINE
    while True:
        tell_trouble(scene, console)
        if trio.current_time() >= due:
            due += PLAIN_LINE
            say(console, _line(scene))
        await trio.sleep(PLAIN_LOOK)


def tell_trouble(scene: Scene, console: Console) -> None:
    """Write the warnings and errors of the log since the last time."""
    while scene.log:
        line = scene.log.popleft()
        if line.level >= logging.WARNING:
            say(console, _trouble(line))


def say(console: Console, text: str) -> None:
    """Write a line as it is, not coloured, and broken only where a terminal ends."""
    whole = not console.is_terminal
    console.print(text, markup=False, highlight=False, soft_wrap=whole)


def _line(scene: Scene) -> str:
    received = scene.counts.notifications.total()
    pending = "?" if scene.pending is None else str(scene.pending)
    plugins = (_plugin(scene, name) for name in scene.channels)
    return (
        f"{scene.elapsed:5.1f} s: {received} notifications, {pending} pending flags; "
        f"open deliveries: {', '.join(plugins)}"
    )


def _plugin(scene: Scene, name: str) -> str:
    state = scene.plugin(name).state
    shown = "" if state is PluginState.READY else f" ({state.value})"
    return f"{name} {scene.open(name)}{shown}"


def _trouble(line: Line) -> str:
    return f"{line.clock} {line.level_name:<7} {line.text}"
