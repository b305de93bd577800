"""What is said over one connection: requests, one after the other, and answers."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import h11
import trio

from hydra_notify.http.checks import bearer
from hydra_notify.http.gate import Gate
from hydra_notify.http.refusal import Explain, Refusal
from hydra_notify.http.reply import GONE, Reply
from hydra_notify.http.request import (
    Request,
    headers_of,
    query_of,
    read_form,
    read_head,
)
from hydra_notify.http.routes import Found, Lost, Route, find
from hydra_notify.http.streams import Streams
from hydra_notify.limits import (
    HTTP_CONNECTIONS,
    HTTP_IDLE,
    HTTP_LINGER,
    HTTP_REQUEST_BYTES,
    HTTP_REQUEST_TIME,
    READ_CHUNK,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answers:
    """How requests at one address are answered.

    Attributes:
        routes: What there is to be had.
        gate: Who judges them; None at the host's own socket: who may open that is
            trusted.
        explain: Makes a page of a refusal; None: people are told in plain text.
        streams: Answers without an end.
        idle: Connections over which nothing is asked now; to be cancelled at the end.
        crowded: Whether others wait for a connection, or all are to end.
    """

    routes: Sequence[Route]
    gate: Gate | None
    explain: Explain | None = None
    streams: Streams = field(default_factory=Streams)
    idle: set[trio.CancelScope] = field(default_factory=set)
    crowded: Callable[[], bool] = lambda: False


async def converse(stream: trio.SocketStream, answers: Answers) -> None:
    """Answer whatever is asked over a connection, until one side has enough.

    A bug in a page is said in the log and to the client; it ends nothing else.

    Raises:
        trio.BrokenResourceError: The client has left; or another of GONE.
    """
    wire = h11.Connection(h11.SERVER, max_incomplete_event_size=HTTP_REQUEST_BYTES)
    patience = HTTP_REQUEST_TIME
    while True:
        reply = Reply(stream, wire, answers.streams)
        try:
            head = await _head(stream, wire, answers, patience)
            if head is None:
                return
            request, route = await _judged(stream, wire, head, reply, answers)
            await route.handle(request, reply)
        except h11.RemoteProtocolError as error:
            await reply.refuse(error.error_status_hint, f"no HTTP: {error}")
        except Refusal as refusal:
            await _refuse(reply, refusal, answers.explain)
        except GONE:
            raise
        except Exception:  # noqa: BLE001 -- whatever it is, the host has to go on
            _log.critical("a bug met a request; deliveries go on", exc_info=True)
            if wire.our_state is not h11.SEND_RESPONSE:
                # A part of an answer is not a whole one.
                return
            await reply.refuse(500, "hydra-notify has a bug: its log says where")
        if wire.our_state is not h11.DONE or wire.their_state is not h11.DONE:
            await linger(stream, wire)
            return
        if answers.crowded():
            return
        wire.start_next_cycle()
        patience = HTTP_IDLE


async def _refuse(reply: Reply, refusal: Refusal, explain: Explain | None) -> None:
    """To people as a page; to programs as JSON."""
    if explain is None or not reply.for_person:
        await reply.refuse(refusal.status, refusal.words, refusal.headers)
        return
    reply.last = True
    body = await explain(refusal.status, refusal.words)
    await reply.html(body, refusal.status, refusal.headers)


async def turn_away(stream: trio.SocketStream) -> None:
    """Tell a client to come later."""
    wire = h11.Connection(h11.SERVER)
    reply = Reply(stream, wire, Streams())
    words = f"{HTTP_CONNECTIONS} connections are open already"
    await reply.refuse(503, words, [("Retry-After", "1")])
    await linger(stream, wire)


async def linger(stream: trio.SocketStream, wire: h11.Connection) -> None:
    """Let a client read the answer before its connection is closed."""
    if wire.their_state in (h11.DONE, h11.MUST_CLOSE, h11.CLOSED):
        # All that it sent has been read.
        return
    with suppress(*GONE), trio.move_on_after(HTTP_LINGER):
        await stream.send_eof()
        while await stream.receive_some(READ_CHUNK):
            pass


async def _head(
    stream: trio.SocketStream, wire: h11.Connection, answers: Answers, patience: float
) -> h11.Request | None:
    """The head of the next request; None if there is none, or nobody waits for it."""
    with trio.CancelScope() as idle:
        answers.idle.add(idle)
        try:
            with trio.move_on_after(patience) as waiting:
                return await read_head(stream, wire)
        finally:
            answers.idle.discard(idle)
        if waiting.cancelled_caught and patience == HTTP_REQUEST_TIME:
            raise _too_slow()
    return None


async def _judged(
    stream: trio.SocketStream,
    wire: h11.Connection,
    head: h11.Request,
    reply: Reply,
    answers: Answers,
) -> tuple[Request, Route]:
    """A request that may be answered, whole, and its page.

    Raises:
        Refusal: It may not.
        h11.RemoteProtocolError: It is none.
    """
    method, target = head.method.decode(), head.target.decode()
    headers = headers_of(head)
    reply.without_body = method == "HEAD"
    reply.for_person = "text/html" in headers.get("accept", "")
    path, query = query_of(target)
    found = find(answers.routes, method, path)
    route = found.route if isinstance(found, Found) else None
    gate = answers.gate
    if gate is not None:
        gate.check(route, method, headers)
    if isinstance(found, Lost):
        raise _lost(found, method, target)
    route = found.route
    if gate is not None and route.local_only:
        raise Refusal(404, f"{path} is to be had over the host's own socket alone")
    trusted = gate is None or await gate.trusts(headers)
    if gate is not None and route.acts and not trusted:
        raise gate.demand_trust()
    try:
        with trio.fail_after(HTTP_REQUEST_TIME):
            form = await read_form(stream, wire, headers)
    except trio.TooSlowError as error:
        raise _too_slow() from error
    # Commands of ours ask once; of browsers those that are early keep theirs.
    reply.last = gate is None or answers.crowded()
    request = Request(
        method=method,
        path=path,
        headers=headers,
        values=found.values,
        query=query,
        form=form,
        local=gate is None,
        trusted=trusted,
        signed_in=gate is not None and trusted and bearer(headers) is None,
        can_sign_in=gate is not None and gate.has_token,
    )
    return request, route


def _lost(found: Lost, method: str, target: str) -> Refusal:
    if not found.methods:
        return Refusal(404, f"there is nothing at {target}")
    allowed = ", ".join(found.methods)
    words = f"{method} cannot be used here, only {allowed}"
    return Refusal(405, words, [("Allow", allowed)])


def _too_slow() -> Refusal:
    return Refusal(408, f"no request within {HTTP_REQUEST_TIME:.0f} s")
