"""Files and directories of the host: there, its own, and not everybody's."""

import os
import pwd
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hydra_notify.config import Config, SecretSource, without_password
from hydra_notify.config.secrets import read_secret
from hydra_notify.doctor.check import Check, fail, ok, parted, warn
from hydra_notify.doctor.limits import LEAST_FREE
from hydra_notify.errors import ConfigError
from hydra_notify.http import SOCKET_NAME
from hydra_notify.limits import SOCKET_PATH_BYTES

_STATE: Final = "state_dir"

_STORE: Final = Path("/nix/store")


def password_checks(config: Config, path: Path) -> list[Check]:
    """Whether the file itself tells everybody a password.

    Args:
        config: As read from it.
        path: Of the file.
    """
    url = config.database.url
    if without_password(url) == url or not is_open(path):
        return []
    if url not in path.read_text(encoding="utf-8"):
        # It is from the environment.
        return []
    words = f"{path} has the database's password in it, and everybody can read it"
    fix = f"move the password to $PGPASSFILE, or: chmod o-rwx {path}"
    return [warn("config", words, fix)]


def state_dir_checks(path: Path) -> list[Check]:
    """Whether the host can use its directory, as far as this process can tell."""
    try:
        found = path.stat()
    except FileNotFoundError:
        words = f"{path} is not there; the host makes it at its first start if it may"
        return [warn(_STATE, words, f"make it for the host's user: mkdir -p {path}")]
    except OSError as error:
        words = f"{path} cannot be looked at ({error.strerror})"
        return [warn(_STATE, words, "run this as the host's user")]
    if not stat.S_ISDIR(found.st_mode):
        fix = "move it away, or write another host.state_dir"
        return [fail(_STATE, f"{path} is not a directory", fix)]
    return [*_owner(path, found), *_room(path)]


def _owner(path: Path, found: os.stat_result) -> list[Check]:
    owner, we = user_name(found.st_uid), user_name(os.geteuid())
    checks: list[Check] = []
    if owner != we:
        words = f"{path} is {owner}'s, and this runs as {we}, who may see other things"
        checks.append(warn(_STATE, words, f"run this as {owner}"))
    elif os.access(path, os.R_OK | os.W_OK | os.X_OK):
        checks.append(ok(_STATE, f"{path} is there, {owner}'s, and can be written to"))
    else:
        fix = f"chmod u+rwx {path}; or its file system is read-only (ReadWritePaths=)"
        checks.append(fail(_STATE, f"{we} may not write to {path}", fix))
    if found.st_mode & stat.S_IWOTH:
        words = f"everybody may write to {path}"
        checks.append(warn(_STATE, words, f"chmod o-w {path}"))
    return checks


def _room(path: Path) -> list[Check]:
    checks: list[Check] = []
    if len(os.fsencode(path / SOCKET_NAME)) > SOCKET_PATH_BYTES:
        words = f"{path} is too long for a socket in it: no command finds the host"
        checks.append(fail(_STATE, words, "write a shorter host.state_dir"))
    free = shutil.disk_usage(path).free
    words = f"{free / 2**20:,.0f} MiB are free there"
    if free < LEAST_FREE:
        checks.append(warn(_STATE, words, "make room on its file system"))
    else:
        checks.append(ok(_STATE, words))
    return checks


def secret_checks(
    section: str,
    key: str,
    source: SecretSource,
    environ: Mapping[str, str],
    *,
    plugin: str = "",
    in_use: bool = False,
) -> list[Check]:
    """Whether a secret can be read, and not by everybody.

    Args:
        section: Of the checks.
        key: The reference's key path.
        source: Where the secret is.
        environ: See `read_secret`.
        plugin: Whose it is.
        in_use: Whether the host here has read it already.
    """
    if source.credential is not None and not environ.get("CREDENTIALS_DIRECTORY"):
        words = f"{key} is the credential {source.credential}"
        if in_use:
            return [ok(section, f"{words}, which the host has", plugin)]
        fix = "look into the unit: LoadCredential= has to name it"
        return [warn(section, f"{words}, which only the service sees", fix, plugin)]
    try:
        read_secret(source, key, environ=environ)
    except ConfigError as error:
        return [fail(section, *parted(str(each)), plugin) for each in error.problems]
    if source.file is None or not is_open(source.file):
        return [ok(section, f"{key} can be read", plugin)]
    words = f"{key}: everybody can read {source.file}"
    fix = f"chmod o-rwx {source.file}"
    if source.file.resolve().is_relative_to(_STORE):
        fix = "keep it out of the Nix store: a path in quotes, or a credential"
    return [warn(section, words, fix, plugin)]


def is_open(path: Path) -> bool:
    """Whether every user of the machine can read a file.

    Raises:
        OSError: It cannot be looked at.
    """
    path = path.resolve()
    if not path.stat().st_mode & stat.S_IROTH:
        return False
    return all(each.stat().st_mode & stat.S_IXOTH for each in path.parents)


def user_name(uid: int) -> str:
    """Of a user, its number if it has no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
