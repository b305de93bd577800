"""The operator's settings as the author's type, with errors an operator can use."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from hydra_notify_sdk.failures import ConfigProblem

ConfigT = TypeVar("ConfigT")


def decode_settings(
    settings: Mapping[str, object], kind: type[ConfigT], instance: str
) -> ConfigT:
    """The settings as `kind`, a dataclass or a msgspec struct.

    Nothing is converted from another type, and a setting `kind` does not have is
    refused: it is a misspelt one. (In tables within the settings that is up to the
    author: `forbid_unknown_fields=True`.)

    Args:
        settings: As they came.
        kind: What the author wants.
        instance: The plugin's name in the host's configuration.

    Raises:
        ConfigProblem: The first setting that is missing, unknown or of a wrong type.
    """
    known = _names(kind)
    if known is not None:
        for name in settings:
            if name not in known:
                raise ConfigProblem(
                    f"settings.{name}",
                    "there is no such setting",
                    fix=f"the settings are: {', '.join(known) or 'none'}",
                )
    try:
        return msgspec.convert(settings, kind)
    except msgspec.ValidationError as error:
        key, problem = explain(str(error))
        fix = f"correct it in [plugins.{instance}.settings]"
        raise ConfigProblem(key, problem, fix=fix) from error


def explain(text: str) -> tuple[str, str]:
    """The setting that a validation error is about, and what is wrong with it.

    Args:
        text: Such as "Expected `int`, got `str` - at `$.port`".
    """
    problem, _, path = text.partition(" - at `$")
    key = "settings" + path.rstrip("`")
    match problem.split("`"):
        case ["Object missing required field ", name, _]:
            return f"{key}.{name}", "is required"
        case ["Object contains unknown field ", name, _]:
            return f"{key}.{name}", "there is no such setting"
        case _:
            return key, problem[:1].lower() + problem[1:]


def _names(kind: type[object]) -> tuple[str, ...] | None:
    """The settings `kind` has; None where it does not say (a plain dict)."""
    plain: Any = getattr(kind, "__origin__", kind)
    if issubclass(plain, msgspec.Struct):
        names: tuple[str, ...] = plain.__struct_encode_fields__
        return names
    if hasattr(plain, "__dataclass_fields__"):
        # Only here: who has a dataclass has paid for the import.
        from dataclasses import fields

        return tuple(field.name for field in fields(plain))
    return None
