"""Whatever a file holds, it is a configuration or has problems that can be told."""

import datetime
from pathlib import Path

import msgspec
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from hydra_notify.config import Config, describe, parse_config
from hydra_notify.errors import ConfigError

FULL = r"""
[database]
url = "postgresql://hydra:pass@ci.example.org/hydra"
[host]
base_url = "https://hydra.example.org"
state_dir = "/var/lib/hydra-notify"
hydra_data = "/var/lib/hydra"
[plugins.github]
command = ["./notify", "--fast"]
required = false
log_level = "debug"
timeout_ms = 60_000
max_in_flight = 4
match = { jobs = ["nixpkgs:*:[!a]*"], events = ["build_*"], statuses = ["failed", 7] }
settings = { owner = "NixOS", at = '2026-01-01', list = [1, 2.5, { x = true }] }
secrets.token = { file = "/run/keys/github" }
secrets."a b".credential = "hook"
environment = { LANG = "C.UTF-8" }
"""

KEYS = """
    database url host base_url state_dir hydra_data plugins github command required
    match jobs events statuses settings secrets token file credential environment
    log_level timeout_ms max_in_flight name directory
"""

words = st.text(max_size=8) | st.sampled_from(
    [
        *KEYS.split(),
        "build_*",
        "a:b:c",
        "[!",
        "failed",
        "info",
        "./x",
        "dbi:Pg:a='",
        "a\0",
    ]
)
scalars = (
    words
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.datetimes()
    | st.dates()
    | st.times()
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4)
    ),
    max_leaves=12,
)


def parse(text: str) -> Config | ConfigError:
    try:
        return parse_config(text, directory=Path("/etc"), environ={})
    except ConfigError as error:
        return error


def check(text: str) -> None:
    """Parses `text`, and uses what comes out in all the ways there are."""
    config = parse(text)
    if isinstance(config, ConfigError):
        assert config.problems
        assert all(p.key and p.problem and p.fix for p in config.problems)
        return
    assert len(describe(config)) == len(config.plugins)
    for plugin in config.plugins.values():
        msgspec.json.encode(plugin.settings)
        assert plugin.command[0]
        assert not any("\0" in word for word in plugin.command)
        plugin.match.wants_event("build_finished")
        plugin.match.wants_build("nixpkgs:trunk:hello", 1)
        plugin.match.wants_jobset("nixpkgs:trunk")
        for source in plugin.secrets.values():
            assert (source.file is None) != (source.credential is None)


def test_the_full_text_is_a_configuration() -> None:
    assert isinstance(parse(FULL), Config)


@given(st.text())
def test_any_text_is_a_configuration_or_told(text: str) -> None:
    check(text)


@given(st.data())
def test_a_damaged_file_is_a_configuration_or_told(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(FULL)))
    end = data.draw(st.integers(start, min(len(FULL), start + 40)))
    marks = st.sampled_from(['"', "'", "]", "}", "\n", "[[", "=", "."])
    inserted = data.draw(st.text(max_size=5) | marks)
    check(FULL[:start] + inserted + FULL[end:])


@given(st.data())
def test_any_value_in_place_of_another_is_used_or_told(data: st.DataObject) -> None:
    lines = list[str](FULL.strip().splitlines())
    at = data.draw(st.sampled_from([i for i, line in enumerate(lines) if "=" in line]))
    value = data.draw(values)
    key = lines[at].partition("=")[0].strip()
    lines[at] = key + " = " + tomli_w.dumps({"x": [value]}).partition("=")[2]
    check("\n".join(lines))


@given(st.dictionaries(words, values, max_size=4), st.data())
def test_any_tables_are_a_configuration_or_told(
    plugin: dict[str, object], data: st.DataObject
) -> None:
    tables = {
        "plugins": {"github": {"command": ["x"], **plugin}},
        **data.draw(st.dictionaries(words, values, max_size=2)),
    }
    check(tomli_w.dumps(tables))


@given(values)
def test_settings_arrive_as_they_were_or_are_told(value: object) -> None:
    tables = {"plugins": {"x": {"command": ["x"], "settings": {"v": value}}}}
    config = parse(tomli_w.dumps(tables))
    if isinstance(config, ConfigError):
        assert all(p.key.startswith("plugins.x.settings.v") for p in config.problems)
    else:
        assert config.plugins["x"].settings == {"v": value}
        assert not isinstance(value, datetime.date | datetime.time)
