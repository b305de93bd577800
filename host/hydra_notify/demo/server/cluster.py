"""A database cluster on disk: where it may lie, and how it is made."""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from hydra_notify.demo.limits import INITDB_LIMIT, SOCKET_PATH_BYTES
from hydra_notify.demo.server.binaries import Account
from hydra_notify.errors import HydraNotifyError

SUPERUSER: Final = "hydra"
"""The owner of everything, as in a Hydra installation; there is no password."""

SHORT_PARENTS: Final = ("/tmp", "/var/tmp")
"""Where its directory goes when the usual place is too deep, or not for everybody."""


class PostgresFailed(HydraNotifyError):
    """The private Postgres did not do as told; the message ends with its own words."""


def make_directory(account: Account | None) -> Path:
    """A new directory, for `account` alone (None is ourselves), fit for a socket."""
    usual = tempfile.gettempdir()
    parents = (usual, *SHORT_PARENTS)
    fit = (p for p in parents if _is_short(p) and _passable(Path(p), account))
    parent = next(fit, usual)
    directory = Path(tempfile.mkdtemp(prefix="hydra-notify-", dir=parent))
    if account is not None:
        os.chown(directory, account.uid, account.gid)
    return directory


def _is_short(parent: str) -> bool:
    socket = f"{parent}/hydra-notify-12345678/.s.PGSQL.65535.lock"
    return len(os.fsencode(socket)) <= SOCKET_PATH_BYTES


def _passable(path: Path, account: Account | None) -> bool:
    """Whether `account` may pass through `path`; root's TMPDIR may lie in its home."""
    if account is None:
        return True
    for directory in (path.resolve(), *path.resolve().parents):
        status = directory.stat()
        if status.st_uid == account.uid:
            bit = 0o100
        elif status.st_gid == account.gid:
            bit = 0o010
        else:
            bit = 0o001
        if not status.st_mode & bit:
            return False
    return True


def environment() -> dict[str, str]:
    """What programs of Postgres find in their environment.

    A PGDATA or PGPORT that is meant for another server does not reach them, and their
    messages are in English: the guard reads them.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_"))}
    return {**kept, "LC_ALL": "C"}


def initdb(programs: Path, directory: Path, account: Account | None) -> None:
    """Make an empty cluster in `directory / "data"`.

    Raises:
        PostgresFailed: It could not be made.
    """
    command = [
        str(programs / "initdb"),
        f"--pgdata={directory / 'data'}",
        f"--username={SUPERUSER}",
        "--auth=trust",
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
    ]
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=INITDB_LIMIT,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
    except subprocess.TimeoutExpired as error:
        raise PostgresFailed(
            f"{command[0]} did not finish within {INITDB_LIMIT:g} s"
        ) from error
    if done.returncode != 0:
        said = done.stdout.decode(errors="replace").strip()
        raise PostgresFailed(f"{command[0]} failed:\n{said}")
