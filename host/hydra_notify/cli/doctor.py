"""`hydra-notify doctor`: what is wrong around a host, and what helps."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

import msgspec
import trio
from rich.console import Console
from rich.text import Text

from hydra_notify.cli.listing import count_of, printable, show_json, show_texts
from hydra_notify.cli.paragraph import paragraph
from hydra_notify.doctor.check import Check, Mark
from hydra_notify.doctor.examine import examine

_PASSED: Final = 0
_FAILED: Final = 1

_STYLES: Final = {
    Mark.OK: "green",
    Mark.WARN: "bold yellow",
    Mark.FAIL: "bold red",
}

_WIDTH: Final = 4
"""Cells of a mark."""


def show(path: Path, *, as_json: bool) -> NoReturn:
    """Look at everything and say how it is; exits.

    Args:
        path: Of the configuration.
        as_json: Whether for programs, at the end.
    """
    printer = _Printer()
    told = _nobody if as_json else printer.tell
    every = trio.run(examine, path, os.environ, told)
    marks = Counter(each.mark for each in every)
    passed = not marks[Mark.FAIL]
    if as_json:
        show_json({"ok": passed, "checks": msgspec.to_builtins(every)})
    else:
        show_texts([Text(), _verdict(marks)])
    sys.exit(_PASSED if passed else _FAILED)


def _nobody(_: Sequence[Check]) -> None:
    """Programs read it all at the end."""


class _Printer:
    """Writes checks as they come, a section after the other."""

    def __init__(self) -> None:
        console = Console()
        self._section = ""
        self._room = console.width if console.is_terminal else None

    def tell(self, checks: Sequence[Check]) -> None:
        """Write some."""
        for check in checks:
            if check.section != self._section:
                head = Text(check.section, "bold")
                show_texts([Text(), head] if self._section else [head])
                self._section = check.section
            show_texts(_lines(check, self._room))
        sys.stdout.flush()


def _lines(check: Check, room: int | None) -> list[Text]:
    whose = f"{check.plugin}: " if check.plugin else ""
    mark = check.mark.upper() if check.mark is Mark.FAIL else check.mark.value
    name = f"  {mark:{_WIDTH}}"
    lines = paragraph(name, _STYLES[check.mark], f"{whose}{check.words}", room)
    if check.fix:
        # In one piece, however wide: it is copied.
        gap = " " * (len(name) + 2)
        lines.append(Text.assemble(gap, ("fix: ", "cyan"), printable(check.fix)))
    return lines


def _verdict(marks: Counter[Mark]) -> Text:
    if not marks[Mark.FAIL] and not marks[Mark.WARN]:
        return Text(f"{count_of(marks[Mark.OK], 'check')}: all is well", "bold green")
    warnings = count_of(marks[Mark.WARN], "warning")
    if not marks[Mark.FAIL]:
        return Text(f"{warnings}, nothing that fails", "bold yellow")
    failures = count_of(marks[Mark.FAIL], "thing fails", "things fail")
    return Text(f"{failures}, {warnings}", "bold red")
