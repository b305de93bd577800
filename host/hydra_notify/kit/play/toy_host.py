"""One life of a plugin, as the host would lead it, with nothing behind it.

The conversation is the host's own machine; what there is to see is told as it
happens: bytes both ways, what the machine makes of them, stderr, the end.
"""

import os
from collections import deque
from functools import partial
from typing import Final

import trio

from hydra_notify.bell import Bell
from hydra_notify.kit.child import Child
from hydra_notify.kit.play.happenings import Ended, Quiet, Read, Tell, Unfinished, Wrote
from hydra_notify.kit.play.sample_event import Sending
from hydra_notify.limits import DRAIN_GRACE, STDOUT_DRAIN, WRITE_STALL
from hydra_notify.outcomes import Retry
from hydra_notify.session import (
    Answered,
    Broken,
    Malformed,
    Ready,
    Refused,
    Session,
    Signal,
    Stopped,
)
from hydra_notify_sdk.wire import Framer, InitializeParams, InitializeResult, limits

_CRASHED: Final = Retry("it ended before it answered", unanswered=True)


class ToyHost:
    """A running plugin, and the conversation with it.

    Args:
        child: The process.
        hello: What `initialize` says.
        tell: Called with whatever happens.

    Attributes:
        manifest: What the plugin has asked for; None until it is ready.
        in_flight: Events without an answer.
        misbehaved: Whether it sent bad frames, refused, hung, crashed, or ended badly.
        started: Set when it is ready, or never will be.
        over: Set when it has ended.
    """

    def __init__(self, child: Child, hello: InitializeParams, tell: Tell) -> None:
        self.manifest: InitializeResult | None = None
        self.in_flight: set[Sending] = set()
        self.misbehaved = False
        self._draining = False
        self.started = trio.Event()
        self.over = trio.Event()
        self._child = child
        self._tell = tell
        self._session: Session[Sending] = Session(
            hello, nonce=os.urandom(4).hex(), now=trio.current_time()
        )
        self._bell = Bell()
        self._changed = trio.Event()
        self._waiting: deque[Sending] = deque()
        self._out = b""
        self._asked = False
        self._ending = False
        self._stopped = trio.Event()
        self._stdout_ended = trio.Event()
        self._nursery: trio.Nursery | None = None

    def submit(self, sending: Sending) -> None:
        """Send an event as soon as the plugin has room for it."""
        if self.over.is_set() or self._draining:
            sending.settle(Retry("it was not sent: the plugin ends"))
            return
        self._waiting.append(sending)
        self._bell.ring()

    @property
    def full(self) -> bool:
        """Whether an event has to wait for the answer to another one."""
        return len(self._waiting) >= self._session.room

    @property
    def idle(self) -> bool:
        """Whether it is ready and nothing is under way."""
        return not (
            self.manifest is None
            or self._draining
            or self._ending
            or self.in_flight
            or self._waiting
            or self._session.awaits_ping
        )

    async def ping(self) -> bool:
        """Ping it, and wait until something comes; False while it has work to do."""
        self._out += self._session.ping(trio.current_time())
        if not self._out:
            return False
        self._bell.ring()
        while self._session.awaits_ping and not self.over.is_set():
            await self._changed.wait()
        return True

    async def shutdown(self, reason: str, drain: float = DRAIN_GRACE) -> None:
        """Have it finish what it has, and end; returns when it has.

        Args:
            reason: `host_stop` or `restart`.
            drain: Seconds for answers to what is in flight.
        """
        if self._draining:
            await self.over.wait()
            return
        self._draining = True
        with trio.move_on_after(drain):
            while (self.in_flight or self._waiting) and not self._ending:
                await self._changed.wait()
        if not self._ending:
            self._ending = self._asked = True
            # Whoever waits for a restart does not wait for old code.
            busy = bool(self.in_flight) and reason != "host_stop"
            if self.manifest is not None:
                grace = limits.SHUTDOWN_REPLY_MS / 1000
                self._out += self._session.shutdown(reason, grace)
                self._bell.ring()
                with trio.move_on_after(0 if busy else grace):
                    await self._stopped.wait()
            await self._child.end(gently=not busy)
        await self.over.wait()

    async def converse(self) -> None:
        """Lead the conversation until the process has ended."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._read)
            nursery.start_soon(self._write)
            status = await self._child.wait()
            # An answer before the end counts; a grandchild may hold the pipes for ever.
            with trio.move_on_after(STDOUT_DRAIN):
                await self._stdout_ended.wait()
                await self._child.all_stderr()
            nursery.cancel_scope.cancel()
        assert status is not None
        self.misbehaved = self.misbehaved or not self._asked or status != 0
        asked = self._asked or self._ending
        self._ending = True
        self._tell(Ended(status, asked))
        for sending in list(self.in_flight):
            self._handle(Answered(sending, _CRASHED))
        for sending in self._waiting:
            sending.settle(Retry("it was not sent: the plugin has ended"))
        self.started.set()
        self.over.set()
        self._change()

    async def _write(self) -> None:
        data = self._session.open()
        while True:
            for line in data.splitlines():
                self._tell(Wrote(line))
            if data and not await self._child.write(data, WRITE_STALL):
                await self._break_later("it has closed its stdin, or does not read it")
                return
            data = self._due()
            if not data:
                until = float("inf") if self._ending else self._session.deadline
                await self._bell.wait(until)

    def _due(self) -> bytes:
        now = trio.current_time()
        data = b""
        if not self._ending and now >= self._session.deadline:
            data, signals = self._session.tick(now)
            for signal in signals:
                self._handle(signal)
        if not self._ending and self._waiting and self._session.room > 0:
            room = min(self._session.room, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(room)]
            self.in_flight.update(batch)
            data += self._session.send(batch, now)
        out, self._out = self._out, b""
        return data + out

    async def _read(self) -> None:
        framer = Framer()
        while chunk := await self._child.read():
            # A line at a time, so that what it means is told after it.
            for piece in chunk.splitlines(keepends=True):
                lines = framer.feed(piece)
                for line in lines:
                    self._tell(Read(line))
                for signal in self._session.receive(piece, trio.current_time()):
                    if isinstance(signal, Answered) and isinstance(lines[-1], bytes):
                        signal.delivery.reply = lines[-1]
                    self._handle(signal)
            self._bell.ring()
            self._change()
            if self.idle:
                self._tell(Quiet())
        if rest := framer.close():
            self._tell(Unfinished(rest))
        self._stdout_ended.set()
        await self._break_later("it closed its stdout and went on living")

    def _handle(self, signal: Signal[Sending]) -> None:
        self._take(signal)
        # When everybody knows what it means, those who watch are told.
        self._tell(signal)

    def _take(self, signal: Signal[Sending]) -> None:
        match signal:
            case Ready(manifest):
                self.manifest = manifest
                self.started.set()
            case Answered(sending, outcome):
                self.in_flight.discard(sending)
                sending.settle(outcome)
                self._change()
            case Malformed():
                self.misbehaved = True
            case Refused():
                self._break(gently=True)
            case Broken():
                self._break(gently=False)
            case Stopped():
                self._stopped.set()
            case _:
                pass

    def _change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def _break_later(self, reason: str) -> None:
        """A pipe has ended; the process should too, and soon."""
        await trio.sleep(STDOUT_DRAIN)
        if not self._ending:
            self._handle(Broken("closed", reason))

    def _break(self, *, gently: bool) -> None:
        self.misbehaved = True
        if not self._ending:
            self._ending = True
            assert self._nursery is not None
            self._nursery.start_soon(partial(self._child.end, gently=gently))
            self._change()
