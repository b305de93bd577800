"""What a configuration means, in a line per plugin."""

import shlex

from hydra_notify.config.model import Config, PluginConfig


def describe(config: Config) -> list[str]:
    """One line per plugin: its name, its command, and what it gets."""
    return [_line(plugin) for plugin in config.plugins.values()]


def _line(plugin: PluginConfig) -> str:
    match = plugin.match
    gets = ", ".join(match.events) or "all events it asks for"
    if match.jobs:
        gets += f" of {', '.join(match.jobs)}"
    if match.statuses:
        gets += f", finished as {' or '.join(map(str, match.statuses))}"
    waits = "required" if plugin.required else "not required"
    return f"{plugin.name}: {shlex.join(plugin.command)} gets {gets} ({waits})"
