"""How wrong values are told: by key, kind and fix."""

import msgspec
import pytest
from tests.config_texts import only_problem, parse, plugin_problem, problems

from hydra_notify.errors import Problem


@pytest.mark.parametrize(
    ("line", "key", "problem"),
    [
        ("database = 1", "database", "is an integer, not a table"),
        ("host = true", "host", "is true or false, not a table"),
        ("plugins = []", "plugins", "is an array, not a table"),
        ("host.state_dir = 1.5", "host.state_dir", "is a number, not a string"),
        ("host.hydra_data = []", "host.hydra_data", "is an array, not a string"),
        ('host.state_dir = ""', "host.state_dir", "is empty"),
        ("database.url = 07:00:00", "database.url", "is a date or time, not a string"),
    ],
)
def test_a_wrong_type_is_told_by_key_and_kind(
    line: str, key: str, problem: str
) -> None:
    found = only_problem(line)
    assert (found.key, found.problem) == (key, problem)
    assert found.fix.startswith("write ")


@pytest.mark.parametrize(
    ("lines", "key", "problem", "fix"),
    [
        (
            'give_up_after = "soon"',
            "give_up_after",
            "is not a time",
            'write a number and s, m, h or d, such as "7d"',
        ),
        (
            "give_up_after = 7",
            "give_up_after",
            "is an integer, not a string",
            'write a time in quotes, such as "7d"',
        ),
        (
            'on_dead = "ignore"',
            "on_dead",
            'is "ignore", which is not one of its words',
            'write on_dead = "hold" or on_dead = "clear"',
        ),
        (
            'required = "yes"',
            "required",
            "is a string, not true or false",
            "write required = true or required = false",
        ),
        (
            'log_level = "verbose"',
            "log_level",
            'is "verbose", which is not one of its words',
            "write debug, info, notice, warning, error or critical in quotes",
        ),
        (
            "timeout_ms = 999",
            "timeout_ms",
            "is less than 1000",
            "write milliseconds, an integer from 1000 to 900000",
        ),
        (
            "timeout_ms = 900001",
            "timeout_ms",
            "is more than 900000",
            "write milliseconds, an integer from 1000 to 900000",
        ),
        (
            'timeout_ms = "30s"',
            "timeout_ms",
            "is a string, not an integer",
            "write milliseconds, an integer from 1000 to 900000",
        ),
        (
            "max_in_flight = 0",
            "max_in_flight",
            "is less than 1",
            "write an integer from 1 to 64",
        ),
        (
            "max_in_flight = 65",
            "max_in_flight",
            "is more than 64",
            "write an integer from 1 to 64",
        ),
        (
            "settings = 1",
            "settings",
            "is an integer, not a table",
            'write settings = { channel = "#builds" }',
        ),
        (
            'match = "nixpkgs:*:*"',
            "match",
            "is a string, not a table",
            'write match = { jobs = ["nixpkgs:*:*"] }',
        ),
        (
            'match.jobs = "nixpkgs:*:*"',
            "match.jobs",
            "is a string, not an array",
            'write jobs = ["nixpkgs:*:*"]',
        ),
        (
            'match.jobs = ["a", 5]',
            "match.jobs[1]",
            "is an integer, not a string",
            'write a string such as "nixpkgs:trunk:*"',
        ),
        (
            "match.channels = []",
            "match.channels",
            "is not a known key",
            "known are jobs, events, statuses; only these three narrow what a plugin "
            "gets",
        ),
        (
            "environment.DEPTH = 5",
            "environment.DEPTH",
            "is an integer, not a string",
            "put it in quotes",
        ),
        (
            'environment.HYDRA_NOTIFY_PLUGIN = "1"',
            "environment.HYDRA_NOTIFY_PLUGIN",
            "is set by the host itself",
            "use a name without HYDRA_NOTIFY_",
        ),
        (
            'environment."A=B" = "1"',
            'environment."A=B"',
            "is not the name of a variable",
            'leave out "=" and NUL',
        ),
        (
            r'environment.A = "\u0000"',
            "environment.A",
            "holds a NUL character, which no program can be given",
            "leave it out",
        ),
    ],
)
def test_a_plugins_wrong_value_is_told_with_its_fix(
    lines: str, key: str, problem: str, fix: str
) -> None:
    assert plugin_problem(lines) == Problem(f"plugins.github.{key}", problem, fix)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("hydra.example.org", "is not the URL of a web site"),
        ("ftp://hydra.example.org", "is not the URL of a web site"),
        ("https://", "is not the URL of a web site"),
        ("https://[", "is not a URL"),
        ("https://h?x=1", "has a part that no page's URL can follow"),
        ("https://h/#top", "has a part that no page's URL can follow"),
    ],
)
def test_a_base_url_must_lead_to_pages(url: str, problem: str) -> None:
    assert only_problem(f'host.base_url = "{url}"') == Problem(
        "host.base_url", problem, 'write a URL such as "https://hydra.example.org"'
    )


def test_a_bad_url_in_the_environment_is_told_beside_the_files_problems() -> None:
    keys = [p.key for p in problems("[mail]", {"HYDRA_DATABASE_URL": "mysql://h/d"})]
    assert keys == ["mail", "$HYDRA_DATABASE_URL"]


@pytest.mark.parametrize(
    ("line", "key", "problem", "fix"),
    [
        (
            "at = 2026-01-01T00:00:00Z",
            "at",
            "is a date or time, which JSON does not have",
            "put it in quotes",
        ),
        (
            "list = [1, { at = 07:00:00 }]",
            "list[1].at",
            "is a date or time, which JSON does not have",
            "put it in quotes",
        ),
        (
            "ratio = -inf",
            "ratio",
            "is -inf, a number that JSON does not have",
            "leave the key out, or put it in quotes",
        ),
        (
            "ratio = nan",
            "ratio",
            "is nan, a number that JSON does not have",
            "leave the key out, or put it in quotes",
        ),
        (
            f"big = {2**64}",
            "big",
            "is an integer beyond 64 bits, too long for readers of JSON",
            "put it in quotes",
        ),
        (
            f"deep = {'[' * 32}{']' * 32}",
            "deep" + "[0]" * 31,
            "nests too deeply",
            "nest at most 32 tables and arrays",
        ),
    ],
)
def test_settings_that_json_cannot_hold_are_refused(
    line: str, key: str, problem: str, fix: str
) -> None:
    found = plugin_problem(f"[plugins.github.settings]\n{line}")
    assert found == Problem(f"plugins.github.settings.{key}", problem, fix)


def test_settings_of_the_largest_kind_can_be_written_as_json() -> None:
    config = parse(
        f"""
        plugins.a.command = ["notify"]
        plugins.a.settings.numbers = [{2**64 - 1}, {-(2**63)}, 1e308]
        plugins.a.settings.deep = {"[" * 31}{"]" * 31}
        """
    )
    settings = config.plugins["a"].settings
    assert msgspec.json.decode(msgspec.json.encode(settings)) == settings


def test_keys_that_toml_would_quote_are_quoted() -> None:
    found = plugin_problem('[plugins.github.settings]\n"a b".c = nan')
    assert found.key == 'plugins.github.settings."a b".c'
