"""Whatever a file holds, it is a configuration or has problems that can be told."""

import datetime

import tomli_w
from hypothesis import given
from hypothesis import strategies as st
from tests.fuzz.strategies import toml_values, toml_words
from tests.fuzz.targets import read_text, use_config

from hydra_notify.config import Config
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


def test_the_full_text_is_a_configuration() -> None:
    assert isinstance(read_text(FULL), Config)


@given(st.text())
def test_any_text_is_a_configuration_or_told(text: str) -> None:
    use_config(text)


@given(st.data())
def test_a_damaged_file_is_a_configuration_or_told(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(FULL)))
    end = data.draw(st.integers(start, min(len(FULL), start + 40)))
    marks = st.sampled_from(['"', "'", "]", "}", "\n", "[[", "=", "."])
    inserted = data.draw(st.text(max_size=5) | marks)
    use_config(FULL[:start] + inserted + FULL[end:])


@given(st.data())
def test_any_value_in_place_of_another_is_used_or_told(data: st.DataObject) -> None:
    lines = list[str](FULL.strip().splitlines())
    at = data.draw(st.sampled_from([i for i, line in enumerate(lines) if "=" in line]))
    value = data.draw(toml_values)
    key = lines[at].partition("=")[0].strip()
    lines[at] = key + " = " + tomli_w.dumps({"x": [value]}).partition("=")[2]
    use_config("\n".join(lines))


@given(st.dictionaries(toml_words, toml_values, max_size=4), st.data())
def test_any_tables_are_a_configuration_or_told(
    plugin: dict[str, object], data: st.DataObject
) -> None:
    tables = {
        "plugins": {"github": {"command": ["x"], **plugin}},
        **data.draw(st.dictionaries(toml_words, toml_values, max_size=2)),
    }
    use_config(tomli_w.dumps(tables))


@given(toml_values)
def test_settings_arrive_as_they_were_or_are_told(value: object) -> None:
    tables = {"plugins": {"x": {"command": ["x"], "settings": {"v": value}}}}
    config = read_text(tomli_w.dumps(tables))
    if isinstance(config, ConfigError):
        assert all(p.key.startswith("plugins.x.settings.v") for p in config.problems)
    else:
        assert config.plugins["x"].settings == {"v": value}
        assert not isinstance(value, datetime.date | datetime.time)
