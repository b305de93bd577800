"""The text of a configuration file to a `Config`, or to all that is wrong with it."""

import math
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

import msgspec

from hydra_notify.config.checks import check_name
from hydra_notify.config.database_url import database_url
from hydra_notify.config.decode import Decoder, Table
from hydra_notify.config.http import HttpConfig
from hydra_notify.config.model import (
    Config,
    DatabaseConfig,
    HostConfig,
    PluginConfig,
)
from hydra_notify.config.plugin_checks import (
    check_program,
    check_sandbox,
    check_secret,
    check_secrets,
)
from hydra_notify.config.wording import joined, kind_of
from hydra_notify.errors import ConfigError, Problem
from hydra_notify.limits import MAX_SETTINGS_DEPTH

_JSON_INTEGERS: Final = range(-(2**63), 2**64)
"""What msgspec writes, and most readers of JSON can take."""

_SYNTAX_ERROR: Final = re.compile(
    r"(?P<what>.*) "
    r"\(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)",
    re.DOTALL,
)
"""tomllib's messages; as numbers they come only from Python 3.14 on."""

_MEND: Final = (
    "mend it there: text stands in quotes, arrays in [ ], inline tables in { }, "
    "and a key or a table is written once"
)

_OWN_KEYS: Final = "the plugin's own keys belong in its table settings"


def read_config(path: Path, *, environ: Mapping[str, str]) -> Config:
    """The configuration in the file at `path`.

    Raises:
        ConfigError: The file cannot be read, or see `parse_config`.
    """
    text = read_text(path)
    return parse_config(text, directory=path.absolute().parent, environ=environ)


def read_text(path: Path) -> str:
    """What the file at `path` says.

    Raises:
        ConfigError: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        fix = "create it, or name another with --config"
        raise ConfigError((Problem(str(path), "does not exist", fix),)) from error
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        fix = "let the host's user read it, or name another with --config"
        raise ConfigError((Problem(str(path), problem, fix),)) from error
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 (byte {error.start})"
        raise ConfigError((Problem(str(path), problem, "save it as UTF-8"),)) from error


def parse_config(text: str, *, directory: Path, environ: Mapping[str, str]) -> Config:
    """The configuration that `text` is.

    Args:
        text: TOML.
        directory: The absolute one that relative paths start from.
        environ: For the defaults, see `HostConfig` and `database_url`.

    Raises:
        ConfigError: With every problem there is; of TOML's syntax only the first.
    """
    decoder = Decoder(directory)
    try:
        config = _config(load(text), decoder, environ)
    except RecursionError as error:
        problem = "nests too deeply"
        fix = f"nest at most {MAX_SETTINGS_DEPTH} tables and arrays"
        raise ConfigError((Problem("the file", problem, fix),)) from error
    if config is None:
        raise ConfigError(tuple(decoder.problems))
    return config


def load(text: str) -> Table:
    """What TOML makes of `text`.

    Raises:
        ConfigError: It is not TOML.
        RecursionError: It nests too deeply.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError((_syntax_problem(str(error), text),)) from error
    except ValueError as error:
        # Python itself refuses to read a number of thousands of digits.
        problem = "holds a number that is too long"
        raise ConfigError((Problem("the file", problem, "shorten it"),)) from error


def _syntax_problem(message: str, text: str) -> Problem:
    found = _SYNTAX_ERROR.fullmatch(message)
    if found is None:
        return Problem("the file", f"is not TOML ({message})", _MEND)
    line, column = found["line"], found["column"]
    if line is None:
        line = str(text.count("\n") + 1)
        column = str(len(text) - text.rfind("\n"))
    problem = f"is not TOML ({found['what']})"
    return Problem(f"line {line}, column {column}", problem, _MEND)


def _config(top: Table, decoder: Decoder, environ: Mapping[str, str]) -> Config | None:
    decoder.unknown_keys(top, ("database", "host", "http", "plugins"), key="")
    database = _database(top, decoder, environ)
    host = _host(top, decoder, environ)
    http = _http(top, decoder)
    tables = decoder.table(top.get("plugins", {}), "plugins", "write [plugins.NAME]")
    plugins = {name: _plugin(name, tables[name], decoder) for name in tables}
    if decoder.problems:
        return None
    assert database is not None
    assert host is not None
    assert http is not None
    return Config(
        database=database,
        host=host,
        http=http,
        plugins={name: plugin for name, plugin in plugins.items() if plugin},
    )


def _database(
    top: Table, decoder: Decoder, environ: Mapping[str, str]
) -> DatabaseConfig | None:
    table = decoder.table(top.get("database", {}), "database", "write [database]")
    said = decoder.struct(DatabaseConfig, table, "database")
    if said is None:
        return None
    try:
        return DatabaseConfig(database_url(said.url, environ))
    except ConfigError as error:
        decoder.problems.extend(error.problems)
        return None


def _host(
    top: Table, decoder: Decoder, environ: Mapping[str, str]
) -> HostConfig | None:
    table = decoder.table(top.get("host", {}), "host", "write [host]")
    defaults = {
        # systemd separates several directories by colons; the first is ours.
        "state_dir": environ.get("STATE_DIRECTORY", "").split(":")[0],
        "hydra_data": environ.get("HYDRA_DATA", ""),
    }
    said = {name: path for name, path in defaults.items() if path}
    host = decoder.struct(HostConfig, {**said, **table}, "host")
    if host is None:
        return None
    return msgspec.structs.replace(host, base_url=host.base_url.rstrip("/"))


def _http(top: Table, decoder: Decoder) -> HttpConfig | None:
    table = decoder.table(top.get("http", {}), "http", "write [http]")
    http = decoder.struct(HttpConfig, table, "http")
    check_secret(table.get("token"), "http.token", decoder)
    return http


def _plugin(name: str, value: object, decoder: Decoder) -> PluginConfig | None:
    key = joined("plugins", name)
    finding = check_name(name)
    if finding is not None:
        decoder.note(key, *finding)
    if not isinstance(value, dict):
        fix = "give each plugin a table of its own: [plugins.NAME]"
        decoder.note(key, f"is {kind_of(value)}, not a table", fix)
        return None
    table = cast(Table, value)
    plugin = decoder.struct(
        PluginConfig,
        table,
        key,
        stray=_OWN_KEYS,
        name=name,
        directory=decoder.directory,
    )
    # On the table, not the struct: one problem must not hide another.
    check_program(table.get("command"), joined(key, "command"), decoder)
    check_secrets(table.get("secrets"), joined(key, "secrets"), decoder)
    check_sandbox(table.get("sandbox"), joined(key, "sandbox"), decoder)
    if isinstance(table.get("settings"), dict):
        check_json(table["settings"], joined(key, "settings"), decoder, depth=1)
    if plugin is None or not plugin.command[0]:
        return None
    program, *arguments = plugin.command
    if "/" in program:
        program = str(decoder.directory / program)
    return msgspec.structs.replace(plugin, command=(program, *arguments))


def check_json(value: object, key: str, decoder: Decoder, depth: int) -> None:
    """Notes what of a plugin's settings JSON cannot hold."""
    if depth > MAX_SETTINGS_DEPTH:
        fix = f"nest at most {MAX_SETTINGS_DEPTH} tables and arrays"
        decoder.note(key, "nests too deeply", fix)
        return
    match value:
        case bool() | str():
            pass
        case dict():
            for name, item in cast(Table, value).items():
                check_json(item, joined(key, name), decoder, depth + 1)
        case list():
            for index, item in enumerate(cast(list[object], value)):
                check_json(item, f"{key}[{index}]", decoder, depth + 1)
        case int():
            if value not in _JSON_INTEGERS:
                problem = "is an integer beyond 64 bits, too long for readers of JSON"
                decoder.note(key, problem, "put it in quotes")
        case float():
            if not math.isfinite(value):
                problem = f"is {value}, a number that JSON does not have"
                decoder.note(key, problem, "leave the key out, or put it in quotes")
        case None:
            decoder.note(key, "is null, which TOML does not have", "leave the key out")
        case _:
            problem = "is a date or time, which JSON does not have"
            decoder.note(key, problem, "put it in quotes")
