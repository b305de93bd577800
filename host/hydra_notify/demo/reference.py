"""The reference configuration, as the demo runs it."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from hydra_notify.config import (
    Config,
    DatabaseConfig,
    HttpConfig,
    Match,
    PluginConfig,
    SecretSource,
    read_config,
)

NAME: Final = "hydra-notify.toml"

WEBHOOK: Final = "webhook"
"""The plugin that gets the demo's own web server for an address."""

FLAKY: Final = "flaky"
"""The plugin that fails on purpose."""

TOKEN: Final = "demo"  # noqa: S105 -- it opens nothing but the demo
"""What whoever wants to press a button of the status page has to know."""

PORT: Final = 9199
"""Of the status page; any other where this one is taken."""

NEEDS: Final[Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "run_command": (("jq", ("jq", "--version")),),
    "no_sdk_sh": (
        ("bash", ("bash", "-c", ":")),
        ("jq", ("jq", "--version")),
    ),
    "no_sdk_pl": (("perl with JSON::PP", ("perl", "-MJSON::PP", "-e", "1")),),
}
"""What plugins need beside Python, and a command that succeeds where it is there."""

PROBE_LIMIT: Final = 20.0
"""Seconds for such a command; more than a cold disk needs."""


@dataclass(frozen=True, slots=True)
class Players:
    """Who plays.

    Attributes:
        config: What the host runs.
        page: The address of the status page.
        remarks: Sentences about plugins that do not play as the file says.
    """

    config: Config
    page: str
    remarks: tuple[str, ...]


def reference_path() -> Path:
    """The reference configuration: a wheel's own copy, or that of the checkout."""
    installed = Path(__file__).parent / "examples" / NAME
    return installed if installed.exists() else Path(__file__).parents[3] / NAME


def assemble(url: str, directory: Path, webhook: str) -> Players:
    """The reference configuration with the addresses of the demo in it.

    Plugins in Python run with the interpreter that runs this, which has the SDK.

    Args:
        url: Of the database.
        directory: For the state directory, and a file with the token.
        webhook: Where the webhook is to post.

    Raises:
        ConfigError: The file was edited, and badly.
    """
    config = read_config(reference_path(), environ={})
    search = os.environ.get("PATH", os.defpath)
    path = os.pathsep.join((str(Path(sys.executable).parent), search))
    plugins: dict[str, PluginConfig] = {}
    remarks: list[str] = []
    for name, plugin in config.plugins.items():
        missing = _missing(name, path)
        if missing:
            remarks.append(f"{name} is left out: there is no {missing} here")
            continue
        match = Match(events=plugin.match.events)
        if match != plugin.match:
            # The verdict does not know what these leave over.
            remarks.append(f"{name} plays without its match.jobs and match.statuses")
        settings = plugin.settings
        if name == WEBHOOK:
            settings = {**settings, "url": webhook}
        environment = {"PATH": path, **plugin.environment}
        plugins[name] = replace(
            plugin, match=match, settings=settings, environment=environment
        )
    token = directory / "token"
    token.write_text(TOKEN)
    listen = f"127.0.0.1:{_free_port()}"
    config = replace(
        config,
        database=DatabaseConfig(url),
        host=replace(config.host, state_dir=directory / "state"),
        http=HttpConfig(listen=listen, token=SecretSource(file=token)),
        plugins=plugins,
    )
    return Players(config, f"http://{listen}/", tuple(remarks))


def _free_port() -> int:
    for port in (PORT, 0):
        with socket.socket() as probe:
            # As the host does: a connection that was just closed takes no port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    return PORT


def _missing(name: str, path: str) -> str:
    """What plugin `name` needs and is not there, or ""."""
    for what, command in NEEDS.get(name, ()):
        try:
            done = subprocess.run(
                command,
                env={"PATH": path},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PROBE_LIMIT,
            )
        except (OSError, subprocess.TimeoutExpired):
            return what
        if done.returncode != 0:
            return what
    return ""
