"""Settings become the author's type, or an error that names the setting."""

from dataclasses import dataclass, field

import msgspec
import pytest

from hydra_notify_sdk import (
    ConfigProblem,
)
from hydra_notify_sdk.settings import decode_settings


@dataclass
class Target:
    """A setting within a setting."""

    url: str


@dataclass
class AsDataclass:
    """Settings as a dataclass."""

    url: str
    port: int = 80
    targets: list[Target] = field(default_factory=list)


class AsStruct(msgspec.Struct):
    """The same as a struct."""

    url: str
    port: int = 80
    targets: list[Target] = []


@pytest.mark.parametrize("kind", [AsDataclass, AsStruct])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "settings.url: is required"),
        ({"url": "x", "port": "80"}, "settings.port: expected `int`, got `str`"),
        ({"url": "x", "porf": 80}, "settings.porf: there is no such setting"),
        ({"url": "x", "targets": [{}]}, "settings.targets[0].url: is required"),
    ],
)
def test_wrong_settings_are_named(
    kind: type[object], settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigProblem) as caught:
        decode_settings(settings, kind, "chat")
    assert caught.value.message == message
    assert caught.value.fix in (
        "correct it in [plugins.chat.settings]",
        "the settings are: url, port, targets",
    )


def test_a_rule_of_the_authors_own_is_explained_like_the_others() -> None:
    class Even(msgspec.Struct):
        number: int

        def __post_init__(self) -> None:
            if self.number % 2:
                raise ValueError("number has to be even")

    with pytest.raises(ConfigProblem, match="settings: number has to be even"):
        decode_settings({"number": 3}, Even, "chat")


def test_an_unknown_member_of_an_inner_table_is_explained() -> None:
    class Inner(msgspec.Struct, forbid_unknown_fields=True):
        a: int = 0

    class Outer(msgspec.Struct):
        inner: Inner

    with pytest.raises(ConfigProblem, match=r"settings\.inner\.b: there is no such"):
        decode_settings({"inner": {"b": 1}}, Outer, "chat")


def test_good_settings_are_of_the_authors_type() -> None:
    settings = {"url": "x", "targets": [{"url": "y"}]}
    assert decode_settings(settings, AsDataclass, "chat") == AsDataclass(
        "x", 80, [Target("y")]
    )
