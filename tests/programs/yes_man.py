"""A plugin that says yes to everything, as fast as it can; window 64."""

import json
import os
import sys

MANIFEST = {
    "protocol_version": 1,
    "name": "yes-man",
    "version": "1",
    "events": ["*"],
    "max_in_flight": 64,
}


def main() -> None:
    hello = json.loads(sys.stdin.buffer.readline())
    answer = {"jsonrpc": "2.0", "id": hello["id"], "result": MANIFEST}
    os.write(1, json.dumps(answer).encode() + b"\n")
    rest = b""
    while chunk := os.read(0, 1 << 20):
        *lines, rest = (rest + chunk).split(b"\n")
        replies = []
        for line in lines:
            start = line.index(b'"id":"') + 6
            name = line[start : line.index(b'"', start)]
            replies.append(b'{"jsonrpc":"2.0","id":"%b","result":{}}\n' % name)
        os.write(1, b"".join(replies))


main()
