"""The values behind references to secrets: a plugin's are read at each of its starts.

So a secret that is rotated in its file arrives with the next restart, and the host
keeps none in its configuration.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from hydra_notify.config.http import SecretSource
from hydra_notify.config.model import PluginConfig
from hydra_notify.config.wording import joined
from hydra_notify.errors import ConfigError, Problem
from hydra_notify.limits import MAX_SECRET_BYTES


def read_secrets(plugin: PluginConfig, *, environ: Mapping[str, str]) -> dict[str, str]:
    """The plugin's secrets by name, each without the newline at its file's end.

    Args:
        plugin: Whose secrets.
        environ: `$CREDENTIALS_DIRECTORY` is where systemd puts credentials.

    Raises:
        ConfigError: With a problem for each secret that cannot be read. Values are
            never part of it.
    """
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for name, source in plugin.secrets.items():
        key = joined(joined(joined("plugins", plugin.name), "secrets"), name)
        try:
            values[name] = read_secret(source, key, environ=environ)
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(tuple(problems))
    return values


def read_secret(source: SecretSource, key: str, *, environ: Mapping[str, str]) -> str:
    """One secret, without the newline at its file's end.

    Args:
        source: Where it is.
        key: The key path of the reference.
        environ: As for `read_secrets`.

    Raises:
        ConfigError: It cannot be read. Its value is no part of that.
    """
    return _value(_path(source, key, environ), key)


def _path(source: SecretSource, key: str, environ: Mapping[str, str]) -> Path:
    if source.file is not None:
        return source.file
    assert source.credential is not None, key
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise _problem(
            key,
            f"is the credential {source.credential}, but systemd passed none",
            f"add LoadCredential={source.credential}:/path to the unit, "
            'or write { file = "/path" }',
        )
    return Path(directory, source.credential)


def _value(path: Path, key: str) -> str:
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            content = file.read(MAX_SECRET_BYTES + 1) or b""
    except OSError as error:
        raise _problem(
            key,
            f"cannot be read from {path} ({error.strerror})",
            "create it so that the host's user can read it, and nobody else",
        ) from error
    if len(content) > MAX_SECRET_BYTES:
        problem = f"is longer than {MAX_SECRET_BYTES} bytes in {path}"
        raise _problem(key, problem, "name the file that holds the secret alone")
    try:
        value = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        # The cause would show the bytes.
        problem = f"is not UTF-8 in {path}"
        raise _problem(key, problem, "store it as text, such as base64") from None
    if not value:
        raise _problem(key, f"is empty in {path}", "write the secret into the file")
    return value


def _without_waiting(path: str, flags: int) -> int:
    # A fifo without a writer would hold up the caller for ever.
    return os.open(path, flags | os.O_NONBLOCK)


def _problem(key: str, problem: str, fix: str) -> ConfigError:
    return ConfigError((Problem(key, problem, fix),))
