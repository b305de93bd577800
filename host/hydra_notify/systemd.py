"""What the service manager is told: sd_notify(3), by the environment it has set.

One datagram for each thing told. It never waits: what cannot be sent now is told again
later, by whoever knows whether it is still true.
"""

import os
import socket
from collections.abc import Mapping
from typing import Final

_MICROSECONDS: Final = 1_000_000


class Systemd:
    """The service manager that has started this process, if one has.

    Args:
        environ: `$NOTIFY_SOCKET`, `$WATCHDOG_USEC` and `$WATCHDOG_PID`.

    Attributes:
        listens: Whether there is one that wants to be told.
        watchdog: Seconds without `WATCHDOG=1` after which it ends this process; None if
            it never does.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A name that begins with "@" is Linux's: it is no file.
        self._address = address.replace("@", "\0", 1) if address[:1] == "@" else address
        self.listens = address[:1] in ("/", "@")
        self.watchdog = _watchdog(environ) if self.listens else None

    def tell(self, *assignments: str) -> bool:
        """Send `NAME=VALUE`s; whether they arrived (also if nobody wants them)."""
        if not self.listens:
            return True
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(assignments).encode(), self._address)
        except OSError:
            return False
        return True


def microseconds(seconds: float) -> int:
    """The unit of `EXTEND_TIMEOUT_USEC` and `MONOTONIC_USEC`."""
    return int(seconds * _MICROSECONDS)


def _watchdog(environ: Mapping[str, str]) -> float | None:
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        # It watches whoever has started us.
        return None
    try:
        interval = int(environ["WATCHDOG_USEC"])
    except (KeyError, ValueError):
        return None
    return interval / _MICROSECONDS if interval > 0 else None
