"""What this machine offers to confine a plugin with."""

import ctypes
import os
import pwd
import sys
from typing import Final

from hydra_notify.process.cgroup import cgroups
from hydra_notify.process.privileges import gains_no_privileges
from hydra_notify.sandbox import Account, Machine

_LANDLOCK_CREATE_RULESET: Final = 444
_ASK_FOR_ABI: Final = 1


def find_machine(user: str | None) -> Machine:
    """What can be enforced here for a plugin.

    Args:
        user: Whom the plugin shall run as; None: as the host.
    """
    return Machine(
        linux=sys.platform == "linux",
        uid=os.geteuid(),
        landlock=_landlock(),
        controllers=cgroups.controllers,
        no_cgroup=cgroups.missing,
        no_new_privs=gains_no_privileges(),
        account=None if user is None else _account(user),
    )


def _landlock() -> int:
    """The ABI of Landlock; 0 where it is missing or turned off."""
    if sys.platform != "linux":
        return 0
    number = ctypes.c_long(_LANDLOCK_CREATE_RULESET)
    nothing = ctypes.c_long(0)
    abi = ctypes.CDLL(None).syscall(number, None, nothing, ctypes.c_long(_ASK_FOR_ABI))
    return max(0, int(abi))


def _account(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    groups = tuple(os.getgrouplist(name, entry.pw_gid))
    return Account(name, entry.pw_uid, entry.pw_gid, groups)
