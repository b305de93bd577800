"""A plugin that does to each event what the event's `job` says.

`{"reply": {...}}` is answered, `{"write": TEXT}` is written before, `{"say": TEXT}`
goes to stderr, `{"exit": STATUS}` ends it, `{"hang": true}` is never answered. Its
setting `manifest` has members of its manifest, or `refuse` an error.
"""

import json
import sys
import threading


def send(frame: object) -> None:
    sys.stdout.write(json.dumps(frame) + "\n")
    sys.stdout.flush()


def main() -> None:
    for line in sys.stdin:
        frame = json.loads(line)
        name = frame.get("id")
        match frame["method"]:
            case "initialize":
                config = frame["params"]["config"]
                known = {"protocol_version": 1, "name": "obliging", "version": "1"}
                manifest = {**known, "events": ["*"], **config.get("manifest", {})}
                if "refuse" in config:
                    send({"id": name, "error": config["refuse"]})
                else:
                    send({"id": name, "result": manifest})
            case "event":
                job = frame["params"]["event"]["data"].get("job")
                order = job if isinstance(job, dict) else {}
                if "say" in order:
                    sys.stderr.write(order["say"] + "\n")
                    sys.stderr.flush()
                if "write" in order:
                    sys.stdout.write(order["write"])
                    sys.stdout.flush()
                if "exit" in order:
                    sys.exit(order["exit"])
                if "hang" in order:
                    threading.Event().wait()
                send({"id": name, **order.get("reply", {"result": {}})})
            case _:
                if name is not None:
                    send({"id": name, "result": {}})


main()
