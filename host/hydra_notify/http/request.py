"""What a client asks: read from its connection, within bounds, to a value."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

import h11
import trio

from hydra_notify.http.refusal import Refusal
from hydra_notify.limits import HTTP_BODY_BYTES, READ_CHUNK

_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"

_FIELDS: Final = 64
"""Of a query or a form; nobody here asks for as many."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for.

    Attributes:
        method: Of HTTP; a HEAD is one, too.
        path: Without the query, as it was sent.
        values: What the path says in the places of names, by the route.
        query: Of names that come twice the last.
        form: What was posted, as a form or as an object of JSON; texts.
        headers: By their names in small letters.
        local: Whether it came over the host's own socket.
        trusted: Whether it may act.
        signed_in: Whether that is by a session of a browser.
        can_sign_in: Whether there is a token, so that somebody may act here.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    values: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    local: bool = False
    trusted: bool = False
    signed_in: bool = False
    can_sign_in: bool = False


async def read_head(
    stream: trio.SocketStream, wire: h11.Connection
) -> h11.Request | None:
    """The head of a request; None if the client leaves without one.

    Raises:
        h11.RemoteProtocolError: It is none.
    """
    event = await _next(stream, wire)
    return event if isinstance(event, h11.Request) else None


def headers_of(head: h11.Request) -> dict[str, str]:
    """The headers; of those that come twice the values, with commas between."""
    found: dict[str, str] = {}
    for name, value in head.headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        between = "; " if key == "cookie" else ", "
        found[key] = f"{found[key]}{between}{text}" if key in found else text
    return found


def query_of(target: str) -> tuple[str, dict[str, str]]:
    """The path of a request's target, and what its query says.

    Raises:
        Refusal: It says too much.
    """
    path, _, query = target.partition("?")
    return path, _fields(query)


async def read_form(
    stream: trio.SocketStream, wire: h11.Connection, headers: Mapping[str, str]
) -> dict[str, str]:
    """What is sent along with a request, to its end.

    Raises:
        Refusal: It is too long, of no length or kind, or makes no sense.
        h11.RemoteProtocolError: It breaks off.
    """
    if "transfer-encoding" in headers:
        raise Refusal(411, "say how long it is: send a Content-Length")
    length = int(headers.get("content-length", "0"))
    if length > HTTP_BODY_BYTES:
        raise Refusal(413, f"send at most {HTTP_BODY_BYTES} bytes")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if length and kind not in (_FORM, _JSON):
        raise Refusal(415, f"send {_FORM} or {_JSON}")
    body = await _read_body(stream, wire)
    if not body:
        return {}
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Refusal(400, "what was sent is not UTF-8") from error
    return _fields(text) if kind == _FORM else _members(text)


async def _read_body(stream: trio.SocketStream, wire: h11.Connection) -> bytes:
    if wire.they_are_waiting_for_100_continue:
        go_on = h11.InformationalResponse(status_code=100, headers=[])
        await stream.send_all(wire.send(go_on) or b"")
    body = b""
    while isinstance(event := await _next(stream, wire), h11.Data):
        body += bytes(event.data)
    return body


async def _next(
    stream: trio.SocketStream, wire: h11.Connection
) -> h11.Event | type[h11.PAUSED]:
    while True:
        event = wire.next_event()
        if event is not h11.NEED_DATA:
            assert not isinstance(event, type) or event is h11.PAUSED
            return event
        wire.receive_data(await stream.receive_some(READ_CHUNK))


def _fields(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError as error:
        raise Refusal(400, f"send at most {_FIELDS} fields") from error


def _members(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "what was sent is not JSON") from error
    if not isinstance(found, dict) or not all(
        isinstance(value, str) for value in found.values()
    ):
        raise Refusal(400, "send an object of JSON whose values are strings")
    try:
        "".join((*found, *found.values())).encode()
    except UnicodeEncodeError as error:
        raise Refusal(400, "what was sent has half a character") from error
    return found
