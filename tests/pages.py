"""Pages of the documentation, as tests read them."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]

BLOCK: Final = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.M | re.S)


def section(page: str, title: str) -> str:
    """The text below a heading, up to the next of its kind."""
    found = re.search(rf"^(#+) {title}\n(.*?)(?=^\1 |\Z)", page, re.M | re.S)
    assert found is not None, title
    return found[2]


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables in `text`, without headings."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def blocks(page: str) -> Iterator[tuple[str, str | None, str]]:
    """Language, file name and text of every block of code, in order."""
    for found in BLOCK.finditer(page):
        yield found[1], found[2], found[3]


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a block, and what it shall print."""
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def looks_like(expected: str, actual: str) -> bool:
    """Whether `actual` is `expected`, `...` being anything."""
    parts = (re.escape(part) for part in expected.split("..."))
    return re.fullmatch("(?s:.*)".join(parts), actual) is not None


def dead_links(path: Path) -> list[str]:
    """Links of a page to what is not in this repository."""

    def anchors(page: str) -> set[str]:
        titles = re.findall(r"^#+ (.+)$", page, re.M)
        return {re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles}

    dead: list[str] = []
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", path.read_text()):
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        if not file.exists() or (anchor and anchor not in anchors(file.read_text())):
            dead.append(target)
    return dead


@cache
def names_in(path: Path) -> set[str]:
    """The names of the tests in a file."""
    functions = ast.parse(path.read_text()).body
    return {
        each.name
        for each in functions
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        and each.name.startswith("test_")
    }


def missing_tests(cell: str) -> list[str]:
    """Of the tests that a cell names, one a line, those that are not there."""
    missing: list[str] = []
    for name in cell.split("<br>"):
        found = re.fullmatch(r"`([a-z_/]+\.py)::(test_[a-z0-9_]+)`", name)
        path = ROOT / "tests" / (found[1] if found else "")
        if found is None or not path.is_file() or found[2] not in names_in(path):
            missing.append(name)
    return missing
