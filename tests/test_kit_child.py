"""A plugin's process in the kit."""

import os
import sys
from pathlib import Path

import pytest
import trio

from hydra_notify.kit.child import Child, start

DEAF = (
    "import signal, threading; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('there', flush=True); threading.Event().wait()"
)


async def test_a_child_is_gone_at_once_when_whoever_wanted_it_is_cancelled(
    tmp_path: Path,
) -> None:
    children: list[Child] = []
    with trio.fail_after(60), trio.CancelScope() as scope:
        command = (sys.executable, "-S", "-c", DEAF)
        async with start(command, tmp_path) as child:
            await child.read()
            children.append(child)
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught
    (child,) = children
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
