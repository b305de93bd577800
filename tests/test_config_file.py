"""Reading the configuration file, and what is no TOML at all."""

import os
from pathlib import Path

import pytest
from tests.config_texts import only_problem

from hydra_notify.config import read_config
from hydra_notify.errors import ConfigError, Problem


def test_a_file_is_read_with_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "hydra-notify.toml"
    path.write_text('plugins.a.command = ["./log"]')
    config = read_config(path, environ={})
    assert config.plugins["a"].command == (str(tmp_path / "log"),)


def test_a_relative_path_to_the_file_still_gives_absolute_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(tmp_path, "c.toml").write_text('plugins.a.command = ["./log"]')
    monkeypatch.chdir(tmp_path)
    config = read_config(Path("c.toml"), environ={})
    assert config.plugins["a"].command == (str(tmp_path / "log"),)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(b"\xef\xbb\xbf[host]\r\nbase_url = 'https://h'\r\n")
    assert read_config(path, environ={}).host.base_url == "https://h"


def unreadable(path: Path) -> Problem:
    with pytest.raises(ConfigError) as caught:
        read_config(path, environ={})
    (problem,) = caught.value.problems
    return problem


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    assert unreadable(path) == Problem(
        str(path), "does not exist", "create it, or name another with --config"
    )


def test_a_directory_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    assert unreadable(tmp_path) == Problem(
        str(tmp_path),
        "cannot be read (Is a directory)",
        "let the host's user read it, or name another with --config",
    )


def test_a_forbidden_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.touch(mode=0)
    if os.access(path, os.R_OK):
        pytest.skip("root may read every file")
    assert unreadable(path).problem == "cannot be read (Permission denied)"


def test_a_file_that_is_not_utf_8_is_told_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(b"# \xff")
    assert unreadable(path) == Problem(
        str(path), "is not UTF-8 (byte 2)", "save it as UTF-8"
    )


def test_a_syntax_error_has_line_and_column() -> None:
    problem = only_problem("[host]\nbase_url = https://hydra.example.org")
    assert problem.key == "line 2, column 12"
    assert problem.problem == "is not TOML (Invalid value)"
    assert "text stands in quotes" in problem.fix


def test_a_syntax_error_at_the_end_has_line_and_column_too() -> None:
    problem = only_problem('[host]\nbase_url = "x')
    assert problem.key == "line 2, column 14"
    assert problem.problem == "is not TOML (Unterminated string)"


def test_a_table_written_twice_is_an_error_of_syntax() -> None:
    assert only_problem("[host]\n[host]").key.startswith("line 2")


def test_an_error_of_syntax_does_not_show_the_line_it_is_in() -> None:
    assert "hunter2" not in str(only_problem('token = "hunter2'))


def test_a_number_python_refuses_to_read_is_a_problem() -> None:
    assert only_problem(f"a = {'9' * 5000}") == Problem(
        "the file", "holds a number that is too long", "shorten it"
    )


def test_endless_nesting_is_a_problem_and_not_a_crash() -> None:
    assert only_problem("a = " + "[" * 100_000) == Problem(
        "the file", "nests too deeply", "nest at most 32 tables and arrays"
    )
