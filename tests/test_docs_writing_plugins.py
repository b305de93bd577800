"""docs/writing-plugins.md, followed by somebody who types everything in it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.languages import need

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "writing-plugins.md").read_text()

BLOCK: Final = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.M | re.S)

LIMIT: Final = 60
"""Seconds for one command: far more than any takes."""


def blocks() -> Iterator[tuple[str, str | None, str]]:
    """Language, file name and text of every block of code, in order."""
    for found in BLOCK.finditer(PAGE):
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


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """What a reader's shell has: `hydra-notify`, Python with the SDK, tools."""
    bin_ = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}", "COLUMNS": "200"}


def test_a_reader_who_types_everything_sees_what_is_printed_here(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    need("bash", "jq", "perl")
    ran = 0
    for language, name, text in blocks():
        if name is not None:
            (tmp_path / name).write_text(text)
        if language != "console":
            continue
        for command, output in commands(text):
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=LIMIT,
                check=False,
            )
            ran += 1
            assert looks_like(output, done.stdout), f"$ {command}\n{done.stdout}"
    assert ran > 10


def test_every_block_of_code_is_a_file_a_command_or_a_frame() -> None:
    kinds = {(language, name is not None) for language, name, _ in blocks()}
    assert kinds <= {
        ("bash", True),
        ("python", True),
        ("toml", True),
        ("console", False),
        ("frames", False),
    }


def test_every_frame_is_one() -> None:
    lines = [
        line
        for kind, _, text in blocks()
        if kind == "frames"
        for line in text.split("\n")
    ]
    frames = [json.loads(line[2:]) for line in lines if line]
    assert len(frames) > 6
    assert all(frame["jsonrpc"] == "2.0" for frame in frames)


def test_every_link_leads_somewhere() -> None:
    def anchors(page: str) -> set[str]:
        titles = re.findall(r"^#+ (.+)$", page, re.M)
        return {re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles}

    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", PAGE):
        path, _, anchor = target.partition("#")
        file = (ROOT / "docs" / path) if path else ROOT / "docs" / "writing-plugins.md"
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text()), target
