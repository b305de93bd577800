"""What a plugin is told when its author tries it: a file with three tables.

    [settings]
    room = "builds"

    [secrets]
    token = "made up"

    [environment]
    HTTPS_PROXY = "http://localhost:3128"

They are those of `[plugins.NAME]` in the host's configuration, but a secret stands here
itself: the file is for trying. All may be missing. A file that ends in `.json` holds
the same as one JSON object.
"""

import json
from pathlib import Path
from typing import Annotated, cast

from msgspec import Struct

from hydra_notify.config.decode import Advice, Decoder, Table
from hydra_notify.config.model import Environment
from hydra_notify.config.read import check_json, load, read_text
from hydra_notify.errors import ConfigError, Problem
from hydra_notify.limits import MAX_SETTINGS_DEPTH


class Settings(Struct, frozen=True, kw_only=True):
    """What the plugin gets.

    Attributes:
        settings: Its `config`.
        secrets: By name, in plain text.
        environment: Variables beside those that every plugin gets.
    """

    settings: Annotated[
        dict[str, object], Advice('write settings = { channel = "#builds" }')
    ] = {}
    secrets: Annotated[
        dict[
            str, Annotated[str, Advice("write the secret itself here, made up or real")]
        ],
        Advice('write secrets = { token = "made up" }'),
    ] = {}
    environment: Environment = {}


def read_settings(path: Path | None) -> Settings:
    """What the file at `path` holds; nothing without one.

    Raises:
        ConfigError: With every problem there is; of the syntax only the first.
    """
    if path is None:
        return Settings()
    text = read_text(path)
    decoder = Decoder(path.absolute().parent)
    try:
        table = _json(text) if path.suffix == ".json" else load(text)
        if "plugins" in table:
            problem = "is of a host's configuration, with all its plugins"
            fix = "copy [plugins.NAME.settings] into a file of its own, as [settings]"
            raise ConfigError((Problem("plugins", problem, fix),))
        settings = decoder.struct(Settings, table, "")
        check_json(table.get("settings", {}), "settings", decoder, depth=1)
    except RecursionError as error:
        fix = f"nest at most {MAX_SETTINGS_DEPTH} tables and arrays"
        raise ConfigError((Problem("the file", "nests too deeply", fix),)) from error
    if settings is None or decoder.problems:
        raise ConfigError(tuple(decoder.problems))
    return settings


def _json(text: str) -> Table:
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        fix = "mend it there, or write TOML into a file that ends in .toml"
        raise ConfigError(
            (Problem(where, f"is not JSON ({error.msg})", fix),)
        ) from error
    except ValueError as error:
        # Python itself refuses to read a number of thousands of digits.
        problem = "holds a number that is too long"
        raise ConfigError((Problem("the file", problem, "shorten it"),)) from error
    if not isinstance(value, dict):
        fix = 'write {"settings": {...}, "secrets": {...}}'
        raise ConfigError((Problem("the file", "is not a JSON object", fix),))
    return cast(Table, value)
