"""Waiting for what other processes do, with an end."""

import threading
import time
from collections.abc import Callable

LOOK = 0.005
"""Seconds between two looks."""


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def wait_until(true: Callable[[], bool], patience: float, what: str) -> None:
    """Return when `true()`.

    Raises:
        TimeoutError: It was not within `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {patience:g} s for {what}")
        pause(LOOK)
