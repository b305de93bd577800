"""docs/writing-plugins.md, followed by somebody who types everything in it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from tests.languages import need
from tests.pages import ROOT, blocks, commands, dead_links, looks_like

PATH = ROOT / "docs" / "writing-plugins.md"
PAGE = PATH.read_text()

LIMIT: Final = 60
"""Seconds for one command: far more than any takes."""


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
    for language, name, text in blocks(PAGE):
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
    kinds = {(language, name is not None) for language, name, _ in blocks(PAGE)}
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
        for kind, _, text in blocks(PAGE)
        if kind == "frames"
        for line in text.split("\n")
    ]
    frames = [json.loads(line[2:]) for line in lines if line]
    assert len(frames) > 6
    assert all(frame["jsonrpc"] == "2.0" for frame in frames)


def test_every_link_leads_somewhere() -> None:
    assert dead_links(PATH) == []
