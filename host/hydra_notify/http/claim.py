"""Files of sockets: whose a name is, and what becomes of an old one."""

import fcntl
import os
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hydra_notify.errors import HydraNotifyError
from hydra_notify.limits import SOCKET_BACKLOG, SOCKET_PATH_BYTES


class CannotListen(HydraNotifyError):
    """There can be no socket; the message has the address, why, and the fix.

    Args:
        taken: Whether another host has it, and it may become free.
    """

    def __init__(self, message: str, *, taken: bool = False) -> None:
        super().__init__(message)
        self.taken = taken


class Claim:
    """A socket that listens.

    Args:
        listening: The socket.
        path: Its file, which goes with it; None where it has none.
        lock: A descriptor that goes with it.

    Attributes:
        socket: That listens.
        lock: See above.
    """

    def __init__(
        self,
        listening: socket.socket,
        path: Path | None = None,
        lock: int | None = None,
    ) -> None:
        self.socket = listening
        self._path = path
        self._file = None if path is None else _identity(path)
        self.lock = lock

    def release(self) -> None:
        """Take the file away and let others have the name."""
        self.socket.close()
        # Another host may have put its own there.
        if self._path is not None and _identity(self._path) == self._file:
            with suppress(OSError):
                # The next one replaces it, if we are forbidden to take it away.
                self._path.unlink()
        if self.lock is not None:
            os.close(self.lock)


class Place(Protocol):
    """Where a server can listen; two are equal if they are the same."""

    @property
    def trouble(self) -> str:
        """What is missing without it: the beginning of a line of the log."""
        ...

    @property
    def words(self) -> str:
        """What the log says when it listens; empty for nothing."""
        ...

    def claim(self) -> Claim:
        """Listen there, now.

        Raises:
            CannotListen: As it says.
        """
        ...


@dataclass(frozen=True, slots=True)
class HostSocket:
    """The host's own socket, for its user alone.

    Who holds a lock on the directory may have the name in it. A lock ends with its
    process: an old file then is nobody's and is replaced, however its host ended, and
    that of a host that lives is left alone, even if it hangs.

    Attributes:
        path: Of the socket.
        active: Whether the host is the active one. Any other lets go of the lock, so
            that on a machine with two the active one can be asked.
    """

    path: Path
    active: bool = True

    @property
    def trouble(self) -> str:
        return "nobody can look at the plugins' frames"

    @property
    def words(self) -> str:
        return ""

    def claim(self) -> Claim:
        if len(os.fsencode(self.path)) > SOCKET_PATH_BYTES:
            raise CannotListen(
                f"the path {self.path} is too long for a socket ({SOCKET_PATH_BYTES}"
                " bytes): choose a shorter host.state_dir"
            )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise CannotListen(f"{self.path.parent}: {error.strerror}") from error
        keep: int | None = None
        try:
            self._take(lock)
            listening = listening_at(self.path, 0o600)
            # Under the lock the file is still ours.
            claim = Claim(listening, self.path, lock if self.active else None)
            keep = claim.lock
        finally:
            if keep is None:
                os.close(lock)
        return claim

    def _take(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            words = f"{self.path} belongs to another host that runs"
            raise CannotListen(words, taken=True) from error
        except OSError as error:
            words = f"{self.path.parent} cannot be locked: {error.strerror}"
            raise CannotListen(words) from error


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file a path names now; None for none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def listening_at(path: Path, mode: int) -> socket.socket:
    """A socket that listens at a path, whatever old one is there.

    Args:
        path: Of its file.
        mode: Of it: who may connect.

    Raises:
        CannotListen: As it says.
    """
    _remove_old(path)
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(str(path))
        # Nobody can connect before it listens.
        path.chmod(mode)
        listening.listen(SOCKET_BACKLOG)
    except OSError as error:
        listening.close()
        raise CannotListen(f"{path}: {error.strerror or error}") from error
    return listening


def _remove_old(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise CannotListen(f"{path}: {error.strerror}") from error
    if not stat.S_ISSOCK(mode):
        raise CannotListen(f"{path} is in the way, no socket: move it away")
    try:
        path.unlink()
    except OSError as error:
        raise CannotListen(f"{path}: {error.strerror}") from error
