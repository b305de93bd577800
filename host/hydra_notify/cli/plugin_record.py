"""`plugin record`: what a plugin says and is told, in a file that can be replayed."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import click

from hydra_notify.cli.host_socket import FAILED, with_frames
from hydra_notify.cli.listing import count_of


def write(
    path: Path, name: str, output: Path | None, events: int | None, *, force: bool
) -> NoReturn:
    """Record a plugin until Ctrl-C, or until enough is recorded; exits.

    Args:
        path: Of the configuration.
        name: The plugin's.
        output: The file; NAME.jsonl if None.
        events: Answered events after which it ends.
        force: Whether a file that is there may be overwritten.
    """
    output = Path(f"{name}.jsonl") if output is None else output
    if output.exists() and not force:
        _refuse(f"{output} is there already: use --force, or another --output")
    recording = _Recording(name, output, force=force)

    def work(lines: Iterator[bytes]) -> None:
        for line in lines:
            recording.take(line)
            if events is not None and recording.events >= events:
                break

    try:
        with_frames(path, name, work)
    finally:
        recording.close()


class _Recording:
    """A transcript under way.

    Its first line says what it is of, so it is begun when the plugin has said that, or
    has ended without.

    Args:
        name: The plugin's.
        output: The file, made when the first line comes.
        force: Whether one that is there may be overwritten.

    Attributes:
        events: Those that were answered.
    """

    def __init__(self, name: str, output: Path, *, force: bool) -> None:
        self.events = 0
        self._name = name
        self._output = output
        self._force = force
        self._file: BinaryIO | None = None
        self._first: list[bytes] = []
        self._begun = False
        self._host: object = None
        self._manifest: object = None
        self._asked: dict[str, str] = {}

    def take(self, line: bytes) -> None:
        """Write one line of what the host shows."""
        if self._file is None:
            self._file = self._open()
            click.echo(f"recording to {self._output}; Ctrl-C ends it", err=True)
        step: dict[str, Any] = json.loads(line)
        if not self._is_asked_or_answered(step):
            # To what was asked before we looked: no replay could ask it.
            return
        if self._begun:
            self._file.write(line)
            return
        self._first.append(line)
        if self._manifest is not None or "exit" in step:
            self._begin(self._file)

    def close(self) -> None:
        """Write what is held back, and say what there is."""
        if self._file is None:
            return
        if not self._begun:
            self._begin(self._file)
        self._file.close()
        events = count_of(self.events, "answered event")
        click.echo(f"{self._output}: {events} of {self._name}", err=True)

    def _open(self) -> BinaryIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
        flags |= os.O_TRUNC if self._force else os.O_EXCL
        try:
            descriptor = os.open(self._output, flags, 0o600)
            os.fchmod(descriptor, 0o600)
        except OSError as error:
            _refuse(f"{self._output} cannot be written: {error.strerror}")
        # What was recorded is in the file, however we end.
        return os.fdopen(descriptor, "wb", buffering=0)

    def _begin(self, file: BinaryIO) -> None:
        plugin, host = _program(self._manifest), _program(self._host)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        words = f"{self._name} ({plugin}), recorded at {host}, {now}; secrets are ***"
        about = {"from": "comment", "text": words, "for": ["plugin"]}
        file.write(json.dumps(about).encode() + b"\n")
        file.write(b"".join(self._first))
        self._first.clear()
        self._begun = True

    def _is_asked_or_answered(self, step: Mapping[str, Any]) -> bool:
        """Note what a line tells; false for an answer to what we have not seen."""
        frame = step.get("frame") or {}
        name, method = frame.get("id"), frame.get("method")
        if not isinstance(name, str):
            return True
        if step["from"] == "host":
            if method == "initialize":
                self._asked.clear()
                # Anything may be *** here.
                params = frame.get("params")
                self._host = params.get("host") if isinstance(params, dict) else None
            self._asked[name] = str(method)
            return True
        if method is not None:
            return True
        asked = self._asked.pop(name, None)
        if asked == "event":
            self.events += 1
        elif asked == "initialize":
            self._manifest = frame.get("result")
        return asked is not None


def _program(about: object) -> str:
    """A program's name and version, as it gives them."""
    known = about if isinstance(about, dict) else {}
    return f"{known.get('name', '?')} {known.get('version', '?')}"


def _refuse(words: str) -> NoReturn:
    click.echo(f"hydra-notify: {words}", err=True)
    sys.exit(FAILED)
