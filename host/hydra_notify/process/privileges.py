"""What the host does to itself, for all that it will start."""

import ctypes
import resource
import sys
from typing import Final

_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_GET_NO_NEW_PRIVS: Final = 39


def give_up_privileges(*, setuid: bool) -> None:
    """Leave no core dumps, and keep all that is started from gaining rights.

    For a process that is the host alone, before it has threads: what one has, those it
    starts have, and every process they start. So it costs nothing, where the launcher
    costs each plugin a moment. Neither can be taken back.

    Args:
        setuid: Whether some plugin needs programs that gain rights by being setuid.
    """
    # Of the host a core would hold the secrets of all plugins.
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    if not setuid:
        prctl(_PR_SET_NO_NEW_PRIVS, 1)


def gains_no_privileges() -> bool:
    """Whether this thread, and so what it starts, gains nothing by setuid programs."""
    return prctl(_PR_GET_NO_NEW_PRIVS, 0) == 1


def prctl(option: int, argument: object) -> int:
    """The system call; -1 where it fails, or is not there."""
    if sys.platform != "linux":
        return -1
    # Absent arguments are not zero by themselves.
    zero = ctypes.c_ulong(0)
    return int(ctypes.CDLL(None).prctl(option, argument, zero, zero, zero))
