"""The other end of the host's socket, for our own commands: no loop, just reading."""

import json
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Final

import h11

from hydra_notify.errors import HydraNotifyError
from hydra_notify.limits import HTTP_ANSWER, READ_CHUNK

_OK: Final = 200

_START: Final = (
    "start the host, or name the configuration of the one that runs with --config"
)


class HostError(HydraNotifyError):
    """The host cannot be asked, or refuses; the message says why and what to do."""


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
            headers = [("Host", "localhost"), ("Connection", "close")]
            request = h11.Request(method="GET", target=target, headers=headers)
            data = (wire.send(request) or b"") + (wire.send(h11.EndOfMessage()) or b"")
            connection.sendall(data)
            head = _next(connection, wire)
            if not isinstance(head, h11.Response):
                raise HostError(f"what listens at {path} is no host")
            if head.status_code != _OK:
                raise HostError(_refusal(connection, wire))
            # Whoever waits for lines decides for how long.
            connection.settimeout(None)
            rest = b""
            while isinstance(event := _next(connection, wire), h11.Data):
                *whole, rest = (rest + bytes(event.data)).split(b"\n")
                yield from (line + b"\n" for line in whole)
        except TimeoutError as error:
            words = f"the host at {path} does not answer within {HTTP_ANSWER:.0f} s"
            raise HostError(f"{words}: it hangs; its log may say why") from error
        except (OSError, h11.RemoteProtocolError) as error:
            raise HostError("the host is gone; its log may say why") from error


def _connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(HTTP_ANSWER)
    try:
        connection.connect(str(path))
    except PermissionError as error:
        connection.close()
        words = f"{path} may only be used by {_owner(path)}: run this as that user"
        raise HostError(words) from error
    except TimeoutError as error:
        connection.close()
        raise HostError(f"the host at {path} hangs; its log may say why") from error
    except OSError as error:
        connection.close()
        words = f"no active host listens at {path} ({error.strerror or error})"
        raise HostError(f"{words}: {_START}") from error
    return connection


def _owner(path: Path) -> str:
    """Who the host runs as, as far as it can be told."""
    try:
        return f"the user {path.owner()}"
    except (OSError, KeyError):
        return "the user that runs the host"


def _next(
    connection: socket.socket, wire: h11.Connection
) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
    while True:
        event = wire.next_event()
        if event is not h11.NEED_DATA:
            return event
        wire.receive_data(connection.recv(READ_CHUNK))


def _refusal(connection: socket.socket, wire: h11.Connection) -> str:
    """Why, in the host's words."""
    body = b""
    while isinstance(event := _next(connection, wire), h11.Data):
        body += bytes(event.data)
    try:
        words = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        words = "it refuses, and does not say why"
    return f"the host says: {words}"
