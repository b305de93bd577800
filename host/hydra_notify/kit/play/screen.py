"""Lines on a terminal: times, signs, payloads, a prompt; plain where there is none."""

from collections.abc import Iterable
from textwrap import wrap
from typing import IO, Final

import trio
from rich.console import Console
from rich.text import Text

from hydra_notify.kit.limits import PLAIN_WIDTH, SHOWN_PART
from hydra_notify.kit.play.payload import cut, pretty, visible
from hydra_notify.plugin_log import masker

_INDENT: Final = 12
"""Columns in front of a payload: those of the time and the sign."""


class Screen:
    """Where lines go.

    Args:
        secrets: Values that are shown as ***.
        prompt: Shown when the plugin waits for somebody to type; "" for none.
        file: Where to write; None is stdout.
    """

    def __init__(
        self,
        secrets: Iterable[str] = (),
        *,
        prompt: str = "",
        file: IO[str] | None = None,
    ) -> None:
        self._console = Console(file=file, highlight=False, markup=False, emoji=False)
        if not self._console.is_terminal:
            self._console.width = PLAIN_WIDTH
        self.mask = masker(secrets)
        self._prompt = prompt
        self._prompted = False
        self._start = trio.current_time()

    def restart(self) -> None:
        """The times begin again."""
        self._start = trio.current_time()

    def line(self, sign: str, words: str, style: str) -> None:
        """A sign and words, which may go on below."""
        clock = f"{1000 * (trio.current_time() - self._start):8.0f} "
        text = visible(self.mask(words))
        rows = [text]
        if self._console.is_terminal:
            rows = wrap(text, self._room) or [""]
        first, *others = rows
        self._print(Text.assemble((clock, "dim"), (sign, style), " ", (first, style)))
        for row in others:
            self._print(Text(" " * _INDENT + row, style))

    def frame(
        self, sign: str, what: str, part: object, line: bytes, style: str
    ) -> None:
        """A head, and a payload below; where there is no terminal, the whole line.

        Args:
            sign: Says whose frame it is.
            what: The head.
            part: The payload; None for none.
            line: The frame.
            style: Of the head.
        """
        if not self._console.is_terminal:
            text = line.decode("utf-8", "replace").strip()
            self.line(sign, f"{what}  {text}", style)
            return
        shown = []
        if part is not None:
            try:
                shown = pretty(part, self._room, self.mask)
            except RecursionError:
                shown = ["(it nests too deeply to be shown)"]
        if len(shown) == 1 and len(what) + len(shown[0]) + 2 <= self._room:
            what = f"{what}  {shown.pop()}"
        self.line(sign, what, style)
        most = max(6, int(self._console.height * SHOWN_PART))
        rows, rest = cut(shown, most)
        for row in rows:
            self._print(Text(" " * _INDENT + row))
        if rest:
            self._print(Text(" " * _INDENT + rest, "dim italic"))

    def plain(self, words: str) -> None:
        """Text without time or sign."""
        self._print(Text(self.mask(words)))

    def ask(self) -> None:
        """Show the prompt, if there is one and it is not there already."""
        if self._prompt and not self._prompted:
            self._prompted = True
            self._console.print(Text(self._prompt, "bold"), end="")

    def answered(self) -> None:
        """Somebody has typed a line: the prompt is no longer the last line."""
        self._prompted = False

    def interrupted(self) -> None:
        """A terminal has shown ^C: what is printed next takes its place."""
        self._prompted = self._console.is_terminal

    @property
    def _room(self) -> int:
        return max(20, self._console.width - _INDENT - 1)

    def _print(self, text: Text) -> None:
        if self._prompted:
            self._prompted = False
            self._console.file.write("\r\x1b[K")
        self._console.print(text, soft_wrap=True)
