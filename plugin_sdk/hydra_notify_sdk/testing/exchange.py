"""The wire in memory: frames to a plugin's machine, and what is heard of it."""

import logging
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from msgspec import Raw

from hydra_notify_sdk.events import AnyData, Event
from hydra_notify_sdk.failures import Failure, Skipped
from hydra_notify_sdk.logs import EventHandler
from hydra_notify_sdk.machine import Machine, Report, Request
from hydra_notify_sdk.plugin import Plugin
from hydra_notify_sdk.testing.outcome import LogLine, Progress, Sending
from hydra_notify_sdk.threads import LEAVE_SECONDS, Threads
from hydra_notify_sdk.wire import (
    CancelParams,
    Code,
    DeliveryInfo,
    EventParams,
    HostFrame,
    InitializeParams,
    InitializeResult,
    LogParams,
    PluginFrame,
    ProgressParams,
    to_line,
)
from hydra_notify_sdk.wire.limits import (
    CANCEL_GRACE_MS,
    EVENT_TIMEOUT_MS,
    MAX_FRAME_BYTES,
)

_decode: Final = msgspec.json.Decoder(PluginFrame).decode
_decode_log: Final = msgspec.json.Decoder(LogParams).decode
_decode_progress: Final = msgspec.json.Decoder(ProgressParams).decode


class Exchange:
    """One conversation with one plugin.

    Attributes:
        manifest: What the plugin wants, once it has started.
        not_started: What its start raised.
    """

    def __init__(self, plugin: Plugin[Any]) -> None:
        self.manifest = InitializeResult(
            protocol_version=0, name=plugin.name, version=plugin.version, events=[]
        )
        self.not_started: Exception | None = None
        self._plugin = plugin
        self._machine = Machine(self._start, self._handle, self._hear)
        # Held while the machine takes a frame, and while what it says is noted.
        self._lock = threading.RLock()
        self._answered = threading.Condition(self._lock)
        self._numbers = 0
        self._open: dict[str, Sending] = {}
        self._handled: dict[Event[AnyData], Sending] = {}
        self._replies: list[PluginFrame] = []

    def initialize(self, params: InitializeParams) -> PluginFrame:
        """The plugin's answer to the first request."""
        self._tell("initialize", params, "i0")
        (reply,) = self._replies
        if reply.error is None:
            self.manifest = msgspec.json.decode(reply.result, type=InitializeResult)
        return reply

    def deliver(self, sendings: Sequence[Sending]) -> None:
        """Has the plugin answer every one of these, as many at a time as it can.

        Raises:
            TimeoutError: One has no answer after its time and the grace of a host.
            SystemExit, KeyboardInterrupt: A handler ended the plugin.
        """
        with _logs_sent(self._plugin.name):
            if self.manifest.max_in_flight == 1:
                for sending in sendings:
                    for request in self._send(sending):
                        self._machine.run(request)
                    _check(sending)
            else:
                self._deliver_in_threads(list(sendings))

    def _deliver_in_threads(self, waiting: list[Sending]) -> None:
        threads = Threads(self._machine, self.manifest.max_in_flight)
        try:
            self._feed(threads, waiting)
        finally:
            threads.leave(LEAVE_SECONDS)

    def _feed(self, threads: Threads, waiting: list[Sending]) -> None:
        flying: list[Sending] = []
        with self._lock:
            while waiting or flying:
                for sending in self._next(waiting, flying):
                    waiting.remove(sending)
                    flying.append(sending)
                    for request in self._send(sending):
                        threads.submit(request)
                self._await_answer(flying)
                for sending in [s for s in flying if s.reply is not None]:
                    flying.remove(sending)
                    _check(sending)

    def _next(self, waiting: list[Sending], flying: list[Sending]) -> list[Sending]:
        """Those of `waiting` that a host would send now."""
        room = self.manifest.max_in_flight - len(flying)
        if self.manifest.ordering == "none":
            return waiting[:room]
        busy = {sending.event.subject for sending in flying}
        ready: list[Sending] = []
        for sending in waiting:
            if sending.event.subject not in busy and len(ready) < room:
                ready.append(sending)
            busy.add(sending.event.subject)
        return ready

    def _await_answer(self, flying: list[Sending]) -> None:
        seconds = (self._timeout_ms + CANCEL_GRACE_MS) / 1000
        answered = self._answered.wait_for(
            lambda: any(sending.reply is not None for sending in flying), seconds
        )
        if not answered:
            names = ", ".join(sending.event.id for sending in flying)
            raise TimeoutError(
                f"no answer to {names} in {seconds:g} seconds: what does its handler "
                "wait for?"
            )

    @property
    def _timeout_ms(self) -> int:
        return self.manifest.timeout_ms or EVENT_TIMEOUT_MS

    def _send(self, sending: Sending) -> list[Request]:
        self._numbers += 1
        name = f"e{self._numbers}"
        params = EventParams(
            name=sending.event.name,
            delivery=DeliveryInfo(
                attempt=sending.attempt,
                redelivered=sending.redelivered,
                timeout_ms=self._timeout_ms,
            ),
            event=sending.event.cloud_event(self.manifest.include),
        )
        self._open[name] = sending
        requests = self._tell("event", params, name)
        self._handled |= {request.event: sending for request in requests}
        self._cancel_if_due(name, sending)
        return requests

    def _tell(
        self, method: str, params: msgspec.Struct, name: str | None = None
    ) -> list[Request]:
        frame = HostFrame(jsonrpc="2.0", method=method)
        if name is not None:
            frame.id = name
        frame.params = Raw(msgspec.json.encode(params))
        line = to_line(frame)
        if len(line) > MAX_FRAME_BYTES:
            raise ValueError(
                f"this frame has {len(line)} bytes; a host sends at most "
                f"{MAX_FRAME_BYTES}"
            )
        with self._lock:
            return self._machine.receive(line)

    def _hear(self, line: bytes) -> None:
        frame = _decode(line)
        with self._lock:
            match frame.method:
                case "progress":
                    self._hear_progress(_decode_progress(frame.params))
                case "log":
                    words = _decode_log(frame.params)
                    if sending := self._open.get(words.id or ""):
                        line_ = LogLine(words.level, words.message, words.fields)
                        sending.log.append(line_)
                case _:
                    name = frame.id if isinstance(frame.id, str) else ""
                    if sending := self._open.pop(name, None):
                        sending.reply = frame
                        self._answered.notify_all()
                    else:
                        self._replies.append(frame)

    def _hear_progress(self, words: ProgressParams) -> None:
        if sending := self._open.get(words.id):
            sending.progress.append(Progress(words.message, words.percent))
            self._cancel_if_due(words.id, sending)

    def _cancel_if_due(self, name: str, sending: Sending) -> None:
        if sending.cancel_after == len(sending.progress):
            self._tell("cancel", CancelParams(id=name, reason="deadline"))

    def _start(self, params: InitializeParams, report: Report) -> InitializeResult:
        try:
            return self._plugin.start(params, report)
        except Exception as error:
            self.not_started = error
            raise

    def _handle(self, event: Event[AnyData], report: Report) -> Skipped | None:
        sending = self._handled.pop(event)
        try:
            return self._plugin.handle(event, report)
        except (SystemExit, KeyboardInterrupt) as leaving:
            # In a thread it would end this process; whoever has sent the event raises
            # it instead.
            sending.leaving = leaving
            raise Failure("the plugin ended", code=Code.UNAVAILABLE) from leaving
        except BaseException as error:
            sending.exception = error
            raise


def _check(sending: Sending) -> None:
    if sending.leaving is not None:
        raise sending.leaving


@contextmanager
def _logs_sent(own: str) -> Generator[None]:
    """Has handlers' records go over the wire meanwhile, from level `info`."""
    root = logging.getLogger()
    handler = EventHandler(own, logging.NullHandler())
    level = root.level
    root.addHandler(handler)
    root.setLevel(min(level or logging.INFO, logging.INFO))
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
