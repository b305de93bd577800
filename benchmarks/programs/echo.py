"""The quickest plugin that deserves the name: `python -I -S`, no libraries.

It reads every frame as JSON, as a plugin has to, and says yes to whole chunks. Its
argument is its window. `count` in its directory holds how many events it has been told
of, eight bytes, little-endian: whoever maps the file sees it grow.
"""

import json
import mmap
import os
import sys

EVENTS = ["build_finished", "step_finished"]


def main(window: int) -> None:
    with open("count", "w+b") as file:  # noqa: PTH123 -- pathlib takes 15 ms to import
        file.write(bytes(8))
        file.flush()
        count = memoryview(mmap.mmap(file.fileno(), 8)).cast("Q")
    rest = b""
    while chunk := os.read(0, 1 << 20):
        *lines, rest = (rest + chunk).split(b"\n")
        replies, told = [], 0
        for frame in map(json.loads, lines):
            result = b"{}"
            if frame["method"] == "event":
                told += 1
            elif frame["method"] == "initialize":
                result = manifest(window)
            identity = frame["id"].encode()
            replies.append(
                b'{"jsonrpc":"2.0","id":"%b","result":%b}\n' % (identity, result)
            )
        os.write(1, b"".join(replies))
        count[0] += told


def manifest(window: int) -> bytes:
    said = {"protocol_version": 1, "name": "echo", "version": "1", "events": EVENTS}
    return json.dumps({**said, "max_in_flight": window}).encode()


main(int(sys.argv[1]))
