"""One process of a plugin, from spawn to exit.

One task reads stdout, one reads stderr, one writes, one waits to be told to stop, and
the owner waits for the exit; the nursery ends when the process has. One read takes many
answers and one write many events, and what there is room for is written at once, by the
reader or by whoever brings events: a turn of the loop costs more than the bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import trio

from hydra_notify import process
from hydra_notify.bell import Bell
from hydra_notify.config import PluginConfig
from hydra_notify.delivery import Delivery
from hydra_notify.dispatcher import Dispatcher
from hydra_notify.limits import (
    DRAIN_GRACE,
    KILL_GRACE,
    READ_CHUNK,
    STDOUT_DRAIN,
    WRITE_STALL,
)
from hydra_notify.metrics import PluginCounts, PluginState
from hydra_notify.outcomes import DELIVERED, Delivered
from hydra_notify.session import (
    Answered,
    Broken,
    Late,
    Logged,
    Malformed,
    Ready,
    Refused,
    Session,
    Signal,
    Stopped,
    Stray,
)
from hydra_notify.supervisor.end import End, end_by_itself
from hydra_notify.supervisor.stopping import STOP_WORDS, Stopping
from hydra_notify.supervisor.tap import Tap
from hydra_notify.supervisor.voice import Voice
from hydra_notify_sdk.wire import InitializeParams, InitializeResult, limits
from hydra_notify_sdk.wire.framing import Framer


class Life:
    """A running plugin process.

    Args:
        plugin: Its configuration.
        running: The process.
        hello: What `initialize` says.
        nonce: For ids.
        dispatcher: Where events come from and answers go.
        stopping: Rung, with why, when the plugin has to finish what it has and end.
        greeted: Called with the manifest when the plugin is ready.
        counts: Of the plugin.
        tap: Where others see what it says and is told.
    """

    def __init__(
        self,
        plugin: PluginConfig,
        running: trio.Process,
        hello: InitializeParams,
        nonce: str,
        dispatcher: Dispatcher,
        stopping: Stopping,
        greeted: Callable[[InitializeResult], None],
        counts: PluginCounts,
        tap: Tap,
    ) -> None:
        now = trio.current_time()
        self._name = plugin.name
        self._process = running
        self._stdin, self._stdout, self._stderr = process.pipes_of(running)
        self._state_dir = Path(hello.state_dir)
        self._session: Session[Delivery] = Session(
            hello,
            nonce=nonce,
            now=now,
            most=plugin.max_in_flight,
            timeout_ms=plugin.timeout_ms,
        )
        self._voice = Voice(plugin, hello.secrets.values(), counts)
        self._dispatcher = dispatcher
        self._stopping = stopping
        self._greeted = greeted
        self._counts = counts
        self._tap = tap
        self._bell: Bell = dispatcher.bell(plugin.name)
        self._ready_at: float | None = None
        self._ending: End | None = None
        self._draining = False
        self._goodbye = b""
        self._unsent = b""
        self._asleep_until = 0.0
        self._is_over = False
        self._answered = Bell()
        self._stopped = trio.Event()
        self._stdout_ended = trio.Event()
        self._stderr_ended = trio.Event()
        self._nursery: trio.Nursery | None = None

    async def run(self) -> End:
        """Converse until the process has ended.

        *Cancellation*: the process group is killed.
        """
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                nursery.start_soon(self._read)
                nursery.start_soon(self._read_stderr)
                nursery.start_soon(self._write)
                nursery.start_soon(self._drain)
                with self._dispatcher.spoken_by(self._name, self._speak):
                    status = await process.wait_end(self._process)
                self._is_over = True
                await self._end_orphans()
                # An answer written before the end counts, and last words explain it;
                # but a grandchild may hold the pipes for ever.
                with trio.move_on_after(STDOUT_DRAIN):
                    await self._stdout_ended.wait()
                    await self._stderr_ended.wait()
                nursery.cancel_scope.cancel()
        finally:
            if self._process.returncode is None:
                process.kill(self._process)
            with trio.move_on_after(KILL_GRACE, shield=True):
                await self._close_pipes()
                await process.reap(self._process)
                await self._end_orphans()
        self._tap.ended(status)
        return self._end(status)

    def _end(self, status: int) -> End:
        now = trio.current_time()
        ready_for = 0.0 if self._ready_at is None else now - self._ready_at
        if self._ending is None:
            return end_by_itself(status, self._voice.last_words, ready_for)
        return replace(self._ending, ready_for=ready_for)

    # Tasks

    async def _write(self) -> None:
        """Wait for room in the pipe, for the bell, and for what is due."""
        self._unsent = self._session.open()
        self._tap.sent(self._unsent)
        while True:
            if self._unsent:
                with trio.move_on_after(WRITE_STALL) as scope:
                    try:
                        await self._stdin.send_all(self._unsent)
                    except (trio.BrokenResourceError, trio.ClosedResourceError):
                        # The exit, or the end we began ourselves, says more.
                        await self._closed("stdin")
                        return
                if scope.cancelled_caught:
                    self._break("hang", "it does not read its stdin")
                    return
                self._unsent = b""
            self._write_due()
            if not self._unsent:
                self._asleep_until = self._next_turn()
                await self._bell.wait(self._asleep_until)

    def _speak(self) -> None:
        """Write what is due now, and wake the writer if something is left for it."""
        self._write_due()
        if self._unsent or self._session.deadline < self._asleep_until:
            self._bell.ring()

    def _write_due(self) -> None:
        """Write what is due as far as the pipe has room; the rest is the writer's."""
        if self._unsent or self._is_over:
            return
        data = self._due()
        if data:
            self._tap.sent(data)
            self._unsent = process.write_now(self._stdin, data)

    def _next_turn(self) -> float:
        """When there may be something to write without anybody ringing."""
        if self._ending is not None:
            return float("inf")
        if self._draining or not self._session.room:
            return self._session.deadline
        return min(self._session.deadline, self._dispatcher.next_due(self._name))

    def _due(self) -> bytes:
        """What there is to write now."""
        now = trio.current_time()
        frames = b""
        if self._ending is None and now >= self._session.deadline:
            frames, signals = self._session.tick(now)
            self._handle(signals)
        if self._ending is None and not self._draining:
            room = self._session.room
            batch = self._dispatcher.take(self._name, room) if room > 0 else ()
            if batch:
                frames += self._session.send(batch, now)
                self._voice.sent(batch)
        goodbye, self._goodbye = self._goodbye, b""
        return frames + goodbye

    async def _read(self) -> None:
        try:
            while data := await process.read(self._stdout):
                self._tap.said(data)
                self._hear(data)
                self._speak()
        except trio.ClosedResourceError:
            return
        self._stdout_ended.set()
        await self._closed("stdout")

    async def _read_stderr(self) -> None:
        framer = Framer()
        while chunk := await self._stderr.receive_some(READ_CHUNK):
            self._voice.stderr(framer.feed(bytes(chunk)))
        self._voice.stderr([rest] if (rest := framer.close()) else [])
        self._stderr_ended.set()

    async def _closed(self, pipe: str) -> None:
        """A pipe has ended; the process should too, and soon."""
        await trio.sleep(STDOUT_DRAIN)
        self._break("closed", f"it closed its {pipe} and went on living")

    async def _drain(self) -> None:
        """When asked to: take no more events, await answers, and say goodbye."""
        reason = await self._stopping.wait()
        self._draining = True
        self._counts.state = PluginState.DRAINING
        self._bell.ring()
        with trio.move_on_after(DRAIN_GRACE):
            while self._session.in_flight and self._ending is None:
                await self._answered.wait()
        if self._ending is None:
            self._ending = End("stopped", STOP_WORDS[reason])
            if self._ready_at is not None:
                grace = limits.SHUTDOWN_REPLY_MS / 1000
                self._goodbye = self._session.shutdown(reason, grace)
                self._bell.ring()
                with trio.move_on_after(grace):
                    await self._stopped.wait()
            self._start_end(gently=True)

    # Signals

    def _hear(self, data: bytes) -> None:
        now = trio.current_time()
        done = self._session.acknowledged(data, now)
        if not done:
            self._handle(self._session.receive(data, now))
            return
        self._delivered(done)
        if self._draining:
            self._answered.ring()

    def _delivered(self, done: Sequence[Delivery]) -> None:
        self._voice.answered(done, DELIVERED)
        self._dispatcher.delivered(self._name, done)

    def _handle(self, signals: Sequence[Signal[Delivery]]) -> None:
        done: list[Delivery] = []
        late: list[Delivery] = []
        for signal in signals:
            match signal:
                case Answered(delivery, outcome) if outcome is DELIVERED:
                    done.append(delivery)
                case Answered(delivery, outcome):
                    # Each in its turn: a success lifts a block that a refusal made.
                    self._delivered(done)
                    done = []
                    outcome = self._voice.masked(outcome)
                    self._voice.answered([delivery], outcome)
                    self._dispatcher.answered(self._name, delivery, outcome)
                case Late(delivery, Delivered()):
                    late.append(delivery)
                case Late():
                    # A failure changes nothing: it is to be tried again already.
                    continue
                case Ready(manifest):
                    self._ready_at = trio.current_time()
                    self._greeted(manifest)
                case Refused(reason, final):
                    self._break("refused", reason, final=final)
                case Logged(level, message, fields, about):
                    self._voice.logged(level, message, fields, about)
                case Stray(text):
                    self._voice.stray(text)
                case Malformed(reason, text):
                    self._voice.malformed(reason, text)
                case Broken(cause, reason):
                    self._break(cause, reason)
                case Stopped():
                    self._stopped.set()
        if done:
            self._delivered(done)
        if late:
            # After the answers: its deadline may have passed in the same turn.
            self._dispatcher.settle_late(self._name, late)
        if self._draining:
            self._answered.ring()

    # The end

    def _break(self, cause: str, reason: str, *, final: bool = False) -> None:
        if self._ending is None:
            self._ending = End(cause, self._voice.mask(reason), final)
            self._start_end(gently=cause == "refused")
            self._answered.ring()

    def _start_end(self, *, gently: bool) -> None:
        assert self._nursery is not None

        if gently:
            self._tap.hung_up()

        async def end() -> None:
            await process.end(self._process, gently=gently)

        self._nursery.start_soon(end)

    async def _end_orphans(self) -> None:
        ended = await process.end_orphans(self._state_dir)
        if ended:
            self._voice.ended_orphans(ended)

    async def _close_pipes(self) -> None:
        for stream in (self._stdin, self._stdout, self._stderr):
            await stream.aclose()
