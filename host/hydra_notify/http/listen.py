"""The address of the configuration, and why nobody can listen there."""

import errno
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hydra_notify.config import Address, NetworkAddress
from hydra_notify.http.claim import CannotListen, Claim, listening_at
from hydra_notify.limits import SOCKET_BACKLOG

_FREE_PORTS: Final = 1024
"""The first port that every program may have."""


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
        return Claim(listening_at(path, 0o660), path)


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
