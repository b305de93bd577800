"""The session's state machine.

    starting --initialize answered--> ready --shutdown sent--> closing

What a plugin says is never trusted: every line becomes a signal, and those that make
no sense are counted until patience ends.
"""

from collections.abc import Iterable
from enum import Enum, auto
from typing import Generic

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from hydra_notify.outcomes import Retry
from hydra_notify.session.patience import INFINITY, Heartbeat, Patience
from hydra_notify.session.replies import (
    event_outcome,
    manifest_of,
    plain_successes,
    refusal_of,
    remark_on,
)
from hydra_notify.session.signals import (
    Answered,
    Broken,
    D,
    Late,
    Logged,
    Refused,
    Signal,
    Stopped,
)
from hydra_notify.session.window import Window
from hydra_notify_sdk.wire import (
    CancelParams,
    Framer,
    HostFrame,
    InitializeParams,
    LogParams,
    Oversized,
    PingResult,
    PluginFrame,
    ProgressParams,
    ShutdownParams,
    limits,
    to_line,
)

_decode_frame = msgspec.json.Decoder(PluginFrame).decode


class _Phase(Enum):
    STARTING = auto()
    READY = auto()
    CLOSING = auto()


class Session(Generic[D]):
    """One conversation with one plugin process.

    Args:
        hello: What `initialize` says.
        nonce: Part of every id that is made here, different in each process: text that
            a plugin echoes to stdout cannot pass for an answer, nor one that an earlier
            process was asked for.
        now: Monotonic seconds, here and everywhere below.
        most: The operator's bound on unanswered events, or None.
        timeout_ms: The operator's bound on the milliseconds for one event, or None.
    """

    def __init__(
        self,
        hello: InitializeParams,
        *,
        nonce: str,
        now: float,
        most: int | None = None,
        timeout_ms: int | None = None,
    ) -> None:
        self._hello = hello
        self._nonce = nonce
        self._most, self._timeout_ms = most, timeout_ms
        self._phase = _Phase.STARTING
        self._window: Window[D] | None = None
        self._framer = Framer()
        self._start_deadline = now + limits.START_TIMEOUT_MS / 1000
        self._start_latest = now + limits.START_TOTAL_MS / 1000
        self._heartbeat = Heartbeat(nonce, now)
        self._patience = Patience()

    @property
    def room(self) -> int:
        """Events that may be sent now."""
        if self._phase is not _Phase.READY or self._window is None:
            return 0
        return self._window.room

    @property
    def in_flight(self) -> int:
        """Events without an answer."""
        return 0 if self._window is None else len(self._window)

    @property
    def awaits_ping(self) -> bool:
        """Whether a ping was sent and nothing has come since."""
        return self._heartbeat.waiting

    @property
    def deadline(self) -> float:
        """When to `tick` at the latest."""
        if self._phase is _Phase.STARTING:
            return self._start_deadline
        if self._window:
            return self._window.deadline
        return INFINITY if self._phase is _Phase.CLOSING else self._heartbeat.due

    def open(self) -> bytes:
        """The first frame: `initialize`."""
        return self._frame("initialize", self._hello, self._id("i0"))

    def send(self, deliveries: Iterable[D], now: float) -> bytes:
        """The frames of `deliveries`, no more than there is `room` for."""
        assert self._window is not None
        self._heartbeat.alive(now)
        return self._window.send(deliveries, now)

    def ping(self, now: float) -> bytes:
        """A ping before one is due; nothing while one cannot be, or is, awaited."""
        if self._phase is not _Phase.READY or self._window or self.awaits_ping:
            return b""
        return self._ping_now(now)[0]

    def shutdown(self, reason: str, grace: float) -> bytes:
        """The last request; nothing is sent after it.

        Args:
            reason: `host_stop`, `reload` or `restart`.
            grace: Seconds until stdin is closed.
        """
        self._phase = _Phase.CLOSING
        params = ShutdownParams(reason=reason, grace_ms=int(grace * 1000))
        return self._frame("shutdown", params, self._id("s0"))

    def acknowledged(self, chunk: bytes, now: float) -> list[D]:
        """The deliveries that `chunk` says yes to, if it says nothing else.

        Nearly all that plugins say is this, and it is taken as one.

        Returns:
            In their order; none if `receive` is to take `chunk`, which would make the
            same of what this takes.
        """
        if self._window is None or self._framer.held:
            return []
        deliveries = self._window.answer_all(plain_successes(chunk))
        if deliveries:
            self._patience.restore()
            self._heartbeat.alive(now)
        return deliveries

    def receive(self, chunk: bytes, now: float) -> list[Signal[D]]:
        """Take bytes of the plugin's stdout."""
        signals: list[Signal[D]] = []
        for line in self._framer.feed(chunk):
            if isinstance(line, Oversized):
                most = limits.MAX_FRAME_BYTES
                reason = f"a line of {line.length} bytes; a frame has at most {most}"
                signals += self._patience.bad_frame(reason, b"", now)
            else:
                self._line(line, now, signals)
        if self._phase is _Phase.STARTING:
            signals += self._patience.before_start(self._framer.held)
        self._heartbeat.alive(now)
        return signals

    def tick(self, now: float) -> tuple[bytes, list[Signal[D]]]:
        """Do what is due; returns bytes to write, and signals."""
        if self._phase is _Phase.STARTING:
            if now < self._start_deadline:
                return b"", []
            return b"", [Broken("hang", "no answer to initialize in time")]
        if self._window:
            return self._expire(self._window, now)
        if self._phase is _Phase.READY and now >= self.deadline:
            return self._ping_now(now)
        return b"", []

    def _line(self, line: bytes, now: float, signals: list[Signal[D]]) -> None:
        try:
            frame = _decode_frame(line)
        except (ValueError, RecursionError) as error:
            if line.lstrip().startswith(b"{"):
                signals += self._patience.bad_frame(f"not a frame: {error}", line, now)
            else:
                self._stray(line, now, signals)
            return
        if frame.method:
            self._notification(frame, line, now, signals)
        elif not frame.result and frame.error is None:
            reason = "a reply needs a result or an error"
            signals += self._patience.bad_frame(reason, line, now)
        elif not self._answer(frame, signals):
            self._other_reply(frame, line, now, signals)

    def _answer(self, frame: PluginFrame, signals: list[Signal[D]]) -> bool:
        """Take the answer to an event in flight; whether it was one."""
        if self._window is None or not isinstance(frame.id, str):
            return False
        delivery = self._window.answer(frame.id)
        if delivery is None:
            return False
        self._patience.restore()
        outcome, remark = event_outcome(frame)
        signals.append(Answered(delivery, outcome))
        if remark:
            signals.append(Logged("warning", remark, about=delivery))
        return True

    def _other_reply(
        self, frame: PluginFrame, line: bytes, now: float, signals: list[Signal[D]]
    ) -> None:
        name = frame.id if isinstance(frame.id, str) else ""
        window = self._window
        if self._phase is _Phase.STARTING and name == self._id("i0"):
            self._initialized(frame, signals)
        elif self._phase is _Phase.CLOSING and name == self._id("s0"):
            signals.append(Stopped())
        elif self._heartbeat.answered(name):
            self._ponged(frame, signals)
        elif window is not None and (late := window.answer_late(name)) is not None:
            self._patience.restore()
            signals.append(Late(late, event_outcome(frame)[0]))
            words = "an answer came after its deadline"
            signals.append(Logged("warning", words, about=late))
        elif frame.id is None and frame.error is not None:
            reason = f"the plugin could not parse a frame: {frame.error.message}"
            signals += self._patience.bad_frame(reason, line, now)
        else:
            reason = "answers nothing that was asked (ids are echoed as they came)"
            signals += self._patience.bad_frame(reason, line, now)

    def _initialized(self, frame: PluginFrame, signals: list[Signal[D]]) -> None:
        if frame.error is None:
            answer = manifest_of(frame.result)
        else:
            answer = refusal_of(frame.error)
        signals.append(answer)
        if isinstance(answer, Refused):
            # Whatever it says now, it will not be sent anything.
            self._phase = _Phase.CLOSING
            return
        remark = remark_on(answer.manifest)
        if remark:
            signals.append(Logged("warning", remark))
        self._phase = _Phase.READY
        self._window = Window(
            answer.manifest, self._nonce, self._most, self._timeout_ms
        )

    def _ponged(self, frame: PluginFrame, signals: list[Signal[D]]) -> None:
        try:
            result = msgspec.json.decode(frame.result, type=PingResult)
        except (ValueError, RecursionError):
            # `ping` is optional: an error is a sign of life like any other.
            return
        if result.status == "failing":
            signals.append(Broken("failing", f"it says it fails: {result.message}"))

    def _notification(
        self, frame: PluginFrame, line: bytes, now: float, signals: list[Signal[D]]
    ) -> None:
        if frame.id is not UNSET:
            reason = f"plugins send no requests (method {frame.method!r})"
            signals += self._patience.bad_frame(reason, line, now)
            return
        try:
            match frame.method:
                case "progress":
                    name = msgspec.json.decode(frame.params, type=ProgressParams).id
                    self._progress(name, now)
                case "log":
                    words = msgspec.json.decode(frame.params, type=LogParams)
                    window, about = self._window, words.id or ""
                    known = None if window is None else window.find(about)
                    signals.append(
                        Logged(words.level, words.message, words.fields, known)
                    )
                case _:
                    # A newer plugin may know notifications that we do not.
                    return
        except (ValueError, RecursionError) as error:
            reason = f"parameters of {frame.method}: {error}"
            signals += self._patience.bad_frame(reason, line, now)

    def _progress(self, name: str, now: float) -> None:
        if self._window is not None:
            self._window.progress(name, now)
        elif name == self._id("i0"):
            again = now + limits.START_TIMEOUT_MS / 1000
            self._start_deadline = min(again, self._start_latest)

    def _stray(self, line: bytes, now: float, signals: list[Signal[D]]) -> None:
        signals.append(self._patience.stray(line))
        # A print without a newline glues itself to the frame that follows.
        _, brace, rest = line.partition(b'{"jsonrpc"')
        if brace:
            self._line(brace + rest, now, signals)

    def _expire(self, window: Window[D], now: float) -> tuple[bytes, list[Signal[D]]]:
        cancel, expired = window.expire(now)
        frames = (
            self._frame("cancel", CancelParams(id=name, reason="deadline"))
            for name in cancel
        )
        late = Retry("no answer in time", unanswered=True)
        signals: list[Signal[D]] = [Answered(delivery, late) for delivery in expired]
        if expired and window.hanging:
            signals.append(Broken("hang", "it does not answer events in time"))
        return b"".join(frames), signals

    def _ping_now(self, now: float) -> tuple[bytes, list[Signal[D]]]:
        name = self._heartbeat.beat(now)
        if name is None:
            return b"", [Broken("hang", "it does not answer pings")]
        return self._frame("ping", None, name), []

    def _id(self, name: str) -> str:
        return f"{name}-{self._nonce}"

    @staticmethod
    def _frame(
        method: str, params: Struct | None, name: str | UnsetType = UNSET
    ) -> bytes:
        frame = HostFrame(jsonrpc="2.0", id=name, method=method)
        if params is not None:
            frame.params = Raw(msgspec.json.encode(params))
        return to_line(frame)
