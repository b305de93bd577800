"""A plugin that does what a test tells it, over a socket.

Settings: `socket` (where the test listens), `manifest` (members for the answer to
`initialize`; false: it is not answered). Every frame from the host is passed on to the
test as `{"plugin", "pid", "frame"}`, one line each; the test sends back lines
`{"write": TEXT}`, `{"exit": STATUS}` or `{"kill": SIGNAL}`.
"""

import json
import os
import select
import socket
import sys


def main() -> None:
    first = sys.stdin.buffer.readline()
    frame = json.loads(first)
    params = frame["params"]
    wire = socket.socket(socket.AF_UNIX)
    wire.connect(params["config"]["socket"])

    def tell(frame: object) -> None:
        told = {"plugin": params["instance"], "pid": os.getpid(), "frame": frame}
        wire.sendall(json.dumps(told).encode() + b"\n")

    tell(frame)
    manifest = params["config"].get("manifest", {})
    if manifest is not False:
        known = {
            "protocol_version": 1,
            "name": "puppet",
            "version": "1",
            "events": ["build_finished"],
        }
        answer = {"jsonrpc": "2.0", "id": frame["id"], "result": {**known, **manifest}}
        write(json.dumps(answer) + "\n")
    stdin_rest = told_rest = b""
    while True:
        readable, _, _ = select.select([0, wire.fileno()], [], [])
        if 0 in readable:
            chunk = os.read(0, 65536)
            if not chunk:
                return
            *lines, stdin_rest = (stdin_rest + chunk).split(b"\n")
            for line in lines:
                tell(json.loads(line))
        if wire.fileno() in readable:
            chunk = wire.recv(65536)
            if not chunk:
                return
            *lines, told_rest = (told_rest + chunk).split(b"\n")
            for line in lines:
                obey(json.loads(line))


def write(text: str) -> None:
    data = text.encode()
    while data:
        data = data[os.write(1, data) :]


def obey(order: dict[str, object]) -> None:
    if "write" in order:
        write(str(order["write"]))
    if "kill" in order:
        os.kill(os.getpid(), int(str(order["kill"])))
    if "exit" in order:
        os._exit(int(str(order["exit"])))


main()
