"""How mistakes in tables and keys are told: all at once, each with its fix."""

import pytest
from tests.config_texts import only_problem, parse, plugin_problem, problems

from hydra_notify.errors import ConfigError, Problem


def test_all_problems_are_told_at_once() -> None:
    keys = [
        problem.key
        for problem in problems(
            """
            [database]
            url = 5
            [host]
            base_url = 5
            [plugins.a]
            comand = ["x"]
            [plugins.a.settings]
            when = 2020-01-01
            [plugins.b]
            command = [1, "x", 2]
            [plugins.b.secrets]
            one = "x"
            two = {}
            """
        )
    ]
    assert sorted(keys) == [
        "database.url",
        "host.base_url",
        "plugins.a.comand",
        "plugins.a.command",
        "plugins.a.settings.when",
        "plugins.b.command[0]",
        "plugins.b.command[2]",
        "plugins.b.secrets.one",
        "plugins.b.secrets.two",
    ]


def test_an_error_is_a_line_per_problem() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("host.base_url = 5\nhots = 1")
    assert str(caught.value).splitlines() == [
        "hots is not a known key; did you mean host?",
        "host.base_url is an integer, not a string; "
        'write base_url = "https://hydra.example.org"',
    ]


def test_an_unknown_table_gets_the_one_that_was_meant() -> None:
    assert only_problem("[plugin.github]") == Problem(
        "plugin", "is not a known key", "did you mean plugins?"
    )


def test_an_unknown_table_like_no_other_gets_all_there_are() -> None:
    assert only_problem("[mail]\nto = 1") == Problem(
        "mail", "is not a known key", "known are database, host, http, plugins"
    )


@pytest.mark.parametrize("table", ["retries", "network"])
def test_tables_nobody_reads_are_refused(table: str) -> None:
    problem = plugin_problem(f"[plugins.github.{table}]")
    assert problem.key == f"plugins.github.{table}"
    assert problem.problem == "is not a known key"


def test_a_mistyped_key_gets_the_one_that_was_meant() -> None:
    assert plugin_problem("requird = true") == Problem(
        "plugins.github.requird", "is not a known key", "did you mean required?"
    )


def test_a_plugins_own_key_is_sent_to_its_settings() -> None:
    problem = plugin_problem('owner = "NixOS"')
    assert problem.key == "plugins.github.owner"
    assert problem.fix.endswith("the plugin's own keys belong in its table settings")


def test_fields_the_host_fills_in_are_not_keys() -> None:
    assert plugin_problem('name = "x"').problem == "is not a known key"
    assert plugin_problem('directory = "x"').problem == "is not a known key"


def test_a_missing_command_is_told_with_an_example() -> None:
    assert only_problem("[plugins.github]") == Problem(
        "plugins.github.command",
        "is missing",
        'write command = ["program", "argument"]',
    )


def test_a_command_in_one_string_is_told_with_an_example() -> None:
    assert only_problem('plugins.github.command = "notify --fast"') == Problem(
        "plugins.github.command",
        "is a string, not an array",
        'write command = ["program", "argument"]',
    )


def test_a_command_of_no_words_is_empty() -> None:
    assert only_problem("plugins.github.command = []") == Problem(
        "plugins.github.command", "is empty", 'write command = ["program", "argument"]'
    )


def test_a_program_without_a_name_is_empty() -> None:
    assert only_problem('plugins.github.command = ["", "x"]') == Problem(
        "plugins.github.command[0]", "is empty", "write the program's name or path"
    )


def test_a_number_among_the_arguments_is_told_by_its_place() -> None:
    assert only_problem('plugins.github.command = ["notify", 5]') == Problem(
        "plugins.github.command[1]",
        "is an integer, not a string",
        "put it in quotes",
    )


def test_arguments_that_no_program_can_be_given_are_refused() -> None:
    problem = only_problem(r'plugins.github.command = ["notify", "a\u0000b"]')
    assert problem.key == "plugins.github.command[1]"
    assert problem.problem == "holds a NUL character, which no program can be given"
    assert problem.fix == "leave it out"


@pytest.mark.parametrize("name", ["GitHub", "-x", "a b", "", "a" * 64, "ä", "a\\nb"])
def test_a_name_that_is_no_plugins_name_is_refused(name: str) -> None:
    problem = only_problem(f'plugins."{name}".command = ["notify"]')
    assert problem.key.startswith("plugins.")
    assert "\n" not in problem.key
    assert problem.problem == "is not a plugin's name"
    assert problem.fix == "use 1 to 63 of a-z 0-9 _ -, a letter or digit first"


@pytest.mark.parametrize("name", ["a", "0", "a-b_c", "a" * 63])
def test_plugins_names_are_short_words(name: str) -> None:
    assert parse(f'plugins.{name}.command = ["notify"]').plugins[name].name == name


def test_a_key_directly_below_plugins_is_no_plugin() -> None:
    assert only_problem('[plugins]\ncommand = ["notify"]') == Problem(
        "plugins.command",
        "is an array, not a table",
        "give each plugin a table of its own: [plugins.NAME]",
    )
