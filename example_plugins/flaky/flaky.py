#!/usr/bin/env python3
"""A plugin as bad as plugins get, to show that the host stands it.

    [plugins.flaky.settings]
    crash_rate = 0.05     # of events: ends at once, before or after its work
    hang_rate = 0.01      # never answers
    error_rate = 0.1      # asks for another attempt
    rubbish_rate = 0.1    # writes what is no frame, or answers what nobody asked
    fatal_starts = 4      # crashes and hangs in so many starts; without it, in all
    seed = 1              # the same seed and number of starts, the same misbehaviour

It speaks the protocol by itself: the SDK would not let it write rubbish. The work it
does is a line in `received.log` for each event. With all rates at 0 it is a plugin like
any other.
"""

import json
import os
import random
import select
import signal
import sys
from pathlib import Path
from typing import NoReturn

TIMEOUT_MS = 1500
"""Asked for, so that nobody waits long for an event that hangs."""

RUBBISH = (
    b"Segmentation fault (core dumped)\n",
    b'{"jsonrpc":"2.0","id":"e1-\n',
    b'{"jsonrpc":"2.0","id":"nobody-asked","result":{}}\n',
    b'{"jsonrpc":"2.0","result":{}}\n',
    b"\xff\xfe\x00\n",
    b"no newline: ",
)


def main() -> None:
    """Reads, misbehaves, answers."""
    settings: dict[str, float] = {}
    chance = random.Random()
    for line in filter(None, map(bytes.strip, sys.stdin.buffer)):
        try:
            frame = json.loads(line)
            name, method = frame.get("id"), frame.get("method")
        except (ValueError, AttributeError):
            refuse(None, -32700, "this is no frame")
            continue
        match method:
            case "initialize" if 1 not in frame["params"].get("protocol_versions", [1]):
                refuse(name, 426, "version 1 only", {"supported": [1]})
            case "initialize":
                settings = frame["params"]["config"]
                starts = count_starts()
                # Another start has to go another way, or it would end where this one
                # did, and the event in hand would never be handled.
                chance.seed(f"{settings.get('seed', 0)}:{starts}")
                if 0 < settings.get("fatal_starts", 0) < starts:
                    settings |= {"crash_rate": 0.0, "hang_rate": 0.0}
                result = {
                    "protocol_version": 1,
                    "name": "flaky",
                    "version": "1.0",
                    "events": ["*"],
                    "max_in_flight": 4,
                    "timeout_ms": TIMEOUT_MS,
                }
                send({"id": name, "result": result})
            case "event":
                params = frame["params"]
                again = params.get("delivery", {}).get("redelivered", False)
                handle(name, params["event"], settings, chance, again=again)
            case "shutdown" | "ping":
                send({"id": name, "result": {}})
            case _ if name is not None:
                refuse(name, -32601, "no such method")
            case _:
                pass


def refuse(name: str | None, code: int, message: str, data: object = None) -> None:
    """Answers with an error."""
    error = {"code": code, "message": message} | ({"data": data} if data else {})
    send({"id": name, "error": error})


def handle(
    name: str,
    event: dict[str, object],
    settings: dict[str, float],
    chance: random.Random,
    *,
    again: bool,
) -> None:
    """Handles one event, or does not."""

    def happens(rate: str) -> bool:
        return chance.random() < settings.get(rate, 0.0)

    if happens("rubbish_rate"):
        write(chance.choice(RUBBISH))
    if happens("hang_rate"):
        hang()
    if happens("error_rate"):
        error = {"code": 500, "message": "flaky: not today"}
        send({"id": name, "error": {**error, "data": {"retry_after_ms": 200}}})
        return
    crash = happens("crash_rate")
    # A crash after the work is the worse one: the work is done and nobody knows.
    if crash and chance.random() < 0.5:
        die(chance)
    if not (again and is_noted(event)):
        work(event)
    if crash:
        die(chance)
    send({"id": name, "result": {}})


def work(event: dict[str, object]) -> None:
    """Writes down the event and the builds it is about."""
    data = event["data"]
    assert isinstance(data, dict)
    builds = [data["build"], *data.get("dependentIds", [])] if "build" in data else []
    with Path("received.log").open("a") as received:
        received.write(f"{event['id']}\t{' '.join(map(str, builds))}\n")


def is_noted(event: dict[str, object]) -> bool:
    """Whether the event has been written down before."""
    path = Path("received.log")
    return path.exists() and f"{event['id']}\t" in path.read_text()


def hang() -> NoReturn:
    """Does nothing any more, but for ending when the host has gone."""
    poll = select.poll()
    # Not POLLIN: what the host still sends is not looked at.
    poll.register(0, 0)
    poll.poll()
    sys.exit()


def die(chance: random.Random) -> None:
    """Ends without a word, in one of two ways."""
    if chance.random() < 0.5:
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(1)


def count_starts() -> int:
    """How often this plugin has been started in this directory."""
    with Path("starts").open("a+") as starts:
        starts.write(".")
    return Path("starts").stat().st_size


def send(frame: dict[str, object]) -> None:
    """Writes one frame."""
    write(json.dumps({"jsonrpc": "2.0", **frame}).encode() + b"\n")


def write(data: bytes) -> None:
    """Writes at once, whatever it is."""
    os.write(1, data)


if __name__ == "__main__":
    main()
