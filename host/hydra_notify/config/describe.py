"""What a configuration means: a line about HTTP, and one per plugin."""

import shlex

from hydra_notify.config.http import HttpConfig
from hydra_notify.config.model import Config, PluginConfig


def describe(config: Config) -> list[str]:
    """Where the host answers HTTP, if anywhere, and one line per plugin.

    That has its name, its command, and what it gets.
    """
    return [
        *_http_lines(config.http),
        *(_line(plugin) for plugin in config.plugins.values()),
    ]


def _http_lines(http: HttpConfig) -> list[str]:
    address = http.address
    if address is None:
        return []
    acts = "read-only" if http.token is None else "whoever has the token may act"
    names = f", also as {', '.join(http.hosts)}" if http.hosts else ""
    warnings = [f"http: warning: {http.warning}"] if http.warning else []
    return [f"http: {address}{names} ({acts})", *warnings]


def _line(plugin: PluginConfig) -> str:
    match = plugin.match
    gets = ", ".join(match.events) or "all events it asks for"
    if match.jobs:
        gets += f" of {', '.join(match.jobs)}"
    if match.statuses:
        gets += f", finished as {' or '.join(map(str, match.statuses))}"
    waits = "required" if plugin.required else "not required"
    return f"{plugin.name}: {shlex.join(plugin.command)} gets {gets} ({waits})"
