"""One plugin process: start it, wait for its end, end it.

The child gets a session (and so a process group) and pipes of its own, and an
environment that holds nothing of ours but what is named here. There is no parent-death
signal: trio forks in a worker thread, and the signal would follow that thread's end,
ten seconds later. A plugin whose host dies sees its stdin end.

What a plugin may is set up by `launcher`, a program that becomes the plugin.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import trio

from hydra_notify.limits import KILL_GRACE
from hydra_notify.process.children import reaped, started, starting
from hydra_notify.process.launch import launch_command, wait_launched
from hydra_notify_sdk.wire import limits

_PASSED: Final = ("PATH", "LANG", "TZ", "SSL_CERT_FILE", "NIX_SSL_CERT_FILE")
"""Variables of ours that a plugin sees too."""

STATE_DIR: Final = "HYDRA_NOTIFY_STATE_DIR"
"""The variable that tells a plugin its directory, and us whose process it is."""

_OOM_SCORE: Final = b"500"
"""When memory runs out plugins go before the host, and before Hydra itself."""


def environment(
    instance: str, state_dir: Path, own: Mapping[str, str], ours: Mapping[str, str]
) -> dict[str, str]:
    """The environment of a plugin.

    Args:
        instance: Its name in the configuration.
        state_dir: Its directory, also its home.
        own: What the operator sets for it.
        ours: The host's environment.
    """
    return {
        **{name: ours[name] for name in _PASSED if name in ours},
        "HOME": str(state_dir),
        # Interpreters must not hold frames back, and nobody looks at colours.
        "PYTHONUNBUFFERED": "1",
        "NO_COLOR": "1",
        "TERM": "dumb",
        **own,
        "HYDRA_NOTIFY_PLUGIN": "1",
        "HYDRA_NOTIFY_INSTANCE": instance,
        STATE_DIR: str(state_dir),
    }


async def spawn(
    command: Sequence[str],
    state_dir: Path,
    env: Mapping[str, str],
    options: Sequence[str] = (),
) -> trio.Process:
    """Start a plugin in its directory.

    Args:
        command: Program and arguments.
        state_dir: Its directory.
        env: Its environment.
        options: Of the launcher, which sets up what the plugin may; without any, it is
            started as it is, ten milliseconds sooner.

    Raises:
        OSError: The program cannot be started, or what it may not be set up; `strerror`
            says why.
    """
    if not options:
        return await _start(command, state_dir, env)
    reading, writing = os.pipe()
    try:
        launch = launch_command([*options, "report", str(writing)], command, env)
        process = await _start(launch, state_dir, env, writing)
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    try:
        await wait_launched(reading)
    except BaseException:
        with trio.move_on_after(KILL_GRACE, shield=True):
            await _discard(process)
        raise
    return process


async def _start(
    command: Sequence[str], state_dir: Path, env: Mapping[str, str], *passed: int
) -> trio.Process:
    with starting():
        process: trio.Process = await trio.lowlevel.open_process(
            list(command),
            pass_fds=passed,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=state_dir,
            env=dict(env),
            start_new_session=True,
            umask=0o077,
        )
        started(process.pid)
    _offer_to_oom_killer(process.pid)
    return process


async def _discard(process: trio.Process) -> None:
    """End a process that nobody has spoken with."""
    kill(process)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            await stream.aclose()
    await reap(process)


async def wait_end(process: trio.Process) -> int:
    """The exit status, when the process has ended and its group is gone with it.

    The group is killed before its leader is reaped, so that its number cannot belong to
    anyone else.
    """
    if not await wait_exit(process):
        # A moment in which the number could be another's.
        status = await reap(process)
        _signal_group(process, signal.SIGKILL)
        return status
    _signal_group(process, signal.SIGKILL)
    return await reap(process)


async def wait_exit(process: trio.Process) -> bool:
    """Return when the process has ended; it is not reaped then.

    By pid, not by end of output: a grandchild may hold the pipe.

    Returns:
        Whether that can be waited for: not without Linux 5.3.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        return False
    try:
        await trio.lowlevel.wait_readable(descriptor)
    finally:
        os.close(descriptor)
    return True


async def reap(process: trio.Process) -> int:
    """The exit status, when it has ended; its number may be another's from then on."""
    status = await process.wait()
    reaped(process.pid)
    return status


async def end(process: trio.Process, *, gently: bool) -> None:
    """Have the process end: stdin, SIGTERM, SIGKILL, each with its time.

    Returns at the latest when SIGKILL is sent; `wait_end` in another task sees the end
    and the caller cancels this.

    Args:
        process: Not yet waited for to the end.
        gently: Whether it may end by itself when its stdin does.
    """
    if gently:
        assert process.stdin is not None
        await process.stdin.aclose()
        await trio.sleep(limits.EXIT_GRACE_MS / 1000)
    _signal_group(process, signal.SIGTERM)
    # A stopped process does not hear SIGTERM.
    _signal_group(process, signal.SIGCONT)
    await trio.sleep(limits.TERM_GRACE_MS / 1000)
    kill(process)


def kill(process: trio.Process) -> None:
    """End the whole group now."""
    _signal_group(process, signal.SIGKILL)


def _offer_to_oom_killer(pid: int) -> None:
    with suppress(OSError):
        # Linux has this file.
        Path(f"/proc/{pid}/oom_score_adj").write_bytes(_OOM_SCORE)


def _signal_group(process: trio.Process, number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return
