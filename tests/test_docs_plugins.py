"""docs/plugins.md: each of Hydra's plugins has a counterpart, and it is there."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "plugins.md").read_text()

HYDRAS = {
    "BitBucketStatus",
    "CircleCINotification",
    "CompressLog",
    "CoverityScan",
    "DeclarativeJobsets",
    "EmailNotification",
    "GiteaStatus",
    "GithubStatus",
    "GitlabStatus",
    "InfluxDBNotification",
    "RunCommand",
    "S3Backup",
    "SlackNotification",
    "SoTest",
}
"""The plugins of Hydra that hydra-notify runs."""


def rows() -> list[list[str]]:
    table = re.findall(r"^\|(.+)\|$", PAGE, re.M)[2:]
    return [[cell.strip() for cell in row.split("|")] for row in table]


def test_no_cell_of_the_table_is_empty() -> None:
    assert len(rows()) >= len(HYDRAS)
    assert all(len(row) == 4 and all(row) for row in rows())


def test_every_plugin_of_hydra_has_a_counterpart() -> None:
    named = {re.split(r"[ ,(]", row[0])[0] for row in rows()}
    assert named >= HYDRAS


def test_every_program_is_one_of_the_distribution() -> None:
    text = (ROOT / "example_plugins" / "pyproject.toml").read_text()
    scripts = tomllib.loads(text)["project"]["scripts"]
    named = {name for row in rows() for name in re.findall(r"`(hydra-[\w-]+)`", row[1])}
    assert named == set(scripts)


def test_every_page_it_points_to_is_there() -> None:
    for page in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / page).exists(), page
