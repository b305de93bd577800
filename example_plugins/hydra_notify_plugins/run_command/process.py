"""A command from its start to its end: the process, its time, how it ended."""

import contextlib
import errno
import itertools
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import IO

from msgspec import Struct

from hydra_notify_plugins.run_command.matching import Task

LOOK = 0.5
"""Seconds between two looks for a cancellation."""

LOOKS_PER_PROGRESS = 20
"""A sign of life every ten seconds."""

TERM_GRACE = 1.0
"""Seconds for a command between SIGTERM and SIGKILL: with `LOOK`, less than the two for
which the SDK waits for handlers when the host has gone."""

SHELL_WORDS = re.compile(r"""[$&*(){}\[\]'";\\|?<>~`\n]|^\s*(\w+=|exec\s)""")
"""What makes a command one for a shell. Without any of it Perl starts the program
itself, so that a program that is missing is told from one that answers 127."""


class NotStarted(Exception):
    """There is no such program, or it cannot be executed.

    Attributes:
        number: The errno.
    """

    def __init__(self, number: int) -> None:
        super().__init__(os.strerror(number))
        self.number = number


class Limits(Struct, frozen=True):
    """When a command is ended.

    Attributes:
        seconds: It may run.
        cancelled: Whether the host has stopped waiting for it.
    """

    seconds: float
    cancelled: Callable[[], bool]


class End(Struct):
    """How a command ended: an exit status, or a signal.

    Attributes:
        cancelled: Whether it was ended because the host no longer waited.
    """

    exit_code: int | None = None
    signal: int | None = None
    core_dumped: bool | None = None
    cancelled: bool = False


def run(
    task: Task,
    output: IO[bytes],
    environment: Mapping[str, str],
    limits: Limits,
    progress: Callable[[str], None],
) -> End:
    """Runs a command until it ends or has to.

    What it has started itself and left behind is not waited for, and only ended with a
    command that has to end.

    Args:
        task: What to run.
        output: Where its output and its errors go.
        environment: All of it.
        limits: When it has to end.
        progress: Called every ten seconds.

    Raises:
        NotStarted: It could not begin.
    """
    process = start(task, output, environment)
    called_off = False
    try:
        called_off = not wait(process.pid, limits, progress, output)
    finally:
        status, by_itself = end(process)
    # It may have ended at the last moment, and then it has done its work.
    cancelled = called_off and not by_itself
    if os.WIFSIGNALED(status):
        number, core = os.WTERMSIG(status), os.WCOREDUMP(status)
        return End(signal=number, core_dumped=core, cancelled=cancelled)
    return End(exit_code=os.WEXITSTATUS(status), cancelled=cancelled)


def start(
    task: Task, output: IO[bytes], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Starts a command as Perl's `system` does: by a shell only where it takes one."""
    shell = ["sh", "-c", task.command]
    arguments = [task.command]
    if not task.program:
        plain = not SHELL_WORDS.search(task.command.strip())
        arguments = task.command.split() if plain else shell

    def begin(arguments: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            process_group=0,
        )

    try:
        return begin(arguments)
    except OSError as error:
        if error.errno == errno.ENOEXEC:
            # A script without a first line that names its interpreter.
            return begin(["sh", *arguments] if task.program else shell)
        raise NotStarted(error.errno or errno.EIO) from error


def wait(
    pid: int, limits: Limits, progress: Callable[[str], None], output: IO[bytes]
) -> bool:
    """Waits until a command has ended or its time is over.

    Returns:
        Whether the host still waits for it.
    """
    deadline = time.monotonic() + limits.seconds
    descriptor = os.pidfd_open(pid)
    try:
        for look in itertools.count(1):
            left = deadline - time.monotonic()
            if select.select([descriptor], [], [], max(0.0, min(LOOK, left)))[0]:
                return True
            if limits.cancelled():
                return False
            if left <= 0:
                words = f"ended by hydra-notify: it took over {limits.seconds:g} s\n"
                output.write(words.encode())
                output.flush()
                return True
            if look % LOOKS_PER_PROGRESS == 0:
                progress("the command runs")
        raise AssertionError("counting does not end")
    finally:
        os.close(descriptor)


def end(process: subprocess.Popen[bytes]) -> tuple[int, bool]:
    """The wait status of a command, and whether it has ended by itself."""
    # Until it is waited for, its number belongs to nobody else.
    ended, status = os.waitpid(process.pid, os.WNOHANG)
    if not ended:
        os.killpg(process.pid, signal.SIGTERM)
        status = reaped_after(process.pid, TERM_GRACE)
    # Popen would have kept less of it: not whether a core was dumped.
    process.returncode = os.waitstatus_to_exitcode(status)
    return status, bool(ended)


def reaped_after(pid: int, seconds: float) -> int:
    """The wait status of a command that was asked to end; its whole group is killed."""
    descriptor = os.pidfd_open(pid)
    try:
        select.select([descriptor], [], [], seconds)
    finally:
        os.close(descriptor)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]
