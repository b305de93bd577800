"""Several events at a time: the threads that handle them."""

import os
import signal
import sys
import threading
import time
from queue import SimpleQueue
from typing import Final, NoReturn

from hydra_notify_sdk.machine import Machine, Request

LEAVE_SECONDS: Final = 2.0
"""For handlers that still run when the host has gone; it waits 5 s before SIGTERM."""

INTERRUPTED: Final = 128 + signal.SIGINT
"""The exit status of a program that SIGINT has ended, to a shell."""


class Threads:
    """At most `size` threads that run requests; one is started when none is idle."""

    def __init__(self, machine: Machine, size: int) -> None:
        self._machine = machine
        self._size = size
        self._idle = threading.Semaphore(0)
        self._queue: SimpleQueue[Request | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, request: Request) -> None:
        """Has `request` run by one of the threads."""
        # Quick handlers need few threads, and each one more costs changes between them.
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._size:
            # A daemon, so that a handler that never ends cannot keep the process.
            thread = threading.Thread(target=self._work, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._queue.put(request)

    def leave(self, seconds: float) -> bool:
        """Lets the threads finish what they have; whether all of them did in time."""
        for _ in self._threads:
            self._queue.put(None)
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (request := self._queue.get()) is not None:
            try:
                self._machine.run(request)
            except BrokenPipeError:
                return
            # In a thread these would end the thread, and leave its event unanswered.
            except SystemExit as leaving:
                leave_at_once(leaving.code)
            except KeyboardInterrupt:
                leave_at_once(INTERRUPTED)
            self._idle.release()


def leave_at_once(status: str | int | None) -> NoReturn:
    """Ends the process whatever its threads do.

    Args:
        status: As for `sys.exit`.
    """
    if isinstance(status, str):
        sys.stderr.write(f"{status}\n")
        status = 1
    sys.stderr.flush()
    os._exit(status or 0)
