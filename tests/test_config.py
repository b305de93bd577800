"""What a configuration file means."""

from pathlib import Path

from tests.config_texts import DIRECTORY, parse

from hydra_notify.config import (
    Config,
    DatabaseConfig,
    HostConfig,
    Match,
    PluginConfig,
    SecretSource,
    describe,
)


def test_an_empty_file_is_a_configuration_without_plugins() -> None:
    assert parse("") == Config(
        database=DatabaseConfig("postgresql:///hydra"),
        host=HostConfig(
            base_url="http://localhost:3000",
            state_dir=Path("/var/lib/hydra-notify"),
            hydra_data=Path("/var/lib/hydra"),
        ),
        plugins={},
    )


def test_every_key_arrives_where_it_belongs() -> None:
    config = parse(
        """
        [database]
        url = "postgresql://ci.example.org/hydra"
        [host]
        base_url = "https://hydra.example.org/"
        state_dir = "/srv/state"
        hydra_data = "/srv/hydra"
        [plugins.github]
        command = ["notify", "--fast"]
        required = false
        log_level = "debug"
        timeout_ms = 60000
        max_in_flight = 4
        [plugins.github.match]
        jobs = ["nixpkgs:*:*"]
        events = ["build_*"]
        statuses = ["failed", 7]
        [plugins.github.settings]
        owner = "NixOS"
        depth.list = [1, 2.5, true]
        [plugins.github.secrets]
        token = { file = "/run/keys/github" }
        hook = { credential = "hook" }
        [plugins.github.environment]
        LANG = "C.UTF-8"
        """
    )
    assert config == Config(
        database=DatabaseConfig("postgresql://ci.example.org/hydra"),
        host=HostConfig(
            base_url="https://hydra.example.org",
            state_dir=Path("/srv/state"),
            hydra_data=Path("/srv/hydra"),
        ),
        plugins={
            "github": PluginConfig(
                name="github",
                directory=DIRECTORY,
                command=("notify", "--fast"),
                required=False,
                match=Match(
                    jobs=("nixpkgs:*:*",), events=("build_*",), statuses=("failed", 7)
                ),
                settings={"owner": "NixOS", "depth": {"list": [1, 2.5, True]}},
                secrets={
                    "token": SecretSource(file=Path("/run/keys/github")),
                    "hook": SecretSource(credential="hook"),
                },
                environment={"LANG": "C.UTF-8"},
                log_level="debug",
                timeout_ms=60_000,
                max_in_flight=4,
            )
        },
    )


def test_a_plugin_needs_nothing_but_a_command() -> None:
    plugin = parse('[plugins.log]\ncommand = ["log"]').plugins["log"]
    assert plugin.required
    assert plugin.match == Match()
    assert plugin.settings == {}
    assert plugin.secrets == {}
    assert plugin.environment == {}
    assert plugin.log_level == "info"
    assert plugin.timeout_ms is None
    assert plugin.max_in_flight is None


def test_a_relative_program_with_a_slash_lies_beside_the_file() -> None:
    config = parse('[plugins.log]\ncommand = ["./bin/log", "./argument"]')
    assert config.plugins["log"].command == ("/etc/hydra-notify/bin/log", "./argument")


def test_programs_by_name_and_by_absolute_path_stay_as_they_are() -> None:
    config = parse('plugins.a.command = ["log"]\nplugins.b.command = ["/bin/log"]')
    assert config.plugins["a"].command == ("log",)
    assert config.plugins["b"].command == ("/bin/log",)


def test_other_relative_paths_start_beside_the_file_too() -> None:
    config = parse(
        """
        host.state_dir = "state"
        plugins.a.command = ["log"]
        plugins.a.secrets.token.file = "keys/token"
        """
    )
    assert config.host.state_dir == DIRECTORY / "state"
    token = config.plugins["a"].secrets["token"]
    assert token.file == DIRECTORY / "keys/token"


def test_the_environment_sets_what_the_file_leaves_out() -> None:
    environ = {"STATE_DIRECTORY": "/s/one:/s/two", "HYDRA_DATA": "/srv/hydra"}
    host = parse("", environ).host
    assert host.state_dir == Path("/s/one")
    assert host.hydra_data == Path("/srv/hydra")


def test_the_file_wins_over_the_environment() -> None:
    environ = {
        "STATE_DIRECTORY": "/env",
        "HYDRA_DATA": "/env",
        "HYDRA_DATABASE_URL": "postgresql:///env",
    }
    config = parse(
        """
        database.url = "postgresql:///file"
        host.state_dir = "/file"
        host.hydra_data = "/file"
        """,
        environ,
    )
    assert config.database.url == "postgresql:///file"
    assert config.host.state_dir == config.host.hydra_data == Path("/file")


def test_empty_variables_count_as_unset() -> None:
    environ = {"STATE_DIRECTORY": "", "HYDRA_DATA": "", "HYDRA_DATABASE_URL": ""}
    assert parse("", environ) == parse("")


def test_equal_files_give_equal_plugins_so_that_a_reload_can_tell_changes() -> None:
    text = 'plugins.a.command = ["log"]\nplugins.a.match.jobs = ["x:*:*"]'
    first, second = parse(text).plugins["a"], parse(text).plugins["a"]
    first.match.wants_build("x:y:z", 0)
    assert first == second
    assert first != parse(text + "\nplugins.a.required = false").plugins["a"]


def test_a_shown_configuration_hides_the_password_of_the_database() -> None:
    config = parse('database.url = "postgresql://hydra:hunter2@ci.example.org/hydra"')
    assert "hunter2" not in repr(config)
    assert "hunter2" in config.database.url


def test_a_description_says_what_each_plugin_gets() -> None:
    config = parse(
        """
        [plugins.all]
        command = ["log", "a b"]
        [plugins.some]
        command = ["notify"]
        required = false
        match = { jobs = ["a:*:*"], events = ["build_*"], statuses = ["failed", 7] }
        """
    )
    assert describe(config) == [
        "all: log 'a b' gets all events it asks for (required)",
        "some: notify gets build_* of a:*:*, finished as failed or 7 (not required)",
    ]
