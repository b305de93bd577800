"""Look for bytes that break a promise: `python -m tests.fuzz TARGET --seconds 60`.

Needs atheris (`make fuzz TARGET=... SECONDS=...` installs it), which follows the
branches that bytes take through our code. What it has learnt stays in `.fuzz/TARGET`,
where the next run starts; what it has found lies in `.fuzz/TARGET.crash-...`.
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MEMORY = ROOT / ".fuzz"

FIRST: dict[str, list[bytes]] = {
    "framer": [b"\x03one\ntwo\n\nthree" + 40 * b"x" + b"\n"],
    "payload": [b"\x0212\t13\t12\t14", b"\x03\x31\t2", b"\x0788.1\t3\t4\t1"],
    "config": [(ROOT / "hydra-notify.toml").read_bytes()],
    "handshake": [
        b'\x00{"protocol_version":1,"name":"a","version":"1","events":["*"],'
        b'"include":["evals"],"max_in_flight":8,"timeout_ms":1000}',
        b'\x01{"code":422,"message":"m","data":{"errors":[{"path":"p","help":"h"}]}}',
    ],
    "replies": [
        b"\x05\x00\x01\x02\x01\x00\x02\x02\x80",
        b"\x05\x00\x01\x04\xff\x04\xff\x02\x01\x00\x07\x00\x03\x01\x00",
        b'\x05\x05\x2f{"method":"log","params":{"message":"m"}}\n',
    ],
    "log": [
        b'<3>no hunter22\n[WARN] pa"ss\n{"level":"error","msg":"pa\\"ss hunter22"}',
    ],
}
"""Where it starts when it has learnt nothing yet."""


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz")
    arguments.add_argument("target", choices=sorted(FIRST))
    arguments.add_argument("--seconds", type=int, default=60)
    asked = arguments.parse_args()
    try:
        atheris: Any = importlib.import_module("atheris")
    except ImportError:
        sys.exit("atheris is not installed; `make fuzz TARGET=replies` brings it along")
    with atheris.instrument_imports(include=["hydra_notify", "hydra_notify_sdk"]):
        from tests.fuzz.targets import TARGETS
    corpus = MEMORY / asked.target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(FIRST[asked.target]):
        (corpus / f"first-{number}").write_bytes(data)
    options = [
        f"-max_total_time={asked.seconds}",
        f"-artifact_prefix={corpus}.",
        "-max_len=4096",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], TARGETS[asked.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
