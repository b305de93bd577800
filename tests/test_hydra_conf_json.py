"""Hydra's JSON form is read as the other one, and files are merged by its rules.

The cases of T/Hydra/Config/formats.t, and what they leave open.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from hydra_notify.hydra_conf import HydraConfError, plain, read_hydra_conf


def read(
    directory: Path, files: Mapping[str, object], main: str = "hydra.json"
) -> object:
    """What the main file says; a text is written as it is, everything else as JSON."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text)
    return plain(read_hydra_conf(directory / main, Path.read_text).top)


def refusal(
    directory: Path, files: Mapping[str, object], main: str = "hydra.json"
) -> str:
    with pytest.raises(HydraConfError) as error:
        read(directory, files, main)
    return str(error.value).replace(f"{directory}/", "")


def settings(**keys: object) -> dict[str, object]:
    return {"settings": keys}


def test_formats_t_both_forms_have_the_same_structure(tmp_path: Path) -> None:
    text = "a = 1\n<slack>\nurl = x\n</slack>\n<slack>\nforce\n</slack>\n<e>\n</e>\n"
    document = settings(a=1, slack=[{"url": "x"}, {"force": None}], e={})
    assert read(tmp_path, {"hydra.json": document}) == read(
        tmp_path, {"hydra.conf": text}, "hydra.conf"
    )


@pytest.mark.parametrize(
    ("value", "text"), [(True, "1"), (False, "0"), (12, "12"), (1.5, "1.5"), ("", "")]
)
def test_values_are_text_as_in_perl(tmp_path: Path, value: object, text: str) -> None:
    assert read(tmp_path, {"hydra.json": settings(a=value)}) == {"a": text}


@pytest.mark.parametrize("name", ["hydra.yaml", "hydra.toml", "hydra.conf.json5"])
def test_formats_t_an_unknown_extension_is_refused(tmp_path: Path, name: str) -> None:
    words = refusal(tmp_path, {name: "a = 1\n"}, name)
    assert words == f"{name}: the form of {name} cannot be told by its name; " + (
        "call it .conf or .json"
    )


def test_formats_t_files_of_either_form_are_included(tmp_path: Path) -> None:
    files = {
        "hydra.json": {"includes": ["sub/a.json", "b.conf"], "settings": {"own": "1"}},
        "sub/a.json": {"includes": ["c.conf"], "settings": {"a": "1"}},
        "sub/c.conf": "c = 1\n",
        "b.conf": "<b>\ninclude d\n</b>\n",
        "d": "d = 1\n",
    }
    whole = {"own": "1", "a": "1", "c": "1", "b": {"d": "1"}}
    assert read(tmp_path, files) == whole


def test_lists_are_appended_and_maps_are_merged(tmp_path: Path) -> None:
    files = {
        "a.json": settings(slack=[{"url": "1"}], m={"a": "1", "deep": {"x": "1"}}),
        "b.json": settings(slack=[{"url": "2"}], m={"b": "2", "deep": {"y": "2"}}),
        "hydra.json": {
            "includes": ["a.json", "b.json"],
            **settings(slack=[{"url": "3"}], m={"c": "3"}),
        },
    }
    assert read(tmp_path, files) == {
        "slack": [{"url": "1"}, {"url": "2"}, {"url": "3"}],
        "m": {"a": "1", "deep": {"x": "1", "y": "2"}, "b": "2", "c": "3"},
    }


def test_formats_t_a_conflict_names_the_setting_and_the_files(tmp_path: Path) -> None:
    files: dict[str, object] = {
        "a.json": settings(m={"url": "hush"}),
        "hydra.json": {"includes": ["a.json"], **settings(m={"url": "hush"})},
    }
    words = refusal(tmp_path, files)
    assert words == "hydra.json: sets m.url, which a.json sets too; leave one out"
    files["a.json"] = settings(m=["hush"])
    assert "sets m, which a.json sets too" in refusal(tmp_path, files)


def test_formats_t_a_cycle_is_refused(tmp_path: Path) -> None:
    files: dict[str, object] = {
        "hydra.json": {"includes": ["a.json"]},
        "a.json": {"includes": ["hydra.json"]},
    }
    assert "a.json: includes hydra.json, which includes" in refusal(tmp_path, files)


def test_formats_t_a_missing_include_is_refused(tmp_path: Path) -> None:
    files: dict[str, object] = {"hydra.json": {"includes": ["nope.json"]}}
    assert "includes nope.json, which does not exist" in refusal(tmp_path, files)


def test_one_file_may_be_included_twice(tmp_path: Path) -> None:
    files = {
        "hydra.json": {"includes": ["a.json", "a.json"]},
        "a.json": settings(slack=[{"url": "1"}]),
    }
    assert read(tmp_path, files) == {"slack": [{"url": "1"}, {"url": "1"}]}


def test_a_file_of_the_old_form_includes_no_json(tmp_path: Path) -> None:
    files: dict[str, object] = {"hydra.conf": "include a.json\n", "a.json": settings()}
    words = refusal(tmp_path, files, "hydra.conf")
    assert words.startswith("hydra.conf:1: a.json is JSON")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n"settings": {hush}}', "hydra.json:2: is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"slack": {"url": "hush"}}', "stands beside includes and settings"),
        ('{"includes": "a.json"}', "includes is not a list of files"),
        ('{"includes": [1]}', "includes is not a list of files"),
        ('{"settings": []}', "settings is not a map"),
        ('{"settings": {"hush": 1, "hush": 2}}', "a key is written twice in one map"),
        ('{"settings": {"a": [["hush"]]}}', "has a list within a list"),
        ("[" * 100_000, "is nested too deeply"),
    ],
)
def test_what_is_no_such_file_is_refused_without_its_values(
    tmp_path: Path, text: str, said: str
) -> None:
    words = refusal(tmp_path, {"hydra.json": text})
    assert said in words
    assert "; " in words
    assert "hush" not in words
