"""How `plugin send` reaches a `plugin run` in another terminal: a socket per run.

It lies in a directory that is the user's alone, and is named after the program and the
process: `chat.py.4242`. A request and its answer are one line of JSON each.
"""

import os
import socket
import stat
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
import trio
from msgspec import Struct

from hydra_notify.errors import HydraNotifyError
from hydra_notify.kit.limits import (
    DOOR_ANSWER_LIMIT,
    DOOR_REQUEST_BYTES,
    DOOR_REQUEST_LIMIT,
)
from hydra_notify.kit.play.words import Tone

_NAME_LENGTH: Final = 40
"""Characters of the program's name: the path of a socket has at most a hundred."""


class DoorError(HydraNotifyError):
    """A run cannot be reached; the message says why, and what to do."""


class Request(Struct):
    """An event to be sent: its name, and edits of the sample."""

    event: str
    edits: list[str] = []


class Answer(Struct):
    """What became of it.

    Attributes:
        problem: Why it was not sent, or "".
        reply: The plugin's frame, or "" if there was none.
        words: What the host makes of it.
        tone: How good that is.
        good: Whether the event was delivered, or skipped.
    """

    problem: str = ""
    reply: str = ""
    words: str = ""
    tone: Tone = "bad"
    good: bool = False


def directory(environ: Mapping[str, str]) -> Path:
    """Where the sockets are; made if need be.

    Raises:
        DoorError: It is not the user's alone.
    """
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if runtime and Path(runtime).is_dir():
        path = Path(runtime) / "hydra-notify"
    else:
        path = Path(tempfile.gettempdir()) / f"hydra-notify-{os.getuid()}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise DoorError(f"{path} cannot be made: {error.strerror}") from error
    if (
        not stat.S_ISDIR(found.st_mode)
        or found.st_uid != os.getuid()
        or found.st_mode & 0o077
    ):
        raise DoorError(
            f"{path} is not a directory of yours alone; remove it, or set "
            "XDG_RUNTIME_DIR to one"
        )
    return path


@asynccontextmanager
async def open_door(
    program: str,
    environ: Mapping[str, str],
    answer: Callable[[Request], Awaitable[Answer]],
) -> AsyncGenerator[str]:
    """Answer requests of other programs of this user.

    Args:
        program: Named in the socket's name.
        environ: Says where sockets belong.
        answer: Called with each request, several at a time.

    Yields:
        The name for `plugin send --to`.

    Raises:
        DoorError: There can be no socket.
    """
    name = f"{Path(program).name[:_NAME_LENGTH]}.{os.getpid()}"
    path = directory(environ) / name
    listening = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        await listening.bind(str(path))
        path.chmod(0o600)
        listening.listen()
    except OSError as error:
        listening.close()
        raise DoorError(f"{path}: {error.strerror or error}") from error
    try:
        async with trio.open_nursery() as nursery:
            listener = trio.SocketListener(listening)

            async def receive(stream: trio.SocketStream) -> None:
                await _serve(stream, answer)

            await nursery.start(trio.serve_listeners, receive, [listener])
            try:
                yield name
            finally:
                nursery.cancel_scope.cancel()
    finally:
        listening.close()
        path.unlink(missing_ok=True)


async def _serve(
    stream: trio.SocketStream, answer: Callable[[Request], Awaitable[Answer]]
) -> None:
    async with stream:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            request = b""
            with trio.move_on_after(DOOR_REQUEST_LIMIT):
                while not request.endswith(b"\n"):
                    chunk = await stream.receive_some()
                    if not chunk or len(request) > DOOR_REQUEST_BYTES:
                        break
                    request += bytes(chunk)
            try:
                asked = msgspec.json.decode(request, type=Request)
            except (ValueError, RecursionError):
                said = Answer(problem="is it the same version of hydra-notify?")
            else:
                said = await answer(asked)
            await stream.send_all(msgspec.json.encode(said) + b"\n")


def ask(request: Request, wanted: str, environ: Mapping[str, str]) -> Answer:
    """Have the one `plugin run` that lives, or the one that is named, send an event.

    Args:
        request: What to send.
        wanted: The run's name, its program's, or its process id; "" for the only one.
        environ: Says where sockets are.

    Raises:
        DoorError: There is none, there are several, or it ended without an answer.
    """
    alive = _alive(directory(environ))
    chosen = {
        name: connection
        for name, connection in alive.items()
        if not wanted or wanted in (name, *name.rsplit(".", 1))
    }
    try:
        if not chosen:
            raise DoorError(_none(wanted, sorted(alive)))
        if len(chosen) > 1:
            names = ", ".join(sorted(chosen))
            raise DoorError(f"more than one plugin runs ({names}); name one with --to")
        (connection,) = chosen.values()
        return _converse(connection, request)
    finally:
        for connection in alive.values():
            connection.close()


def _none(wanted: str, alive: list[str]) -> str:
    if alive:
        return f"no run is called {wanted}; there are {', '.join(alive)}"
    return (
        "no plugin runs; start one with `hydra-notify plugin run ./PROGRAM` in another "
        "terminal, or name a program after --"
    )


def _alive(folder: Path) -> dict[str, socket.socket]:
    """Connections to all runs, by name; what dead ones have left is removed."""
    alive: dict[str, socket.socket] = {}
    for path in sorted(folder.iterdir()):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(DOOR_REQUEST_LIMIT)
        try:
            connection.connect(str(path))
        except ConnectionRefusedError:
            connection.close()
            # Another one may be about to listen.
            if not _lives(path.suffix[1:]):
                path.unlink(missing_ok=True)
        except OSError:
            connection.close()
        else:
            alive[path.name] = connection
    return alive


def _lives(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def _converse(connection: socket.socket, request: Request) -> Answer:
    try:
        connection.sendall(msgspec.json.encode(request) + b"\n")
        connection.settimeout(DOOR_ANSWER_LIMIT)
        with connection.makefile("rb") as answers:
            return msgspec.json.decode(answers.readline(), type=Answer)
    except (OSError, ValueError) as error:
        raise DoorError("the run ended before it answered; look at it") from error
