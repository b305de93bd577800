"""A plugin that says yes at once and notes when it was told what: `python -I -S`.

Its arguments, if any: its window, and for how many seconds it sleeps over each event,
one after the other.

Lines of `told.log` in its directory: `ready TIME` when it has answered `initialize`,
`EVENT-ID TIME` for each event; TIME in seconds of the monotonic clock.
"""

import json
import os
import sys
import time

MANIFEST = {
    "protocol_version": 1,
    "name": "told",
    "version": "1",
    "events": ["build_finished"],
}


def main(window: int = 64, sleep: float = 0) -> None:
    log = os.open("told.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    hello = json.loads(sys.stdin.buffer.readline())
    manifest = {**MANIFEST, "max_in_flight": window}
    answer = {"jsonrpc": "2.0", "id": hello["id"], "result": manifest}
    os.write(1, json.dumps(answer).encode() + b"\n")
    os.write(log, f"ready {time.monotonic()}\n".encode())
    rest = b""
    while chunk := os.read(0, 1 << 20):
        *lines, rest = (rest + chunk).split(b"\n")
        if not sleep:
            take(lines, log)
        for line in lines if sleep else ():
            time.sleep(sleep)  # noqa: TID251 -- it is what this plugin is for
            take([line], log)


def take(lines: list[bytes], log: int) -> None:
    now = time.monotonic()
    notes, replies = [], []
    for line in lines:
        request = member(line, b'"id":"', 0)
        replies.append(b'{"jsonrpc":"2.0","id":"%b","result":{}}\n' % request)
        if b'"method":"event"' in line:
            event = member(line, b'"id":"', line.index(b'"specversion"'))
            notes.append(b"%b %f\n" % (event, now))
    os.write(log, b"".join(notes))
    os.write(1, b"".join(replies))


def member(line: bytes, name: bytes, after: int) -> bytes:
    start = line.index(name, after) + len(name)
    return line[start : line.index(b'"', start)]


main(*map(json.loads, sys.argv[1:]))
