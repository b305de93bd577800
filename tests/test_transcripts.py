"""The golden conversations themselves: what is released does not change."""

import re
import shutil
from pathlib import Path

from tests.transcripts import FOLDER, frozen, load

import hydra_notify

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"


def released(changelog: str, version: str) -> bool:
    """Whether a changelog has a section of this version."""
    heading = rf"^## \[?{re.escape(version)}\]?(\s|$)"
    return re.search(heading, changelog, re.M) is not None


def test_no_conversation_that_is_frozen_has_changed() -> None:
    assert not frozen.changed(), (
        "released conversations changed or are gone; see tests/transcripts/frozen.py"
    )


def test_what_is_released_is_frozen() -> None:
    if released(CHANGELOG.read_text(), hydra_notify.__version__):
        assert not frozen.not_frozen(), "freeze them: tests/transcripts/frozen.py"
    assert len(frozen.frozen()) > 50


def test_a_release_is_known_by_its_heading() -> None:
    for heading in ("## 0.1.0", "## [0.1.0] - 2026-12-01", "## 0.1.0 (first)"):
        assert released(f"# Changelog\n\n{heading}\n", "0.1.0")
    for heading in ("## Unreleased", "## 0.1.01", "### 0.1.0", "text 0.1.0"):
        assert not released(f"# Changelog\n\n{heading}\n", "0.1.0")


def test_one_that_is_changed_or_gone_or_new_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "v1"
    shutil.copytree(FOLDER, folder)
    first, second, *_ = sorted(frozen.frozen(folder))
    with (folder / first).open("a") as file:
        file.write("\n")
    (folder / second).unlink()
    (folder / "brand_new.jsonl").write_text("")
    assert sorted(frozen.changed(folder)) == [first, second]
    assert frozen.not_frozen(folder) == {*frozen.not_frozen(), "brand_new.jsonl"}


def test_every_conversation_tests_a_side_and_says_what_it_is_about() -> None:
    both = {t.name: t for side in ("host", "plugin") for t in load(side)}
    files = {path.stem for path in FOLDER.glob("*.jsonl")}
    assert set(both) == files
    for transcript in both.values():
        assert transcript.about
