"""The other end of the host's socket, for our own commands: no loop, just reading."""

import json
import socket
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import h11

from hydra_notify.errors import HydraNotifyError
from hydra_notify.limits import HTTP_ANSWER, HTTP_ANSWER_BYTES, READ_CHUNK

_OK: Final = 200
_REFUSALS: Final = 400
"""From which on a status is one."""

_START: Final = (
    "start the host, or name the configuration of the one that runs with --config"
)


class HostError(HydraNotifyError):
    """The host cannot be asked, or refuses; the message says why and what to do."""


class NoHost(HostError):
    """Nobody listens there."""


class Refusal(HostError):
    """The host answers, and refuses.

    Args:
        status: Of HTTP.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host says to one request.

    Attributes:
        status: Of HTTP, below 400.
    """

    status: int
    body: bytes


Place = Path | tuple[str, int]
"""A socket's path, or an IP address and a port."""


def ask(
    path: Place, method: str, target: str, *, seconds: float = HTTP_ANSWER
) -> Answer:
    """The whole of an answer.

    Args:
        path: Of the host's socket; or where else it answers.
        method: Of HTTP; what is asked for has no body.
        target: Such as `/status.json`.
        seconds: For all of it.

    Raises:
        NoHost: Nobody listens there.
        Refusal: The host does not know that, or does not do it.
        HostError: It cannot be asked, does not answer, or went away in mid-answer.
    """
    wire = h11.Connection(h11.CLIENT)
    until = time.monotonic() + seconds
    head: h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED] = h11.NEED_DATA
    with _connected(path, seconds) as connection:
        try:
            connection.sendall(_request(wire, method, target))
            head = _next(connection, wire, until)
            if not isinstance(head, h11.Response):
                raise HostError(f"what listens at {path} is no host")
            body = b""
            while isinstance(event := _next(connection, wire, until), h11.Data):
                body += bytes(event.data)
                if len(body) > HTTP_ANSWER_BYTES:
                    raise HostError(f"what listens at {path} says too much for a host")
        except TimeoutError as error:
            raise HostError(_hangs(path, seconds)) from error
        except (OSError, h11.RemoteProtocolError) as error:
            if head is h11.NEED_DATA and wire.trailing_data[0]:
                raise HostError(f"what listens at {path} is no host") from error
            raise HostError(_GONE) from error
    if head.status_code >= _REFUSALS:
        raise Refusal(_refusal(body), head.status_code)
    return Answer(head.status_code, body)


def lines(path: Path, target: str) -> Generator[bytes]:
    """The lines of an answer, newlines included, as they come.

    Args:
        path: Of the host's socket.
        target: What is asked for, such as `/plugins/chat/frames`.

    Raises:
        HostError: Nobody listens there, it refuses, or it went away in mid-answer.
    """
    wire = h11.Connection(h11.CLIENT)
    with _connected(path) as connection:
        try:
            connection.sendall(_request(wire, "GET", target))
            head = _next(connection, wire)
            if not isinstance(head, h11.Response):
                raise HostError(f"what listens at {path} is no host")
            if head.status_code != _OK:
                raise Refusal(_refused(connection, wire), head.status_code)
            # Whoever waits for lines decides for how long.
            connection.settimeout(None)
            rest = b""
            while isinstance(event := _next(connection, wire), h11.Data):
                *whole, rest = (rest + bytes(event.data)).split(b"\n")
                yield from (line + b"\n" for line in whole)
        except TimeoutError as error:
            raise HostError(_hangs(path, HTTP_ANSWER)) from error
        except (OSError, h11.RemoteProtocolError) as error:
            raise HostError(_GONE) from error


_GONE: Final = "the host is gone; its log may say why"


def _hangs(path: Place, seconds: float) -> str:
    words = f"the host at {path} does not answer within {seconds:.0f} s"
    return f"{words}: it hangs; its log may say why"


def _request(wire: h11.Connection, method: str, target: str) -> bytes:
    headers = [("Host", "localhost"), ("Connection", "close")]
    if method == "POST":
        headers.append(("Content-Length", "0"))
    request = h11.Request(method=method, target=target, headers=headers)
    return (wire.send(request) or b"") + (wire.send(h11.EndOfMessage()) or b"")


def _connected(path: Place, seconds: float = HTTP_ANSWER) -> socket.socket:
    connection = socket.socket(_family(path))
    connection.settimeout(seconds)
    try:
        connection.connect(str(path) if isinstance(path, Path) else path)
    except PermissionError as error:
        connection.close()
        words = f"{path} may only be used by {_owner(path)}: run this as that user"
        raise HostError(words) from error
    except TimeoutError as error:
        connection.close()
        raise HostError(f"the host at {path} hangs; its log may say why") from error
    except OSError as error:
        connection.close()
        words = f"no host listens at {path} ({error.strerror or error})"
        raise NoHost(f"{words}: {_START}") from error
    return connection


def _family(place: Place) -> socket.AddressFamily:
    if isinstance(place, Path):
        return socket.AF_UNIX
    return socket.AF_INET6 if ":" in place[0] else socket.AF_INET


def _owner(path: Place) -> str:
    """Who the host runs as, as far as it can be told."""
    try:
        assert isinstance(path, Path)
        return f"the user {path.owner()}"
    except (OSError, KeyError):
        return "the user that runs the host"


def _next(
    connection: socket.socket, wire: h11.Connection, until: float | None = None
) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
    """What comes next.

    Args:
        until: When all of it has to have come (monotonic); None where each part has
            the time that is set for the socket.
    """
    while True:
        event = wire.next_event()
        if event is not h11.NEED_DATA:
            return event
        if until is not None:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
        wire.receive_data(connection.recv(READ_CHUNK))


def _refused(connection: socket.socket, wire: h11.Connection) -> str:
    body = b""
    while isinstance(event := _next(connection, wire), h11.Data):
        body += bytes(event.data)
    return _refusal(body)


def _refusal(body: bytes) -> str:
    """Why, in the host's words."""
    try:
        words = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        words = "it refuses, and does not say why"
    return f"the host says: {words}"
