"""What nothing can be quicker than, measured on the same machine in the same minute.

`python -m benchmarks.floors PLUGINS WINDOW DELIVERIES` is the raw pipe loop in a
process of its own, like the host's: it prints deliveries a second and microseconds of
its processor time for each.
"""

import os
import subprocess
import sys
import time
from tempfile import TemporaryDirectory

import msgspec
import trio

from benchmarks.host import program
from benchmarks.hydra import Hydra
from hydra_notify import builds
from hydra_notify.database import connect
from hydra_notify.facts import PendingFlag
from hydra_notify.limits import CLEAR_BATCH

EVENT = b'{"specversion":"1.0","data":"%b"}' % (b"x" * 767)
"""800 bytes."""


class Reply(msgspec.Struct):
    id: str
    result: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(Reply).decode


class RawLoop(msgspec.Struct):
    """What the raw pipe loop can do.

    Attributes:
        rate: Deliveries a second, of all plugins together.
        cpu: Microseconds of the loop's own processor time for each.
    """

    rate: float
    cpu: float


def raw_loop(plugins: int, window: int, deliveries: int) -> RawLoop:
    """Frames to plugins and replies back: no database, no order, no memory."""
    command = [sys.executable, "-m", "benchmarks.floors"]
    command += map(str, (plugins, window, deliveries))
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=RawLoop)


async def _raw_loop(plugins: int, window: int, deliveries: int) -> RawLoop:
    with TemporaryDirectory(prefix="bench-") as directory:
        processes = [await _started(directory, window) for _ in range(plugins)]
        wall, cpu = time.monotonic(), time.process_time()
        async with trio.open_nursery() as nursery:
            # Ends when each plugin has answered everything.
            for process in processes:
                each = deliveries // plugins
                nursery.start_soon(_converse, process, window, each)
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        for process in processes:
            assert process.stdin is not None
            await process.stdin.aclose()
            await process.wait()
    return RawLoop(deliveries / wall, 1e6 * cpu / deliveries)


async def _started(directory: str, window: int) -> trio.Process:
    process = await trio.lowlevel.open_process(
        program("echo.py", window),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=directory,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    await process.stdin.send_all(b'{"jsonrpc":"2.0","id":"i","method":"initialize"}\n')
    assert (await process.stdout.receive_some()).endswith(b"\n")
    return process


async def _converse(process: trio.Process, window: int, deliveries: int) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    sent = answered = 0
    waiting: set[str] = set()
    rest = b""
    while answered < deliveries:
        frames: list[bytes] = []
        for _ in range(min(window - len(waiting), deliveries - sent)):
            sent += 1
            name = f"e{sent}-12345678"
            waiting.add(name)
            frames += (
                b'{"jsonrpc":"2.0","id":"%b","method":"event","params":{"name":'
                b'"build_finished","delivery":{"attempt":1,"redelivered":false,'
                b'"timeout_ms":60000},"event":' % name.encode(),
                EVENT,
                b"}}\n",
            )
        if frames:
            await process.stdin.send_all(b"".join(frames))
        *lines, rest = (rest + await process.stdout.receive_some(65_536)).split(b"\n")
        for line in lines:
            waiting.remove(_decode(line).id)
        answered += len(lines)


def drain(hydra: Hydra, count: int) -> float:
    """Notifications a second that a client does nothing with."""
    with connect(hydra.url) as listener:
        listener.execute("listen build_finished")
        first, last = hydra.some(count)
        hydra.announce(first, last)
        began, left = time.monotonic(), count
        while left:
            left -= len(list(listener.notifies(timeout=1, stop_after=left)))
        return count / (time.monotonic() - began)


def clear(hydra: Hydra, count: int) -> float:
    """Flags cleared a second, by the host's own statement and nothing else."""
    first, last = hydra.some(count)
    hydra.flag(first, last)
    with connect(hydra.url) as connection:
        flags = [
            PendingFlag(*row) for row in connection.execute(FLAGGED, (first, last))
        ]
        began = time.monotonic()
        for start in range(0, count, CLEAR_BATCH):
            cleared = builds.clear(connection, flags[start : start + CLEAR_BATCH])
            assert cleared
        return count / (time.monotonic() - began)


def start(hydra: Hydra) -> float:
    """Seconds for a program to import what the host stands on, connect and LISTEN."""
    command = [sys.executable, "-c", LISTEN, hydra.host_url]
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        return time.monotonic() - began


LISTEN = """
import sys, msgspec, psycopg, trio
connection = psycopg.connect(sys.argv[1], autocommit=True)
connection.execute("listen build_finished")
print("listening", flush=True)
"""

FLAGGED = """
select id, notificationpendingsince, buildstatus, starttime, stoptime
from builds where id between %s and %s order by id
"""


def main() -> None:
    plugins, window, deliveries = map(int, sys.argv[1:])
    figures = trio.run(_raw_loop, plugins, window, deliveries)
    os.write(1, msgspec.json.encode(figures))


if __name__ == "__main__":
    main()
