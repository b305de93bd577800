"""How the host starts the launcher, and hears from it."""

import errno
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import trio

from hydra_notify.limits import LAUNCH_LIMIT

LAUNCHER: Final = str(Path(__file__).with_name("launcher.py"))


def launch_command(
    options: Sequence[str], command: Sequence[str], env: Mapping[str, str]
) -> list[str]:
    """The command that sets up what a plugin may and becomes `command`.

    Args:
        options: Of the launcher.
        command: The plugin's.
        env: Its environment.
    """
    # Python adds this one when it starts in the locale C.
    unset = [] if "LC_CTYPE" in env else ["unset", "LC_CTYPE"]
    python = [sys.executable, "-I", "-S", "-X", "utf8"]
    return [*python, LAUNCHER, *options, *unset, "--", *command]


async def wait_launched(reading: int) -> None:
    """Return when the launcher has become the plugin, or has died without a word.

    Args:
        reading: Where it reports; closed at the end.

    Raises:
        OSError: It could not, or not in time.
    """
    report = b""
    async with trio.lowlevel.FdStream(reading) as stream:
        with trio.move_on_after(LAUNCH_LIMIT) as scope:
            async for chunk in stream:
                report += chunk
    if scope.cancelled_caught:
        raise TimeoutError(errno.ETIMEDOUT, "nothing came of it in time", LAUNCHER)
    if report:
        number, words, name = os.fsdecode(report).split("\n", 2)
        raise OSError(int(number), words, name)
