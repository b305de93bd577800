"""The plugin's side of the protocol: bytes in, lines out. No file, thread or clock.

    receive(bytes) ──┬─ initialize, ping, shutdown ──> answered at once, by `send`
                     ├─ cancel ──────────────────────> sets the event's `cancelled`
                     └─ event ──> a `Request` is returned ──> run(request) ──> `send`

Whoever owns the machine chooses when and in which thread each request runs, and may run
many at a time: `run` and `send` are called from any thread, `receive` and `end` from
one. Every request with an id is answered exactly once.
"""

import contextlib
import logging
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from hydra_notify_sdk.events import AnyData, Cancellation, Event, EventRequest
from hydra_notify_sdk.failures import Failure, Skipped
from hydra_notify_sdk.logs import handled
from hydra_notify_sdk.replies import (
    crash_text,
    done_line,
    error_line,
    failure_line,
    progress_line,
    result_line,
    version_line,
)
from hydra_notify_sdk.wire import (
    PROTOCOL_VERSION,
    CancelParams,
    Code,
    EventResult,
    Framer,
    HostFrame,
    InitializeParams,
    InitializeResult,
    Oversized,
    PingResult,
)
from hydra_notify_sdk.wire.limits import MAX_ID_LENGTH

Report = Callable[[str, float | None], None]
"""Sends a message and a percentage for the request that is being handled."""

Start = Callable[[InitializeParams, Report], InitializeResult]
Handle = Callable[[Event[AnyData], Report], Skipped | None]
ParamsT = TypeVar("ParamsT")

_logger = logging.getLogger(__name__)
_decode_frame: Final = msgspec.json.Decoder(HostFrame).decode
_decode_event: Final = msgspec.json.Decoder(EventRequest).decode


class _Identified(Struct):
    id: str | None = None


class Request(Struct, frozen=True):
    """An event that waits to be handled."""

    id: str
    event: Event[AnyData]


def _nothing_to_look_at() -> None:
    pass


class Machine:
    """One conversation with the host.

    Args:
        start: Takes the configuration and says what the plugin wants.
        handle: Handles one event.
        send: Writes one line.
        look: Reads, without waiting, what the host has sent meanwhile.
    """

    def __init__(
        self,
        start: Start,
        handle: Handle,
        send: Callable[[bytes], None],
        look: Callable[[], None] = _nothing_to_look_at,
    ) -> None:
        self._start = start
        self._handle = handle
        self._send = send
        self._look = look
        self._framer = Framer()
        self._ready = False
        self._open: dict[str, Cancellation] = {}

    def receive(self, chunk: bytes) -> list[Request]:
        """Answers what can be answered at once; returns the events to handle."""
        requests: list[Request] = []
        for line in self._framer.feed(chunk):
            if isinstance(line, Oversized):
                text = f"a frame of {line.length} bytes is over the limit"
                self._send(error_line(None, Code.PARSE_ERROR, text))
                continue
            try:
                frame = _decode_frame(line)
            except (ValueError, RecursionError) as error:
                self._send(_refusal(line, error))
                continue
            request = self._dispatch(frame)
            if request is not None:
                requests.append(request)
        return requests

    def run(self, request: Request) -> None:
        """Handles one event and sends its reply.

        An exception of the author's is a reply too. Only what is meant to end the
        process, and a `send` that fails, get out.

        Raises:
            SystemExit: The handler ends the plugin; its event has no reply.
            KeyboardInterrupt: The same.
        """
        token = handled.set((request.id, self._send))
        try:
            line = self._answer(request)
        finally:
            handled.reset(token)
        # Before the reply: the host may use the id again as soon as it has it.
        self._open.pop(request.id, None)
        self._send(line)

    def _answer(self, request: Request) -> bytes:
        try:
            return self._attempt(request)
        except (SystemExit, KeyboardInterrupt):
            raise
        # Others than `Exception`, too: asyncio's CancelledError is one, and no reason
        # for the plugin to end or for the event to stay without a reply.
        except BaseException as error:
            _logger.exception("the handler of %s failed", request.event.id)
            text = crash_text(error)
            return error_line(request.id, Code.INTERNAL_SERVER_ERROR, text)

    def _attempt(self, request: Request) -> bytes:
        try:
            answer = self._handle(request.event, self._report(request.id))
            return done_line(request.id, answer)
        except Failure as failure:
            return failure_line(request.id, failure)

    def end(self) -> None:
        """The host has gone: nobody waits for what is still open."""
        for cancellation in list(self._open.values()):
            cancellation.requested = True

    def _dispatch(self, frame: HostFrame) -> Request | None:
        if not isinstance(frame.id, str):
            if frame.method == "cancel":
                self._cancel(frame.params)
            return None
        if len(frame.id) > MAX_ID_LENGTH or frame.id in self._open:
            # Answered without the id: with it, the reply would be another request's.
            text = f"this id is in use or too long: {frame.id[:MAX_ID_LENGTH]!r}"
            self._send(error_line(None, Code.INVALID_REQUEST, text))
            return None
        try:
            match frame.method:
                case "event":
                    return self._accept(frame.id, frame.params)
                case "initialize":
                    line = self._initialize(frame.id, frame.params)
                case "ping":
                    line = result_line(frame.id, PingResult())
                case "shutdown":
                    line = result_line(frame.id, EventResult())
                case other:
                    text = f"no such method: {other!r}"
                    line = error_line(frame.id, Code.METHOD_NOT_FOUND, text)
        except Failure as failure:
            line = failure_line(frame.id, failure)
        self._send(line)
        return None

    def _initialize(self, request: str, raw: Raw) -> bytes:
        if self._ready:
            raise Failure("initialize came twice", code=Code.INVALID_REQUEST)
        params = _params(msgspec.json.Decoder(InitializeParams).decode, raw)
        if PROTOCOL_VERSION not in params.protocol_versions:
            return version_line(request, params.protocol_versions)
        try:
            manifest = self._start(params, self._report(request))
        except Failure:
            raise
        except Exception as error:
            _logger.exception("the plugin could not start")
            text = crash_text(error)
            raise Failure(text, code=Code.FAILED_DEPENDENCY) from error
        self._ready = True
        return result_line(request, manifest)

    def _accept(self, request: str, raw: Raw) -> Request:
        if not self._ready:
            raise Failure("initialize must come first", code=Code.INVALID_REQUEST)
        cancellation = Cancellation(self._look)
        event: Event[AnyData] = _params(
            lambda params: Event(_decode_event(params), cancellation), raw
        )
        self._open[request] = cancellation
        return Request(request, event)

    def _cancel(self, raw: Raw) -> None:
        try:
            params = _params(msgspec.json.Decoder(CancelParams).decode, raw)
        except Failure as failure:
            _logger.warning("a cancel that cannot be understood: %s", failure)
            return
        cancellation = self._open.get(params.id)
        if cancellation is not None:
            cancellation.requested = True

    def _report(self, request: str) -> Report:
        def report(message: str, percent: float | None) -> None:
            self._send(progress_line(request, message, percent))

        return report


def _params(decode: Callable[[Raw], ParamsT], raw: Raw) -> ParamsT:
    try:
        return decode(raw)
    except (ValueError, RecursionError) as error:
        text = f"bad params: {error}"
        raise Failure(text, code=Code.INVALID_PARAMS) from error


def _refusal(line: bytes, problem: Exception) -> bytes:
    """The reply to a line that is no request, to its id if that can be read."""
    if not isinstance(problem, msgspec.ValidationError):
        return error_line(None, Code.PARSE_ERROR, f"parse error: {problem}")
    request: str | None = None
    with contextlib.suppress(ValueError, RecursionError):
        request = msgspec.json.decode(line, type=_Identified).id
    if request is not None and len(request) > MAX_ID_LENGTH:
        request = None
    return error_line(request, Code.INVALID_REQUEST, f"not a request: {problem}")
