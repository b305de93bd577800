"""The stage of a test."""

import tempfile
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from tests.end_to_end.stage import Stage, stage_at


@pytest.fixture
async def stage(database_url: str) -> AsyncGenerator[Stage]:
    # Not pytest's own directory: the path of a socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="stage-") as directory:
        async with stage_at(database_url, Path(directory)) as stage:
            yield stage


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a file of a text, for an interpreter to run."""

    def make(text: str) -> Path:
        path = tmp_path / "script"
        path.write_text(text)
        return path

    return make
