"""Secrets: references in the file, read anew at each start of a plugin."""

import os
import traceback
from pathlib import Path

import pytest
from tests.config_texts import plugin_problem

from hydra_notify.config import PluginConfig, SecretSource, read_secrets
from hydra_notify.errors import ConfigError, Problem

REWRITE = "create it so that the host's user can read it, and nobody else"


def plugin(**secrets: SecretSource) -> PluginConfig:
    return PluginConfig(
        name="github", directory=Path("/"), command=("notify",), secrets=secrets
    )


def refused(source: SecretSource, environ: dict[str, str] | None = None) -> Problem:
    with pytest.raises(ConfigError) as caught:
        read_secrets(plugin(token=source), environ=environ or {})
    (problem,) = caught.value.problems
    assert problem.key == "plugins.github.secrets.token"
    return problem


def test_a_plugin_without_secrets_gets_none() -> None:
    assert read_secrets(plugin(), environ={}) == {}


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"hunter2", "hunter2"),
        (b"hunter2\n", "hunter2"),
        (b"hunter2\r\n", "hunter2"),
        (b"hunter2\n\n", "hunter2\n"),
        (b" hunter2 ", " hunter2 "),
        (b"-----BEGIN\nabc\n-----END\n", "-----BEGIN\nabc\n-----END"),
        ("pässword\n".encode(), "pässword"),
        (b"x" * 65_536, "x" * 65_536),
    ],
)
def test_a_files_secret_is_its_text_without_the_last_newline(
    tmp_path: Path, content: bytes, value: str
) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    source = SecretSource(file=path)
    assert read_secrets(plugin(token=source), environ={}) == {"token": value}


def test_a_credential_lies_where_systemd_says(tmp_path: Path) -> None:
    Path(tmp_path, "github").write_text("hunter2\n")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    source = SecretSource(credential="github")
    assert read_secrets(plugin(token=source), environ=environ) == {"token": "hunter2"}


def test_a_rotated_secret_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "token"
    github = plugin(token=SecretSource(file=path))
    path.write_text("old")
    assert read_secrets(github, environ={}) == {"token": "old"}
    path.write_text("new")
    assert read_secrets(github, environ={}) == {"token": "new"}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "token"
    assert refused(SecretSource(file=path)) == Problem(
        "plugins.github.secrets.token",
        f"cannot be read from {path} (No such file or directory)",
        REWRITE,
    )


def test_a_forbidden_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.touch(mode=0)
    if os.access(path, os.R_OK):
        pytest.skip("root may read every file")
    problem = refused(SecretSource(file=path)).problem
    assert problem == f"cannot be read from {path} (Permission denied)"


def test_a_directory_is_no_secret_and_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    problem = refused(SecretSource(file=tmp_path)).problem
    assert problem == f"cannot be read from {tmp_path} (Is a directory)"
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_missing_credential_is_named_by_its_path(tmp_path: Path) -> None:
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    problem = refused(SecretSource(credential="github"), environ).problem
    path = tmp_path / "github"
    assert problem == f"cannot be read from {path} (No such file or directory)"


def test_credentials_that_systemd_did_not_pass_are_told_with_the_fix() -> None:
    assert refused(SecretSource(credential="github")) == Problem(
        "plugins.github.secrets.token",
        "is the credential github, but systemd passed none",
        'add LoadCredential=github:/path to the unit, or write { file = "/path" }',
    )


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_secret_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "token"
    path.write_text(content)
    assert refused(SecretSource(file=path)) == Problem(
        "plugins.github.secrets.token",
        f"is empty in {path}",
        "write the secret into the file",
    )


def test_a_fifo_nobody_writes_to_is_empty_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "token"
    os.mkfifo(path)
    assert refused(SecretSource(file=path)).problem == f"is empty in {path}"


def test_an_endless_file_is_not_read_to_its_end() -> None:
    assert refused(SecretSource(file=Path("/dev/zero"))) == Problem(
        "plugins.github.secrets.token",
        "is longer than 65536 bytes in /dev/zero",
        "name the file that holds the secret alone",
    )


def test_bytes_that_are_no_text_are_refused_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"hunter2\xff")
    with pytest.raises(ConfigError) as caught:
        read_secrets(plugin(token=SecretSource(file=path)), environ={})
    assert caught.value.problems == (
        Problem(
            "plugins.github.secrets.token",
            f"is not UTF-8 in {path}",
            "store it as text, such as base64",
        ),
    )
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_every_secret_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    Path(tmp_path, "good").write_text("x")
    secrets = {
        "good": SecretSource(file=tmp_path / "good"),
        "a": SecretSource(file=tmp_path / "a"),
        "b c": SecretSource(credential="b"),
    }
    with pytest.raises(ConfigError) as caught:
        read_secrets(plugin(**secrets), environ={})
    assert [problem.key for problem in caught.value.problems] == [
        "plugins.github.secrets.a",
        'plugins.github.secrets."b c"',
    ]


def test_a_secret_in_plain_text_is_refused_and_not_repeated() -> None:
    problem = plugin_problem('secrets.token = "hunter2"')
    assert problem == Problem(
        "plugins.github.secrets.token",
        "is a string, not a table",
        'secrets are references; write { file = "/path" }',
    )


@pytest.mark.parametrize("source", ["{}", '{ file = "/a", credential = "b" }'])
def test_a_secret_has_one_source(source: str) -> None:
    assert plugin_problem(f"secrets.token = {source}") == Problem(
        "plugins.github.secrets.token",
        "needs one of file and credential",
        'write { file = "/path" } or { credential = "name" }',
    )


@pytest.mark.parametrize("name", ["", "..", "/run/keys/x", "hunter2:x"])
def test_a_credential_is_named_and_a_bad_name_not_repeated(name: str) -> None:
    assert plugin_problem(f'secrets.token.credential = "{name}"') == Problem(
        "plugins.github.secrets.token.credential",
        "is not a credential's name",
        "write its name from LoadCredential=",
    )


def test_a_secrets_file_is_a_path() -> None:
    assert plugin_problem("secrets.token.file = 5") == Problem(
        "plugins.github.secrets.token.file",
        "is an integer, not a string",
        'write { file = "/run/keys/token" }',
    )
    assert plugin_problem('secrets.token.file = ""').problem == "is empty"
