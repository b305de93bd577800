"""Reading and writing a plugin's pipes without more turns of the loop than needed.

A stream of trio's gives way to other tasks before it reads and after it has written,
and tries a read before it waits. For a plugin that answers one event at a time that is
most of what an event costs.
"""

import os

import trio

from hydra_notify.limits import READ_CHUNK


def pipes_of(
    process: trio.Process,
) -> tuple[trio.lowlevel.FdStream, trio.lowlevel.FdStream, trio.lowlevel.FdStream]:
    """Stdin, stdout and stderr of a process that was started with pipes for them."""
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    assert isinstance(stdin, trio.lowlevel.FdStream)
    assert isinstance(stdout, trio.lowlevel.FdStream)
    assert isinstance(stderr, trio.lowlevel.FdStream)
    return stdin, stdout, stderr


async def read(stream: trio.lowlevel.FdStream) -> bytes:
    """What the pipe holds, once it holds something; nothing at its end.

    Raises:
        trio.ClosedResourceError: The stream is closed, or was while this waited.
    """
    while True:
        await trio.lowlevel.wait_readable(stream.fileno())
        try:
            return os.read(stream.fileno(), READ_CHUNK)
        except BlockingIOError:
            continue


def write_now(stream: trio.lowlevel.FdStream, data: bytes) -> bytes:
    """Write what fits the pipe; the rest of `data`, all of it if the pipe is broken."""
    try:
        return data[os.write(stream.fileno(), data) :]
    except OSError:
        # Full, broken or closed: whoever waits for room in it will see which.
        return data
