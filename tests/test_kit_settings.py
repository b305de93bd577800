"""The file that tells a plugin its settings when its author tries it."""

from pathlib import Path

import pytest

from hydra_notify.errors import ConfigError
from hydra_notify.kit.settings import Settings, read_settings

TOML = """
settings = { room = "builds", deep = { list = [1, 2.5, true] } }
secrets.token = "made up"
environment.HTTPS_PROXY = "http://localhost:3128"
"""

JSON = """
{"settings": {"room": "builds", "deep": {"list": [1, 2.5, true]}},
 "secrets": {"token": "made up"},
 "environment": {"HTTPS_PROXY": "http://localhost:3128"}}
"""


def problems(path: Path, text: str) -> list[str]:
    """What is wrong with `text`."""
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_settings(path)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(("name", "text"), [("a.toml", TOML), ("a.json", JSON)])
def test_toml_and_json_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert read_settings(path) == Settings(
        settings={"room": "builds", "deep": {"list": [1, 2.5, True]}},
        secrets={"token": "made up"},
        environment={"HTTPS_PROXY": "http://localhost:3128"},
    )


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    assert read_settings(None) == Settings()
    (tmp_path / "empty.toml").write_text("")
    assert read_settings(tmp_path / "empty.toml") == Settings()


def test_every_problem_has_its_key_and_its_fix(tmp_path: Path) -> None:
    text = """
    setings = {}
    settings = { since = 2026-01-05 }
    secrets = { token = { file = "/run/keys/token" } }
    environment = { HYDRA_NOTIFY_PLUGIN = "1" }
    """
    assert problems(tmp_path / "a.toml", text) == [
        "setings is not a known key; did you mean settings?",
        "secrets.token is a table, not a string; "
        "write the secret itself here, made up or real",
        "environment.HYDRA_NOTIFY_PLUGIN is set by the host itself; "
        "use a name without HYDRA_NOTIFY_",
        "settings.since is a date or time, which JSON does not have; put it in quotes",
    ]


def test_a_null_is_refused_since_no_operator_could_write_it(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path / "a.json", '{"settings": {"a": [null]}}')
    assert problem.startswith("settings.a[0] is null")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.toml", "[settings\n", "line 1, column 10 is not TOML"),
        ("a.json", '{"settings": }', "line 1, column 14 is not JSON"),
        ("a.json", "[]", "the file is not a JSON object"),
        ("a.json", '{"settings":' * 2000, "nests too deeply"),
        ("a.toml", '[plugins.chat]\ncommand = ["x"]', "plugins is of a host's config"),
    ],
)
def test_a_file_of_another_kind_is_named(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    (problem,) = problems(tmp_path / name, text)
    assert words in problem
    assert "; " in problem


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.toml does not exist"):
        read_settings(tmp_path / "no.toml")
