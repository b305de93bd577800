"""What the README shows works as it stands."""

import re
import sys
from pathlib import Path

from tests.toy_host import ToyHost

from hydra_notify.config import parse_config

README = (Path(__file__).parents[1] / "README.md").read_text()


def block(language: str) -> str:
    """The first block of code in that language."""
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_plugin_of_six_lines_runs(tmp_path: Path) -> None:
    code = block("python")
    assert sum(bool(line.strip()) for line in code.splitlines()) == 6
    program = tmp_path / "shout.py"
    program.write_text(code)
    with ToyHost([sys.executable, str(program)], tmp_path / "state") as host:
        manifest = host.initialize()
        assert manifest["result"]["events"] == ["build_finished"]  # type: ignore[index]
        assert host.event("build_finished")["result"] == {}
        assert host.shutdown() == 0
        assert "ended with status" in host.stderr
        assert not host.stray


def test_the_configuration_is_good(tmp_path: Path) -> None:
    config = parse_config(block("toml"), directory=tmp_path, environ={})
    assert list(config.plugins) == ["chat"]
    assert config.database.url == "postgresql:///hydra"


def test_every_file_it_points_to_is_there() -> None:
    root = Path(__file__).parents[1]
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    paths = re.findall(r"`(example_plugins/[^`]+)`", README)
    missing = [path for path in (*links, *paths) if not (root / path).exists()]
    assert not missing
