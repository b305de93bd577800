"""What a machine offers to confine a plugin with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the machine.

    Attributes:
        name: Of the user.
        uid: Its number.
        gid: Of its main group.
        groups: Of all its groups.
    """

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """What can be enforced here, by this process.

    Attributes:
        linux: Whether it is Linux.
        uid: Of the host.
        landlock: The kernel's ABI of Landlock; 0 where there is none.
        controllers: Of cgroups that the host can make for its plugins.
        no_cgroup: Why they have none; "" where they have what the kernel has to give.
        no_new_privs: Whether the host, and so all that it starts, is under it already.
        account: Of the user that the plugin shall run as; None where it has none.
    """

    linux: bool
    uid: int
    landlock: int
    controllers: frozenset[str]
    no_cgroup: str
    no_new_privs: bool
    account: Account | None = None
