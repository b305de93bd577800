"""`hydra-notify schema`: what it prints is what is shipped."""

import json
from pathlib import Path

import pytest
from tests.command_line import Commands

from hydra_notify import schema
from hydra_notify_sdk.wire import CHANNELS


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    """Without a configuration: a schema needs none."""
    return Commands(tmp_path / "no-such.toml")


def test_without_a_name_every_schema_is_listed_with_what_it_is(
    commands: Commands,
) -> None:
    lines = commands.said("schema").splitlines()
    assert [line.split()[0] for line in lines] == schema.names()
    assert all(len(line.split()) > 2 for line in lines)
    listed = {line.split()[0] for line in lines}
    assert listed > {"openrpc", *(f"event.{channel}" for channel in CHANNELS)}


@pytest.mark.parametrize("name", schema.names())
def test_a_schema_is_printed_as_it_is_shipped(commands: Commands, name: str) -> None:
    text = commands.said("schema", name)
    assert text == schema.text_of(name)
    assert json.loads(text)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("event.build_finish", "event.build_finished"),
        ("initialise.params", "initialize.params"),
        ("open-rpc", "openrpc"),
        ("../v1/openrpc", "openrpc"),
        ("frame.guest", "frame.host"),
    ],
)
def test_a_name_that_does_not_exist_is_answered_with_those_like_it(
    commands: Commands, name: str, near: str
) -> None:
    hint, names = commands.said("schema", name, status=2).splitlines()
    assert f"there is no schema '{name}'; did you mean " in hint
    assert near in hint
    assert all(each in names for each in schema.names())


def test_a_name_unlike_any_is_answered_with_the_list(commands: Commands) -> None:
    hint, names = commands.said("schema", "☃", status=2).splitlines()
    assert hint == "hydra-notify: there is no schema '☃'"
    assert names.startswith("The schemas are: cancel.params, ")
