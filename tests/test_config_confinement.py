"""The tables `limits` and `sandbox` of a plugin, and what is wrong with them."""

from pathlib import Path

import pytest

from hydra_notify.config import (
    LimitsConfig,
    PluginConfig,
    SandboxConfig,
    parse_config,
)
from hydra_notify.errors import ConfigError, Problem


def plugin(text: str) -> PluginConfig:
    whole = f'[plugins.one]\ncommand = ["true"]\n{text}'
    return parse_config(whole, directory=Path("/etc/hydra"), environ={}).plugins["one"]


def problem(text: str) -> Problem:
    """The only problem, its key without the plugin's."""
    with pytest.raises(ConfigError) as caught:
        plugin(text)
    (found,) = caught.value.problems
    return Problem(found.key.removeprefix("plugins.one."), found.problem, found.fix)


def test_nothing_is_limited_that_is_not_written() -> None:
    assert plugin("").limits == LimitsConfig()
    sandbox = plugin("").sandbox
    assert sandbox == SandboxConfig()
    assert (sandbox.restricts_files, sandbox.connect_tcp) == (False, None)


def test_sizes_and_shares_are_numbers_with_a_unit() -> None:
    limits = plugin(
        'limits = { memory = "256M", file_size = "3K", cpu = "150%" }'
    ).limits
    assert limits.memory_bytes == 256 * 2**20
    assert limits.file_size_bytes == 3 * 1024
    assert limits.cpu_percent == 150


def test_paths_start_at_the_files_directory() -> None:
    sandbox = plugin('sandbox = { read = ["keys", "/srv"], write = [] }').sandbox
    assert sandbox.read == (Path("/etc/hydra/keys"), Path("/srv"))
    assert sandbox.write == ()
    assert sandbox.restricts_files


@pytest.mark.parametrize(
    ("text", "key", "words", "fix"),
    [
        ('limits.memory = "256"', "limits.memory", "is not a size", '"256M"'),
        ('limits.memory = "1M"', "limits.memory", "less than any program", '"8M"'),
        ("limits.memory = 256", "limits.memory", "is an integer", '"256M"'),
        ('limits.file_size = "0K"', "limits.file_size", "is not a size", '"256M"'),
        ('limits.cpu = "0%"', "limits.cpu", "is not a share", '"50%"'),
        ("limits.tasks = 0", "limits.tasks", "is less than 1", "such as 64"),
        ("limits.open_files = 3", "limits.open_files", "is less than 16", "256"),
        ('limits.read = ["/"]', "limits.read", "not a known key", "table sandbox"),
        ('sandbox.cpu = "50%"', "sandbox.cpu", "not a known key", "table limits"),
        ('sandbox.read = "/srv"', "sandbox.read", "is a string", '["/srv/data"]'),
        ("sandbox.read = [3]", "sandbox.read[0]", "is an integer", "in quotes"),
        ('sandbox.write = [""]', "sandbox.write[0]", "is empty", "a path"),
        ("sandbox.connect_tcp = [0]", "sandbox.connect_tcp[0]", "less than 1", "65535"),
        ("sandbox.connect_tcp = 443", "sandbox.connect_tcp", "is an integer", "[443]"),
        ('sandbox.launcher = [""]', "sandbox.launcher[0]", "is empty", "program"),
        ('sandbox.launcher = "bwrap"', "sandbox.launcher", "is a string", '["bwrap"'),
        ('sandbox.user = "a b"', "sandbox.user", "is not a user", "/etc/passwd"),
        ("sandbox.required = 1", "sandbox.required", "is an integer", "= true"),
        ("sandbox = true", "sandbox", "is true or false", "read ="),
        (
            "sandbox = { connect_tcp = [], no_new_privs = false }",
            "sandbox.no_new_privs",
            "contradicts connect_tcp",
            "leave out no_new_privs, or connect_tcp",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_fix(
    text: str, key: str, words: str, fix: str
) -> None:
    found = problem(text)
    assert found.key == key
    assert words in found.problem
    assert fix in found.fix
