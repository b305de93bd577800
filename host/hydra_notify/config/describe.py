"""What a configuration means: a line about HTTP, and one per plugin."""

import shlex

from hydra_notify.config.http import HttpConfig, NetworkAddress
from hydra_notify.config.model import Config, PluginConfig


def describe(config: Config) -> list[str]:
    """Where the host answers HTTP, if anywhere, and one line per plugin.

    That has its name, its command, and what it gets.
    """
    return [
        *http_lines(config.http),
        *(_line(plugin) for plugin in config.plugins.values()),
    ]


def http_lines(http: HttpConfig) -> list[str]:
    """Where the host answers HTTP, and what is to be said of that."""
    address = http.address
    if address is None:
        return []
    acts = "read-only" if http.token is None else "whoever has the token may act"
    names = f", also as {', '.join(http.hosts)}" if http.hosts else ""
    lines = [f"http: {address}{names} ({acts})"]
    if isinstance(address, NetworkAddress) and not address.is_loopback:
        lines.append(
            "http: warning: whoever reaches this machine can look, and what is sent is"
            " not encrypted; listen at 127.0.0.1 with a reverse proxy for TLS in front,"
            " or let a firewall choose"
        )
    return lines


def _line(plugin: PluginConfig) -> str:
    match = plugin.match
    gets = ", ".join(match.events) or "all events it asks for"
    if match.jobs:
        gets += f" of {', '.join(match.jobs)}"
    if match.statuses:
        gets += f", finished as {' or '.join(map(str, match.statuses))}"
    waits = "required" if plugin.required else "not required"
    return f"{plugin.name}: {shlex.join(plugin.command)} gets {gets} ({waits})"
