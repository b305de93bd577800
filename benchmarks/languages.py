"""What a plugin takes in each language: `python -m benchmarks.languages`.

Takes half a minute. Prints a Markdown table. The host is a loop over two pipes that
sends an event when the one before is answered: no database, no ledger.
"""

import os
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import IO

import msgspec
from tests.languages import EXAMPLES, LANGUAGES, files, lines_of_code, program

from hydra_notify_sdk.wire.samples import sample_params

STARTS = 5

SLICES = 5
"""Of which the best one counts: other work on the machine only ever slows one down."""

SLICE = 0.4
"""Seconds of events."""

LOG_EVENTS = LANGUAGES.parent / "log_events" / "log_events.py"
RAW = Path(__file__).with_name("programs") / "unchecked.py"


@dataclass(frozen=True)
class Row:
    """A plugin: what is run, and the files it is written in."""

    name: str
    command: tuple[str, ...]
    files: tuple[Path, ...]
    receipts: bool = False


@dataclass(frozen=True)
class Wire:
    """A plugin's pipes."""

    stdin: IO[bytes]
    stdout: IO[bytes]

    def ask(self, method: str, params: object) -> None:
        request = {"jsonrpc": "2.0", "id": "a", "method": method, "params": params}
        self.stdin.write(msgspec.json.encode(request) + b"\n")
        while b'"method"' in (reply := self.stdout.readline()):
            # A line of log, on its way to the answer.
            pass
        assert b'"result"' in reply, reply


@contextmanager
def started(row: Row, directory: Path) -> Generator[Wire]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    process = subprocess.Popen(
        row.command,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=directory,
        env={**os.environ, "PATH": path, "HYDRA_NOTIFY_PLUGIN": "1"},
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        wire = Wire(process.stdin, process.stdout)
        wire.ask(
            "initialize",
            {
                "protocol_versions": [1],
                "host": {"name": "bench", "version": "1"},
                "instance": "bench",
                "config": {"receipts": True} if row.receipts else {},
                "state_dir": str(directory),
            },
        )
        yield wire
        process.stdin.close()
    assert process.returncode == 0, row.name


def start_ms(row: Row, directory: Path) -> float:
    """From spawn to the answer of `initialize`."""
    times = []
    for _ in range(STARTS):
        began = time.monotonic()
        with started(row, directory):
            times.append(time.monotonic() - began)
    return 1000 * median(times)


def events_a_second(row: Row, directory: Path) -> float:
    params = sample_params("build_finished")
    rates: list[float] = []
    total = 0
    with started(row, directory) as wire:
        for _ in range(SLICES):
            began = time.monotonic()
            count = 0
            while (took := time.monotonic() - began) < SLICE:
                wire.ask("event", params)
                count += 1
            rates.append(count / took)
            total += count
    received = (directory / "received.log").read_text()
    assert received.count("\n") == total, row.name
    return max(rates)


def rows(builds: Path) -> Iterator[Row]:
    for name in EXAMPLES:
        word = f"{name} (SDK)" if name == "python" else name.replace("_", ", ")
        yield Row(word, (str(program(name, builds)),), files(name))
    yield Row("python (SDK), `log_events`", (str(LOG_EVENTS),), (LOG_EVENTS,), True)
    yield Row("python, neither SDK nor checks", (sys.executable, str(RAW)), (RAW,))


def main() -> None:
    print("| plugin | lines of code | start, ms | events a second |")
    print("|---|---|---|---|")
    with TemporaryDirectory(prefix="bench-") as directory:
        for number, row in enumerate(rows(Path(directory))):
            own = Path(directory, str(number))
            own.mkdir()
            start, speed = start_ms(row, own), events_a_second(row, own)
            lines = lines_of_code(*row.files)
            print(f"| {row.name} | {lines} | {start:.0f} | {speed:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
