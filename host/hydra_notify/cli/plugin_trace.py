"""`plugin trace`: what a plugin says and is told, as it happens, a line each."""

import json
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

from rich.console import Console
from rich.text import Text

from hydra_notify.cli.host_socket import with_frames
from hydra_notify.cli.listing import printable

_ARROWS: Final = {"host": "→", "plugin": "←", "comment": "·"}
"""As in docs/protocol.md."""

_ASKED: Final = 1_000
"""Requests whose answers are waited for: far more than can be in flight."""


def show(path: Path, name: str, *, as_json: bool) -> NoReturn:
    """Write the frames of a plugin until Ctrl-C; exits.

    Args:
        path: Of the configuration.
        name: The plugin's.
        as_json: Whether as they come, for programs.
    """
    with_frames(path, name, _pass_on if as_json else partial(_tell, _Words()))


def _pass_on(lines: Iterator[bytes]) -> None:
    for line in lines:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


def _tell(words: "_Words", lines: Iterator[bytes]) -> None:
    console = Console(highlight=False, markup=False, emoji=False)
    for line in lines:
        text = words.of(json.loads(line))
        if console.is_terminal:
            text.truncate(console.width, overflow="ellipsis")
        console.print(text, soft_wrap=True)


class _Words:
    """Lines of a transcript as a person reads them; knows what an answer is to."""

    def __init__(self) -> None:
        self._asked: dict[str, tuple[str, int]] = {}

    def of(self, line: Mapping[str, Any]) -> Text:
        """One line of the terminal, without anything in it that a terminal obeys."""
        sender, elapsed = line["from"], line["t"]
        text = Text.assemble((f"{elapsed / 1000:10.3f} ", "dim"))
        text.append(f"{_ARROWS.get(sender, sender)} ", "bold")
        match line:
            case {"frame": frame} if "method" in frame:
                self._ask(frame, elapsed)
                text.append(printable(_method(frame)), "bold")
                text.append(_payload(frame.get("params")))
            case {"frame": frame}:
                text.append(printable(self._answer(frame, elapsed)), "bold")
                error = frame.get("error")
                shown = _payload(frame.get("result") if error is None else error)
                text.append(shown, "" if error is None else "red")
            case {"raw": raw}:
                text.append("no frame: ", "yellow")
                text.append(printable(str(raw)))
            case {"end": _}:
                text.append("closes its stdin", "bold")
            case {"exit": status}:
                text.append(f"exit {status}", "bold")
            case _:
                text.append(printable(str(line.get("text", ""))), "dim")
        return text

    def _ask(self, frame: Mapping[str, Any], elapsed: int) -> None:
        name = frame.get("id")
        if isinstance(name, str):
            if len(self._asked) >= _ASKED:
                # Never answered: the oldest is the likeliest to stay so.
                del self._asked[next(iter(self._asked))]
            self._asked[name] = (str(frame["method"]), elapsed)

    def _answer(self, frame: Mapping[str, Any], elapsed: int) -> str:
        name = frame.get("id")
        word = "result" if frame.get("error") is None else "error"
        asked = self._asked.pop(name, None) if isinstance(name, str) else None
        if asked is None:
            return f"{name} {word}"
        method, since = asked
        # At 0 are those that were exchanged before we looked: nobody says when.
        after = f" after {elapsed - since} ms" if elapsed else ""
        return f"{name} {word} of {method}{after}"


def _method(frame: Mapping[str, Any]) -> str:
    """A request or notification: its name and id, and the event that it is about."""
    words = [str(frame["id"])] if "id" in frame else []
    words.append(str(frame["method"]))
    params = frame.get("params")
    event = params.get("event") if isinstance(params, dict) else None
    if isinstance(event, dict):
        words.append(str(event.get("id")))
    return " ".join(words)


def _payload(value: object) -> str:
    if value is None or value == {}:
        return ""
    return printable(f" {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}")
