"""Sockets that listen: whose a name is, what becomes of an old one, what is amiss."""

import errno
import fcntl
import os
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from hydra_notify.config import Address, NetworkAddress
from hydra_notify.errors import HydraNotifyError
from hydra_notify.limits import SOCKET_BACKLOG, SOCKET_PATH_BYTES

_FREE_PORTS: Final = 1024
"""The first port that every program may have."""


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
        self._lock = lock

    def release(self) -> None:
        """Take the file away and let others have the name."""
        self.socket.close()
        # Another host may have put its own there.
        if self._path is not None and _identity(self._path) == self._file:
            with suppress(OSError):
                # The next one replaces it, if we are forbidden to take it away.
                self._path.unlink()
        if self._lock is not None:
            os.close(self._lock)


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
        keep = False
        try:
            self._take(lock)
            listening = _listening(self.path, 0o600)
            keep = self.active
        finally:
            if not keep:
                os.close(lock)
        return Claim(listening, self.path, lock if keep else None)

    def _take(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            words = f"{self.path} belongs to another host that runs"
            raise CannotListen(words, taken=True) from error
        except OSError as error:
            words = f"{self.path.parent} cannot be locked: {error.strerror}"
            raise CannotListen(words) from error


@dataclass(frozen=True, slots=True)
class Listen:
    """An address of the configuration, `http.listen`."""

    address: Address

    @property
    def trouble(self) -> str:
        return f"nothing answers at {self.address} (http.listen)"

    @property
    def words(self) -> str:
        if isinstance(self.address, NetworkAddress):
            return f"HTTP: http://{self.address}/"
        return f"HTTP: {self.address.path}"

    def claim(self) -> Claim:
        if isinstance(self.address, NetworkAddress):
            return Claim(_at_port(self.address))
        path = self.address.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotListen(
                f"{path.parent} cannot be made ({error.strerror}): make it so that the"
                " host's user can write there (systemd: RuntimeDirectory=hydra-notify)"
            ) from error
        if _answers(path):
            raise CannotListen(
                f"another program answers at {path}: end it, or choose another"
            )
        # Whoever may use it is decided by its group, and by the directory.
        return Claim(_listening(path, 0o660), path)


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file a path names now; None for none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _listening(path: Path, mode: int) -> socket.socket:
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


def _answers(path: Path) -> bool:
    """Whether somebody listens at a path, even one that hangs."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.setblocking(False)
        try:
            asking.connect(str(path))
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True


def _at_port(address: NetworkAddress) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listening = socket.socket(family)
    except OSError as error:
        raise CannotListen(f"{error.strerror}: {_fix(error, address)}") from error
    try:
        # Connections of the host before this one may linger.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((address.host, address.port))
        listening.listen(SOCKET_BACKLOG)
    except OSError as error:
        listening.close()
        raise CannotListen(f"{error.strerror}: {_fix(error, address)}") from error
    return listening


def _fix(error: OSError, address: NetworkAddress) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"end what has port {address.port}, or choose another"
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return f"this machine has no address {address.host}; `ip address` shows all"
        case errno.EACCES | errno.EPERM if address.port < _FREE_PORTS:
            return f"choose a port from {_FREE_PORTS} on, and put a proxy in front"
        case _:
            return "choose another address"
