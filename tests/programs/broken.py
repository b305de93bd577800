"""A plugin that breaks one rule of the protocol, and keeps all others.

Run as `broken.py FAULT`. It imports little, since it is started hundreds of times.
"""

import json
import os
import select
import signal
import sys
from collections.abc import Callable

Frame = dict[str, object]

FAULT = sys.argv[1]

seen: set[object] = set()
ready = told = closed = False
url = ""
wire = os.dup(1)


def send(frame: Frame) -> None:
    """Writes one frame."""
    if closed:
        return
    if FAULT != "no jsonrpc":
        frame = {"jsonrpc": "2.0", **frame}
    if FAULT == "upper case ids" and isinstance(frame.get("id"), str):
        frame["id"] = str(frame["id"]).upper()
    if FAULT == "numeric ids":
        frame["id"] = 7
    text = json.dumps(frame, indent=1 if FAULT == "pretty frames" else None) + "\n"
    if FAULT == "banner before each frame":
        text = f"now: {text}"
    if FAULT == "held back":
        held.append(text)
        return
    os.write(wire, text.encode())
    if FAULT == "answers twice" and "method" not in frame:
        os.write(wire, text.encode())


held: list[str] = []


def result(name: object, value: object = None) -> None:
    """Answers a request."""
    send({"id": name, "result": {} if value is None else value})


def error(name: object, code: int, message: str, data: object = None) -> None:
    """Answers a request with an error."""
    problem: Frame = {"code": code, "message": message}
    if data is not None:
        problem["data"] = data
    send({"id": name, "error": problem})


def initialize(name: object, params: Frame) -> None:
    """Answers `initialize`."""
    global ready, closed, url
    config = params["config"]
    assert isinstance(config, dict)
    versions = params["protocol_versions"]
    assert isinstance(versions, list)
    if FAULT in ("silent", "is no plugin"):
        return None
    if FAULT == "slow to start":
        select.select([], [], [], 0.3)
    if FAULT == "cannot start":
        return error(name, 424, "the service is down")
    if FAULT == "strict about initialize" and "newer" in params:
        raise KeyError("newer")
    if 1 not in versions and FAULT != "any version":
        return error(name, 426, "version 1 only", {"supported": [1]})
    wrong = [key for key in config if not isinstance(config[key], str)]
    if wrong:
        place = {"path": f"settings.{wrong[0]}", "message": "is no text"}
        match FAULT:
            case "takes any setting":
                pass
            case "wrong setting is an outage":
                return error(name, 500, "settings.room is no text")
            case "does not name the setting":
                return error(name, 422, "the configuration is wrong")
            case _:
                return error(name, 422, "wrong settings", {"errors": [place]})
    if FAULT == "logs secrets":
        sys.stderr.write(f"{params}\n")
        sys.stderr.flush()
    ready = True
    url = str(config.get("url", ""))
    manifest: Frame = {
        "protocol_version": 2 if FAULT == "picks another version" else 1,
        "name": "broken",
        "version": "1",
        "events": ["*", "biuld_*"] if FAULT == "unknown event" else ["*"],
        "include": ["evalz"] if FAULT == "unknown part" else ["evals"],
        "max_in_flight": 4,
    }
    if FAULT == "no version":
        del manifest["version"]
    if FAULT == "wants nothing":
        manifest["events"] = []
    result(name, manifest)
    if FAULT == "asks the host":
        send({"id": "mine", "method": "who_are_you"})
    if FAULT == "answers unasked":
        result("e99-nobody")
    if FAULT == "closes stdout":
        os.close(wire)
        os.close(1)
        closed = True
    return None


def event(name: object, params: Frame) -> None:
    """Answers an event."""
    envelope = params["event"]
    assert isinstance(envelope, dict)
    data = envelope["data"]
    status = data.get("buildStatus")
    build = data.get("build")
    match FAULT:
        case "crashes at a status" if status == 7:
            os._exit(3)
        case "no answer to an event" if params["name"] == "eval_failed":
            return None
        case "result is no object":
            return result(name, True)
        case "odd result":
            return result(name, {"status": "failed"})
        case "strict about events" if "new" in data:
            return error(name, 500, "unknown member: new")
        case "strict about names" if params["name"] == "build_vanished":
            return error(name, 500, "unknown event")
        case "strict about statuses" if status == 99:
            return error(name, 500, "unknown status")
        case "done means error" if (build, status) in seen and build is not None:
            return error(name, 500, "this has been done")
        case "slow without progress" if status == 12:
            select.select([], [], [], 2.2)
        case "progress without id":
            send({"method": "progress", "params": {"percent": 1}})
        case "leaves a child":
            os.posix_spawn("/bin/sleep", ["sleep", "60"], os.environ)
        case _:
            pass
    seen.add((build, status))
    note(str(envelope["id"]))
    if url:
        return call_service(name, str(envelope["id"]))
    return result(name)


def note(key: str) -> None:
    """Writes down what it has done, once."""
    try:
        with open("done.log") as file:  # noqa: PTH123 - pathlib takes long to import
            noted = file.read().split()
    except FileNotFoundError:
        noted = []
    if key not in noted or FAULT == "notes twice":
        with open("done.log", "a") as file:  # noqa: PTH123 - pathlib takes long to import
            file.write(f"{key}\n")


def call_service(name: object, key: str) -> None:
    """Posts to the service, and passes on what it says."""
    # Only here: it takes as long to import as all the rest.
    from http.client import HTTPConnection, HTTPException
    from urllib.parse import urlsplit

    timeout = None if FAULT == "waits for ever" else 1
    connection = HTTPConnection(urlsplit(url).netloc, timeout=timeout)
    text = "something happened" if FAULT == "says no id" else key
    try:
        connection.request("POST", "/", text)
        answer = connection.getresponse()
    except TimeoutError:
        return error(name, 400 if FAULT == "drops what times out" else 504, "no answer")
    except (OSError, HTTPException):
        return error(name, 404 if FAULT == "drops what breaks" else 502, "it broke")
    finally:
        connection.close()
    match answer.status:
        case 200:
            return result(name)
        case 429 if FAULT != "forgets the time":
            wait = int(answer.headers["Retry-After"]) * 1000
            return error(name, 429, "slow down", {"retry_after_ms": wait})
        case 503 if FAULT == "drops on outage":
            return error(name, 400, "it did not work")
        case 401 if FAULT == "knocks on":
            return error(name, 500, "it did not work")
        case code:
            return error(name, code, "it did not work")


def other(name: object, method: object) -> None:
    """Answers a request that it does not know."""
    match FAULT:
        case "answers everything":
            result(name)
        case "no answer to the unknown":
            pass
        case "wordless errors":
            error(name, -32601, "")
        case _:
            error(name, -32601, f"no such method: {method}")


def notification(method: object) -> None:
    """Ignores a notification."""
    match FAULT:
        case "answers notifications":
            error(None, -32601, "no such method")
        case "dies of notifications":
            sys.exit(4)
        case _:
            pass


def shutdown(name: object) -> None:
    """Answers `shutdown`."""
    global told
    told = True
    if FAULT == "refuses shutdown":
        error(name, 500, "no")
    else:
        result(name)
        if FAULT == "fails at the end":
            sys.exit(5)


METHODS: dict[object, Callable[[object, Frame], None]] = {
    "initialize": initialize,
    "event": event,
    "ping": lambda name, _params: (
        error(name, 500, "no") if FAULT == "error for ping" else result(name)
    ),
    "shutdown": lambda name, _params: shutdown(name),
}


def handle(line: bytes) -> None:
    """Deals with one line."""
    if not line.strip() and FAULT != "blank is an error":
        return None
    if FAULT == "short lines":
        line = line[:65_536]
    if FAULT == "short characters" and b"\xf0\x9f" in line:
        line = b'{"id":%b,"method":"event","params":{}}' % _id_of(line)
    try:
        frame = json.loads(line)
        name, method = frame.get("id"), frame.get("method")
    except (ValueError, AttributeError):
        if FAULT == "dies of garbage":
            raise
        if FAULT != "says nothing of garbage":
            error(None, -32700, "no JSON")
        return None
    if name is None:
        return notification(method)
    try:
        answer = METHODS.get(method)
        if answer is None:
            return other(name, method)
        return answer(name, frame.get("params") or {})
    except KeyError as missing:
        return error(name, 500, f"no {missing}")


def _id_of(line: bytes) -> bytes:
    found = line.partition(b'"id":')[2]
    return found[: found.index(b",")]


PATIENT = ("one at a time", "gives up silently")
"""Faults that see several lines at once."""


def lines() -> None:
    """Reads to the end of stdin."""
    rest = b""
    while chunk := os.read(0, 1 << 20):
        if FAULT in PATIENT and b'"method":"event"' in chunk:
            select.select([], [], [], 0.05)
            if select.select([0], [], [], 0)[0]:
                chunk += os.read(0, 1 << 20)
        *whole, rest = (rest + chunk).split(b"\n")
        if FAULT == "one at a time":
            events = [line for line in whole if b'"method":"event"' in line]
            whole = [line for line in whole if line not in events[1:]]
        if FAULT == "gives up silently" and b'"method":"event"' in chunk:
            whole = whole if b'"method":"cancel"' not in chunk else []
        for line in whole:
            handle(line)


def main() -> None:
    """Is a plugin."""
    if FAULT == "ends at once":
        sys.exit("usage: broken FAULT")
    if FAULT == "is no plugin":
        os.write(1, b"Welcome to broken 1.0\nPlease log in: \n")
    if FAULT == "prints a banner":
        os.write(1, b"broken 1.0 starts\n")
    if FAULT == "ignores SIGTERM":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if FAULT == "reads one line":
        handle(sys.stdin.buffer.readline())
        return
    lines()
    for text in held:
        os.write(wire, text.encode())
    match FAULT:
        case "stays behind" if ready and not told:
            select.select([], [], [])
        case "stays if never asked" if not ready:
            select.select([], [], [])
        case _:
            pass


main()
