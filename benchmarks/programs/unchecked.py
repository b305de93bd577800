"""A plugin in Python without the SDK, that does what those of `languages` do."""

import json
import sys
from pathlib import Path

MANIFEST = {
    "protocol_version": 1,
    "name": "raw",
    "version": "1.0",
    "events": ["build_finished"],
}


def main() -> None:
    for line in sys.stdin:
        frame = json.loads(line)
        result = MANIFEST if frame["method"] == "initialize" else {}
        if frame["method"] == "event":
            event = frame["params"]["event"]
            data = event["data"]
            builds = [data["build"], *data.get("dependentIds", [])]
            with Path("received.log").open("a") as received:
                received.write(f"{event['id']}\t{' '.join(map(str, builds))}\n")
            status, url = data["buildStatus"], data["url"]
            print(f"build ended with status {status}: {url}", file=sys.stderr)
        reply = {"jsonrpc": "2.0", "id": frame["id"], "result": result}
        print(json.dumps(reply), flush=True)


main()
