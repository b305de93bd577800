"""`hydra-notify.toml` says everything there is to say, and what it says is true."""

import os
import re
import shutil
import tomllib
from pathlib import Path
from typing import cast

import msgspec
import pytest
from tests.languages import is_plugin

from hydra_notify.config import (
    Config,
    HostConfig,
    HttpConfig,
    LimitsConfig,
    Match,
    PluginConfig,
    SandboxConfig,
    SecretSource,
    parse_config,
    read_config,
)
from hydra_notify.config.database_url import DEFAULT_URL
from hydra_notify.demo.manifests import wanted_channels
from hydra_notify.demo.reference import FLAKY, WEBHOOK, assemble, reference_path
from hydra_notify.errors import PluginError
from hydra_notify_sdk.wire import CHANNELS

ROOT = Path(__file__).parents[1]
SHOWN = "log_events"
"""The plugin that shows every key."""

Table = dict[str, object]


@pytest.fixture(scope="module")
def config() -> Config:
    return read_config(ROOT / "hydra-notify.toml", environ={})


@pytest.fixture(scope="module")
def whole() -> str:
    """The file with every key set that stands in a comment."""
    text = reference_path().read_text()
    return re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def tables(whole: str) -> Table:
    return tomllib.loads(whole)


def table(tables: Table, *path: str) -> Table:
    for key in path:
        tables = cast(Table, tables[key])
    return tables


def keys(struct: type[msgspec.Struct], *but: str) -> set[str]:
    return {f.name for f in msgspec.structs.fields(struct)} - set(but)


def test_it_is_the_file_that_the_demo_runs() -> None:
    assert reference_path() == ROOT / "hydra-notify.toml"


def test_every_key_is_in_it(tables: Table) -> None:
    assert set(tables) == keys(Config)
    for section in ("database", "host", "http"):
        (struct,) = (
            field.type
            for field in msgspec.structs.fields(Config)
            if field.name == section
        )
        assert set(table(tables, section)) == keys(struct), section
    assert set(table(tables, "plugins", SHOWN)) == keys(
        PluginConfig, "name", "directory"
    )
    assert set(table(tables, "plugins", SHOWN, "match")) == keys(Match)
    for section, struct in (("limits", LimitsConfig), ("sandbox", SandboxConfig)):
        assert set(table(tables, "plugins", SHOWN, section)) == keys(struct), section
    secrets = table(tables, "plugins", SHOWN, "secrets").values()
    assert set().union(*cast(list[Table], secrets)) == keys(SecretSource)


def test_what_stands_in_comments_is_right_too(whole: str) -> None:
    config = parse_config(whole, directory=ROOT, environ={})
    assert config.plugins[SHOWN].match.statuses


def test_the_defaults_it_tells_are_the_defaults(whole: str, config: Config) -> None:
    told = parse_config(whole, directory=ROOT, environ={})
    assert told.database.url == config.database.url == DEFAULT_URL
    assert told.host == config.host == HostConfig()
    assert config.http == HttpConfig()
    plain = PluginConfig(name="plain", directory=ROOT, command=("true",))
    for key in ("required", "log_level"):
        value = getattr(told.plugins[SHOWN], key)
        assert value == getattr(plain, key), key


def test_every_program_in_it_is_an_example(config: Config) -> None:
    examples = ROOT / "example_plugins"
    programs = {path for path in examples.rglob("*") if is_plugin(path)}
    shown = {Path(plugin.command[0]) for plugin in config.plugins.values()}
    # Of one plugin in many languages, the two that most machines can run; and not what
    # needs the modules of an installed Hydra.
    assert shown <= programs
    left = {path.relative_to(examples).parts[0] for path in programs - shown}
    assert left == {"languages", "perl_bridge"}


def test_the_demo_replaces_only_addresses(config: Config, tmp_path: Path) -> None:
    played = assemble("postgresql:///private", tmp_path, "http://here").config
    assert played.database.url == "postgresql:///private"
    state_dir = tmp_path / "state"
    assert played.host == msgspec.structs.replace(config.host, state_dir=state_dir)
    assert played.http.listen.startswith("127.0.0.1:")
    for name, plugin in played.plugins.items():
        settings = config.plugins[name].settings
        if name == WEBHOOK:
            settings = {**settings, "url": "http://here"}
        environment = {"PATH": plugin.environment["PATH"]}
        assert plugin == msgspec.structs.replace(
            config.plugins[name], settings=settings, environment=environment
        )


def test_its_plugins_say_what_they_want(tmp_path: Path) -> None:
    players = assemble("", tmp_path, "http://127.0.0.1:9/")
    for name, plugin in players.config.plugins.items():
        own = tmp_path / name
        own.mkdir()
        wanted = wanted_channels(plugin, players.config.host, own)
        greedy = name in (SHOWN, WEBHOOK, FLAKY)
        assert wanted == frozenset(CHANNELS if greedy else ["build_finished"]), name


def test_the_operator_narrows_what_a_plugin_wants(tmp_path: Path) -> None:
    players = assemble("", tmp_path, "http://127.0.0.1:9/")
    plugin = msgspec.structs.replace(
        players.config.plugins[SHOWN], match=Match(events=("eval_a*",))
    )
    wanted = wanted_channels(plugin, players.config.host, tmp_path)
    assert wanted == {"eval_added"}


@pytest.mark.parametrize("command", ["cat", "false", "/nowhere/at-all"])
def test_a_program_that_is_no_plugin_is_named(command: str, tmp_path: Path) -> None:
    plugin = PluginConfig(name="odd", directory=tmp_path, command=(command,))
    with pytest.raises(PluginError, match=r"^odd: "):
        wanted_channels(plugin, HostConfig(), tmp_path)


def test_a_plugin_whose_tools_are_missing_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Config
) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    (tmp_path / "bash").symlink_to(bash)
    monkeypatch.setenv("PATH", str(tmp_path))
    players = assemble("", tmp_path, "")
    assert players.remarks == (
        "run_command is left out: there is no jq here",
        "no_sdk_sh is left out: there is no jq here",
        "no_sdk_pl is left out: there is no perl with JSON::PP here",
    )
    kept = set(config.plugins) - {"run_command", "no_sdk_sh", "no_sdk_pl"}
    assert set(players.config.plugins) == kept


def test_plugins_find_the_interpreter_that_runs_the_demo_first(tmp_path: Path) -> None:
    plugin = assemble("", tmp_path, "").config.plugins[SHOWN]
    first = plugin.environment["PATH"].split(os.pathsep)[0]
    assert os.access(Path(first, "python3"), os.X_OK)
