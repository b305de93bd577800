"""What a plugin may use up, and what it may reach.

Nothing is limited that is not written here. What a machine can enforce of it, and how,
is said by `hydra_notify.sandbox`.
"""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from hydra_notify.config.checks import (
    check_memory,
    check_path,
    check_percent,
    check_size,
    check_text,
    check_user,
)
from hydra_notify.config.decode import Advice
from hydra_notify.config.size import bytes_of, percent_of


class LimitsConfig(Struct, frozen=True, kw_only=True):
    """What a plugin, with all it has started, may use up; None: as much as there is.

    Attributes:
        memory: Bytes, as written; `memory_bytes` has the number.
        tasks: Processes and threads.
        open_files: Descriptors of each process.
        file_size: Bytes of one file, as written; `file_size_bytes` has the number.
        cpu: Share of one processor, as written; `cpu_percent` has the number.
    """

    memory: Annotated[
        str | None, Advice('write a size in quotes, such as "256M"', check_memory)
    ] = None
    tasks: Annotated[
        Annotated[int, Meta(ge=1, le=4_194_304)] | None,
        Advice("write an integer from 1 to 4194304, such as 64"),
    ] = None
    open_files: Annotated[
        Annotated[int, Meta(ge=16, le=1_048_576)] | None,
        Advice("write an integer from 16 to 1048576, such as 256"),
    ] = None
    file_size: Annotated[
        str | None, Advice('write a size in quotes, such as "1G"', check_size)
    ] = None
    cpu: Annotated[
        str | None, Advice('write a share in quotes, such as "50%"', check_percent)
    ] = None

    @property
    def memory_bytes(self) -> int | None:
        """`memory` as a number."""
        return None if self.memory is None else bytes_of(self.memory)

    @property
    def file_size_bytes(self) -> int | None:
        """`file_size` as a number."""
        return None if self.file_size is None else bytes_of(self.file_size)

    @property
    def cpu_percent(self) -> int | None:
        """`cpu` as hundredths of one processor."""
        return None if self.cpu is None else percent_of(self.cpu)


_Paths = tuple[Annotated[Path, Advice("put the path in quotes", check_path)], ...]

_Port = Annotated[
    Annotated[int, Meta(ge=1, le=65_535)], Advice("write an integer from 1 to 65535")
]


class SandboxConfig(Struct, frozen=True, kw_only=True):
    """What a plugin may reach; None: all that its user may.

    Attributes:
        read: Files and directories that it may read and run programs from, beside what
            every program needs, its own program and the files that its command names.
        write: Files and directories that it may read and write, beside its own.
        connect_tcp: Ports that it may connect to by TCP.
        launcher: A command that is put in front of the plugin's own, such as bwrap.
        user: Whose rights it has instead of the host's.
        no_new_privs: Whether programs that it starts gain nothing by being setuid.
        required: Whether it does not start where any of this, or of its limits, cannot
            be enforced.
    """

    read: Annotated[_Paths | None, Advice('write read = ["/srv/data"]')] = None
    write: Annotated[_Paths | None, Advice('write write = ["/srv/data"]')] = None
    connect_tcp: Annotated[
        tuple[_Port, ...] | None, Advice("write connect_tcp = [443]; [] is none")
    ] = None
    launcher: Annotated[
        tuple[Annotated[str, Advice("put it in quotes", check_text)], ...],
        Advice('write launcher = ["bwrap", "--ro-bind", "/", "/"]'),
    ] = ()
    user: Annotated[str | None, Advice('write user = "hydra-slack"', check_user)] = None
    no_new_privs: Annotated[
        bool, Advice("write no_new_privs = true or no_new_privs = false")
    ] = True
    required: Annotated[bool, Advice("write required = true or required = false")] = (
        False
    )

    @property
    def restricts_files(self) -> bool:
        """Whether it may reach only the files that are named."""
        return self.read is not None or self.write is not None
