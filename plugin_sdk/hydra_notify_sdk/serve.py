"""The process: standard input and output, and signals, around a `Machine`."""

import contextlib
import errno
import os
import select
import signal
import sys
import threading
from collections import deque
from collections.abc import Generator
from typing import Final

from msgspec import Struct

from hydra_notify_sdk.machine import Handle, Machine, Request, Start
from hydra_notify_sdk.threads import LEAVE_SECONDS, Threads, leave_at_once

READ_BYTES: Final = 65_536
"""Of one read: what a pipe holds."""


class Wire(Struct, frozen=True):
    """The two ends of the wire, at descriptors nobody else knows."""

    incoming: int
    outgoing: int


def take_stdio() -> Wire:
    """Moves the wire away from standard input and output.

    What a `print`, a C library or a child process writes to descriptor 1 goes to
    stderr, and so to the host's log, instead of between two frames. Descriptor 0 is
    empty: a child that reads it would swallow events.
    """
    # Copies are not inherited by children (PEP 446).
    wire = Wire(os.dup(0), os.dup(1))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return wire


class Outlet:
    """Writes whole lines from any thread.

    A reply is written before its thread takes up another event. Saving it up to join
    it with the next one would be faster, but then a crash or a slow handler could take
    with it the acknowledgement of work that is done, and that work would be repeated.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        # Of a thread that is at it already: a signal's handler may log, too.
        self._lock = threading.RLock()
        self._queue: deque[bytes] = deque()
        self._writing = False
        self._forked = False

    def send(self, line: bytes) -> None:
        """Writes all of `line`.

        Raises:
            BrokenPipeError: The host has gone.
            OSError: This is a forked child, which is not the plugin.
        """
        if self._forked:
            raise OSError(errno.EBADF, "a forked child of a plugin has no wire")
        with self._lock:
            if self._writing:
                self._queue.append(line)
                return
            self._writing = True
            try:
                self._write(line)
                while self._queue:
                    self._write(self._queue.popleft())
            finally:
                self._writing = False

    def forget(self) -> None:
        """Gives up the wire, which belongs to the process this one was forked from."""
        if not self._forked:
            self._forked = True
            os.close(self._descriptor)

    def _write(self, line: bytes) -> None:
        written = os.write(self._descriptor, line)
        while written < len(line):
            line = line[written:]
            written = os.write(self._descriptor, line)


class Loop:
    """Reads in the calling thread, and runs handlers there or in threads.

    With one event in flight a thread would only cost time. The price is that nothing
    is read while a handler runs; one that works for long and asks `event.cancelled`
    reads by that (`look`).
    """

    def __init__(
        self, wire: Wire, woken: int, start: Start, handle: Handle, threads: int
    ) -> None:
        self._incoming = wire.incoming
        self._woken = woken
        self._reading = threading.Lock()
        self._ended = False
        self._forked = False
        self._waiting: deque[Request] = deque()
        outlet = Outlet(wire.outgoing)

        os.register_at_fork(after_in_child=outlet.forget)
        os.register_at_fork(after_in_child=self._forget)
        if threads == 1:
            self._machine = Machine(start, handle, outlet.send, self._look)
            self._threads = None
        else:
            self._machine = Machine(start, handle, outlet.send)
            self._threads = Threads(self._machine, threads)
        self._poll = select.poll()
        self._poll.register(self._incoming, select.POLLIN)
        self._either = select.poll()
        self._either.register(self._incoming, select.POLLIN)
        self._either.register(self._woken, select.POLLIN)

    def run(self) -> None:
        """Works until the host closes its end or a signal ends the process."""
        try:
            while not self._ended:
                with self._reading:
                    self._read()
                self._handle_waiting()
        except BrokenPipeError:
            pass
        finally:
            self._machine.end()
            if self._threads is not None and not self._threads.leave(LEAVE_SECONDS):
                # A normal exit would wait for threads that such a handler has started.
                leave_at_once(0)

    def _forget(self) -> None:
        # A child that is forked and outlives the plugin would keep the wire open, and
        # one that returns into the handler would go on as the plugin.
        if not self._forked:
            self._forked = self._ended = True
            os.close(self._incoming)

    def _handle_waiting(self) -> None:
        while self._waiting:
            request = self._waiting.popleft()
            if self._threads is None:
                self._machine.run(request)
            else:
                self._threads.submit(request)

    def _read(self) -> None:
        ready = {descriptor for descriptor, _ in self._either.poll()}
        if self._woken in ready:
            # Its handler has run: here, where Python runs them all.
            os.read(self._woken, READ_BYTES)
        if self._incoming not in ready:
            return
        chunk = os.read(self._incoming, READ_BYTES)
        if chunk:
            self._waiting.extend(self._machine.receive(chunk))
        else:
            self._ended = True
            self._machine.end()

    def _look(self) -> None:
        # Threads that the handler has started look too, and one that outlives it may do
        # so while the main thread reads.
        if not self._reading.acquire(blocking=False):
            return
        try:
            while not self._ended and self._poll.poll(0):
                self._read()
        finally:
            self._reading.release()


@contextlib.contextmanager
def ended_by_signals() -> Generator[int]:
    """SIGTERM and SIGINT end the process with status 0, `finally` clauses included.

    Yields:
        A descriptor that can be read after a signal. The system may give one to any
        thread, and then it does not interrupt what the main thread waits for.
    """

    def leave(_signal: int, _frame: object) -> None:
        sys.exit(0)

    previous = {
        number: signal.signal(number, leave)
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)
        for number, handler in previous.items():
            signal.signal(number, handler)


def serve(start: Start, handle: Handle, threads: int) -> None:
    """Speaks with the host over standard input and output until it hangs up."""
    wire = take_stdio()
    with ended_by_signals() as woken:
        Loop(wire, woken, start, handle, threads).run()
