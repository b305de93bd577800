"""The program of every plugin of the soak: `python -I -S plugin.py`, no SDK.

It writes down in `record.log`, in its own directory, one line in one write each:

    S LIFE HOST-PID TIME                    it started
    H LIFE TIME REQUEST EVENT BUILDS        it did its work; written before the answer
    A LIFE TIME REQUEST                     it has written the answer

Fields are separated by tabs, BUILDS by spaces; a dependent is followed by what it came
to, as its document says: `=START-STOP:STATUS`. Times are nanoseconds of the monotonic
clock, which all processes share. A line ends with a field `.`: one that does not was
cut off by SIGKILL in the middle of the write.

What happens by chance is a setting (see `cast.Temper`), until there is a file `calm`:
then nothing does, and nobody is slow.
"""

import json
import os
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LINGER = 2.0
"""Seconds that a stubborn plugin stays when it should go, and its escaped child."""

HANG = 8.0
"""Seconds that a plugin hangs: longer than the host bears it (1 s, and 5 s after
`cancel`), and not for ever, as nobody ends it when its host was killed."""

LOG = os.open("record.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
LIFE = f"{os.getpid()}.{time.monotonic_ns()}"


def main() -> None:
    note("S", LIFE, os.getppid(), time.monotonic_ns())
    temper: dict[str, Any] = {}
    rest = b""
    while chunk := os.read(0, 1 << 20):
        *lines, rest = (rest + chunk).split(b"\n")
        frames = [json.loads(line) for line in lines]
        if any(f["method"] == "event" for f in frames) and not calm(temper):
            pause(temper.get("delay", 0))
        for frame in frames:
            match frame["method"]:
                case "initialize":
                    temper = frame["params"]["config"]
                    answer(frame["id"], result=manifest(temper))
                    if happens(temper, "stubborn"):
                        be_stubborn()
                case "event":
                    handle(frame, temper)
                case "ping":
                    answer(frame["id"], result={})
                case "shutdown" if not happens(temper, "stubborn"):
                    answer(frame["id"], result={})
                case _:
                    pass
    if happens(temper, "stubborn"):
        pause(LINGER)


def manifest(temper: "dict[str, Any]") -> dict[str, object]:
    return {
        "protocol_version": 1,
        "name": "soaked",
        "version": "1",
        "events": temper["events"],
        "include": ["dependents"],
        "max_in_flight": temper.get("window", 1),
        "timeout_ms": 1000,
    }


def handle(frame: "dict[str, Any]", temper: "dict[str, Any]") -> None:
    event = frame["params"]["event"]
    if happens(temper, "crash_before"):
        os._exit(3)
    if happens(temper, "error"):
        data = {"retry_after_ms": 200}
        error = {"code": 503 if happens(temper, "pause") else 500, "message": "no"}
        answer(frame["id"], error={**error, "data": data})
        return
    data = event["data"]
    builds = [str(data["build"])] if "build" in data else []
    builds += map(dependent, data.get("dependents", []))
    words = " ".join(builds)
    note("H", LIFE, time.monotonic_ns(), frame["id"], event["id"], words)
    if happens(temper, "crash_after"):
        os._exit(4)
    if happens(temper, "hang"):
        pause(HANG)
        os._exit(5)
    answer(frame["id"], result={})
    note("A", LIFE, time.monotonic_ns(), frame["id"])


def dependent(document: "dict[str, Any]") -> str:
    start, stop = document["startTime"], document["stopTime"]
    return f"{document['build']}={start}-{stop}:{document['buildStatus']}"


def happens(temper: "dict[str, Any]", what: str) -> bool:
    chance = temper.get(what, 0)
    rolled = int.from_bytes(os.urandom(4), "big") / 2**32
    return rolled < chance and not calm(temper)


def calm(temper: "dict[str, Any]") -> bool:
    return os.access(temper["calm"], os.F_OK)


def be_stubborn() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        # It leaves the process group, and holds the pipes of its parent.
        os.setsid()
        pause(LINGER)
        os._exit(0)


def answer(request: str, **members: object) -> None:
    frame = {"jsonrpc": "2.0", "id": request, **members}
    data = json.dumps(frame).encode() + b"\n"
    try:
        while data:
            data = data[os.write(1, data) :]
    except BrokenPipeError:
        # The host is dead; the end of stdin is on its way.
        sys.exit(0)


def note(*fields: object) -> None:
    line = "\t".join(map(str, fields))
    os.write(LOG, f"\n{line}\t.\n".encode())


def pause(seconds: float) -> None:
    select.select([], [], [], seconds)


main()
