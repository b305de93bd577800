"""The file of a socket: whose it is, and what becomes of an old one."""

import fcntl
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from hydra_notify.errors import HydraNotifyError
from hydra_notify.limits import SOCKET_BACKLOG, SOCKET_PATH_BYTES


class CannotListen(HydraNotifyError):
    """There can be no socket; the message has the path, why, and the fix.

    Args:
        taken: Whether another host has it, and it may become free.
    """

    def __init__(self, message: str, *, taken: bool = False) -> None:
        super().__init__(message)
        self.taken = taken


class Claim:
    """A socket that listens at a path, for its owner alone.

    Who holds a lock on the directory may have the name in it. A lock ends with its
    process: an old file then is nobody's and is replaced, however its host ended, and
    that of a host that lives is left alone, even if it hangs.

    Raises:
        CannotListen: As it says.
    """

    def __init__(self, path: Path) -> None:
        if len(os.fsencode(path)) > SOCKET_PATH_BYTES:
            raise CannotListen(
                f"the path {path} is too long for a socket ({SOCKET_PATH_BYTES} bytes):"
                " choose a shorter host.state_dir"
            )
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise CannotListen(f"{path.parent}: {error.strerror}") from error
        try:
            self.socket = self._bound()
        except BaseException:
            os.close(self._lock)
            raise

    def release(self) -> None:
        """Take the file away and let others have the name."""
        self.socket.close()
        with suppress(OSError):
            # The next host replaces it, if somebody has forbidden us to take it away.
            self._path.unlink()
        os.close(self._lock)

    def _bound(self) -> socket.socket:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            words = f"{self._path} belongs to another host that runs"
            raise CannotListen(words, taken=True) from error
        except OSError as error:
            words = f"{self._path.parent} cannot be locked: {error.strerror}"
            raise CannotListen(words) from error
        self._remove_old()
        listening = socket.socket(socket.AF_UNIX)
        try:
            listening.bind(str(self._path))
            # Nobody can connect before it listens, so nobody else ever can.
            self._path.chmod(0o600)
            listening.listen(SOCKET_BACKLOG)
        except OSError as error:
            listening.close()
            raise CannotListen(f"{self._path}: {error.strerror or error}") from error
        return listening

    def _remove_old(self) -> None:
        try:
            mode = self._path.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(mode):
            raise CannotListen(f"{self._path} is in the way, no socket: move it away")
        try:
            self._path.unlink()
        except OSError as error:
            raise CannotListen(f"{self._path}: {error.strerror}") from error
