"""Sets up what a plugin may, and becomes the plugin.

A program of its own, run as `python -I -S launcher.py OPTION VALUE ... -- COMMAND ...`:
what is set up must hold before the first instruction of the plugin, and code between
fork and exec of a process with threads can hang for ever. It imports only what starts
within milliseconds, and nothing of ours.

Options come in any order, and are carried out in that of `main`:

* `report FD`: where to say why the plugin was not started; closed when it was.
* `unset NAME`: a variable that Python itself has added.
* `cgroup DIRECTORY`: to join.
* `no-new-privs yes`
* `landlock ABI`: the kernel's. `files yes` leaves nothing but `read PATH` and
  `write PATH`, and what may be missing: `read-if-there`, `use-if-there` (devices).
  `network yes` leaves nothing but `connect PORT`.
* `groups GID,...`, `gid GID`, `uid UID`: to become.
* `directory PATH`: to enter as whoever it is then.
* `as`, `nproc`, `nofile`, `fsize`: limits, in their units.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Half of the time of a start by itself.
    from typing import Final, NoReturn

EXIT_NOT_STARTED: Final = 126

_PR_SET_NO_NEW_PRIVS: Final = 38
_SIGNALS_PYTHON_IGNORES: Final = (13, 25)
"""SIGPIPE and SIGXFSZ: an ignored signal stays so over exec."""

_NOT_THERE: Final = (errno.ENOENT, errno.ENOTDIR)

_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
"""System calls, the same on all machines (Linux 5.13)."""

_PATH_BENEATH: Final = 1
_NET_PORT: Final = 2

_EXECUTE: Final = 1 << 0
_WRITE_FILE: Final = 1 << 1
_READ_FILE: Final = 1 << 2
_READ_DIR: Final = 1 << 3
_MAKE_CHAR: Final = 1 << 6
_MAKE_BLOCK: Final = 1 << 11
_TRUNCATE: Final = 1 << 14
_IOCTL_DEV: Final = 1 << 15
_ON_FILES: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_READ: Final = _EXECUTE | _READ_FILE | _READ_DIR
_CONNECT_TCP: Final = 1 << 1

_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many rights on files there are, by the first ABI that has them."""

_ABI_NETWORK: Final = 4
_ABI_SCOPES: Final = 6
_SCOPES: Final = 0b11
"""Abstract sockets and signals: none to processes outside."""

_Options = dict[str, list[str]]

_libc = ctypes.CDLL(None, use_errno=True)


def main(arguments: list[str]) -> NoReturn:
    """Become the plugin, or say why not."""
    options: _Options = {}
    while (name := arguments.pop(0)) != "--":
        options.setdefault(name, []).append(arguments.pop(0))
    report = int(options["report"][0])
    os.set_inheritable(report, False)
    for name in options.get("unset", []):
        os.environ.pop(name, None)
    for number in _SIGNALS_PYTHON_IGNORES:
        _libc.signal(number, None)
    try:
        _confine(options, arguments)
        _execute(arguments)
    except OSError as error:
        said = f"{error.errno}\n{error.strerror}\n{error.filename or ''}"
        os.write(report, os.fsencode(said))
    os._exit(EXIT_NOT_STARTED)


def _confine(options: _Options, command: list[str]) -> None:
    for directory in options.get("cgroup", []):
        with open(f"{directory}/cgroup.procs", "w") as file:  # noqa: PTH123 -- quick
            file.write("0")
    if "no-new-privs" in options:
        _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    for abi in options.get("landlock", []):
        _restrict(int(abi), options, command)
    for groups in options.get("groups", []):
        os.setgroups([int(gid) for gid in groups.split(",")])
    for gid in options.get("gid", []):
        os.setgid(int(gid))
    for uid in options.get("uid", []):
        os.setuid(int(uid))
    for directory in options.get("directory", []):
        os.chdir(directory)
    for name in ("nproc", "nofile", "fsize", "as"):
        for value in options.get(name, []):
            _limit(getattr(resource, f"RLIMIT_{name.upper()}"), int(value))


def _limit(number: int, value: int) -> None:
    _, most = resource.getrlimit(number)
    if most != resource.RLIM_INFINITY:
        value = min(value, most)
    resource.setrlimit(number, (value, value))


def _execute(command: list[str]) -> None:
    # Not `execvp`: it imports more, which may be out of reach by now.
    number = errno.ENOENT
    for program in _candidates(command[0]):
        try:
            os.execv(program, command)  # noqa: S606 -- without a shell, on purpose
        except OSError as error:
            # A program that is there and cannot be run says more than one that is not.
            if number in _NOT_THERE and error.errno is not None:
                number = error.errno
    raise OSError(number, os.strerror(number), command[0])


def _candidates(program: str) -> list[str]:
    """Where a program may be."""
    if "/" in program:
        return [program]
    places = os.environ.get("PATH", os.defpath).split(":")
    return [f"{place or '.'}/{program}" for place in places]


# Landlock


def _restrict(abi: int, options: _Options, command: list[str]) -> None:
    rights = _RIGHTS[max(first for first in _RIGHTS if first <= abi)]
    files = (1 << rights) - 1 if "files" in options else 0
    network = _CONNECT_TCP if "network" in options else 0
    attributes = files.to_bytes(8, sys.byteorder)
    if abi >= _ABI_NETWORK:
        attributes += network.to_bytes(8, sys.byteorder)
    if abi >= _ABI_SCOPES:
        attributes += _SCOPES.to_bytes(8, sys.byteorder)
    ruleset = _system_call(_CREATE_RULESET, attributes, len(attributes), 0)
    if files:
        read = files & _READ
        # No programs from where it may write, and no devices.
        write = files & ~(_EXECUTE | _MAKE_CHAR | _MAKE_BLOCK)
        use = files & (_READ_FILE | _WRITE_FILE | _TRUNCATE | _IOCTL_DEV)
        _allow(ruleset, options.get("read", []), read)
        _allow(ruleset, options.get("write", []), write)
        _allow(ruleset, _there(options.get("read-if-there", [])), read)
        _allow(ruleset, _there(options.get("use-if-there", [])), use)
        _allow(ruleset, _files_of(command), read)
    if network:
        for port in options.get("connect", []):
            rule = network.to_bytes(8, sys.byteorder)
            rule += int(port).to_bytes(8, sys.byteorder)
            _system_call(_ADD_RULE, ruleset, _NET_PORT, rule, 0)
    _system_call(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _allow(ruleset: int, paths: list[str], rights: int) -> None:
    for path in paths:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = rights
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            allowed &= _ON_FILES
        rule = allowed.to_bytes(8, sys.byteorder)
        rule += descriptor.to_bytes(4, sys.byteorder)
        _system_call(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
        os.close(descriptor)


def _there(paths: list[str]) -> list[str]:
    return [path for path in paths if os.path.exists(path)]  # noqa: PTH110 -- quick


def _files_of(command: list[str]) -> list[str]:
    """The command's program, and the files that it names."""
    program, *rest = command
    found = [*_there(_candidates(program))[:1], *(path for path in rest if "/" in path)]
    return [path for path in found if os.path.isfile(path)]  # noqa: PTH113 -- quick


def _system_call(number: int, *arguments: object) -> int:
    words = [
        ctypes.c_long(each) if isinstance(each, int) else each for each in arguments
    ]
    return _checked(_libc.syscall(ctypes.c_long(number), *words), "Landlock")


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
    return result


if __name__ == "__main__":
    main(sys.argv[1:])
