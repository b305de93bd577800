"""What plugins say they want, asked by the demo itself.

The verdict must not rest on what the host understood. So each program is started once
before the show, in a directory of its own, is told `initialize`, and sees the end of
its stdin.
"""

import os
import subprocess
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw

from hydra_notify import process
from hydra_notify.config import HostConfig, PluginConfig, read_secrets
from hydra_notify.errors import PluginError
from hydra_notify.supervisor.hello import hello
from hydra_notify_sdk.wire import (
    CHANNELS,
    HostFrame,
    InitializeResult,
    PluginFrame,
    limits,
    matches,
    to_line,
)

ID: Final = "manifest"
"""Of the one request."""

# Made here, where there is one thread: msgspec crashes the process when two threads at
# once decode a type that it does not know yet.
_decode_frame: Final = msgspec.json.Decoder(PluginFrame).decode
_decode_manifest: Final = msgspec.json.Decoder(InitializeResult).decode


def wanted_channels(
    plugin: PluginConfig, host: HostConfig, directory: Path
) -> frozenset[str]:
    """The channels that a plugin asks for and its operator lets it have.

    Args:
        plugin: Its configuration.
        host: What `initialize` tells it.
        directory: An empty one.

    Raises:
        ConfigError: A secret cannot be read.
        PluginError: It cannot be started, or does not say what it wants.
    """
    manifest = _ask(plugin, host, directory)
    return frozenset(
        channel
        for channel in CHANNELS
        if matches(manifest.events, channel) and plugin.match.wants_event(channel)
    )


def _ask(plugin: PluginConfig, host: HostConfig, directory: Path) -> InitializeResult:
    secrets = read_secrets(plugin, environ=os.environ)
    params = Raw(msgspec.json.encode(hello(plugin, host, directory, secrets)))
    request = HostFrame(jsonrpc="2.0", id=ID, method="initialize", params=params)
    env = process.environment(plugin.name, directory, plugin.environment, os.environ)
    try:
        done = subprocess.run(
            plugin.command,
            input=to_line(request),
            capture_output=True,
            cwd=directory,
            env=env,
            timeout=limits.START_TIMEOUT_MS / 1000,
            start_new_session=True,
        )
    except OSError as error:
        where = error.filename or plugin.command[0]
        raise PluginError(
            f"{plugin.name}: cannot start: {error.strerror}: {where}"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise PluginError(f"{plugin.name}: does not end when its stdin does") from error
    for line in done.stdout.splitlines():
        manifest = _manifest(plugin.name, line)
        if manifest is not None:
            return manifest
    said = done.stderr.decode(errors="replace").strip() or "nothing at all"
    raise PluginError(f"{plugin.name}: does not answer initialize; it said: {said}")


def _manifest(name: str, line: bytes) -> InitializeResult | None:
    try:
        frame = _decode_frame(line)
        if frame.id != ID:
            return None
        if frame.error is not None:
            raise PluginError(f"{name}: refuses to start: {frame.error.message}")
        return _decode_manifest(frame.result)
    except (ValueError, RecursionError):
        return None
