"""What an author gets wrong is refused where it stands: with what to write instead."""

import functools
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict

import msgspec
import pytest

from hydra_notify_sdk import AnyEvent, BuildEvent, Context, Plugin
from hydra_notify_sdk.testing import drive


async def async_handler(_event: AnyEvent) -> None: ...


async def async_generator(_event: AnyEvent) -> AsyncIterator[None]:
    yield


def generator(_event: AnyEvent) -> Iterator[None]:
    yield


class AsyncObject:
    async def __call__(self, _event: AnyEvent) -> None: ...

    async def method(self, _event: AnyEvent) -> None: ...


@pytest.mark.parametrize(
    "handler",
    [
        async_handler,
        async_generator,
        functools.partial(async_handler),
        AsyncObject(),
        AsyncObject().method,
    ],
    ids=["function", "generator", "partial", "object", "method"],
)
def test_an_async_handler_is_refused_and_told_what_to_be(
    handler: Callable[..., Any],
) -> None:
    words = "is async, and nothing here would await it: write a plain `def`, which may"
    plugin = Plugin("x", "1")
    with pytest.raises(TypeError, match=words):
        plugin.on("build_finished")(handler)
    with pytest.raises(TypeError, match=words):
        plugin.on_start(handler)


def test_a_handler_with_a_yield_is_refused() -> None:
    with pytest.raises(TypeError, match="generator has a `yield`"):
        Plugin("x", "1").on("*")(generator)  # type: ignore[type-var]


def test_a_method_or_an_object_may_handle_events() -> None:
    class Room:
        def __init__(self) -> None:
            self.told: list[str] = []

        def tell(self, event: AnyEvent) -> None:
            self.told.append(event.name)

        def __call__(self, event: BuildEvent, context: Context[Any]) -> None:
            self.told.append(f"{event.name} {context.instance}")

    room = Room()
    plugin = Plugin("x", "1")
    plugin.on("eval_*")(room.tell)
    plugin.on("build_*")(room)
    for outcome in drive(plugin).send_all(["eval_added", "build_queued"]):
        outcome.raise_for_failure()
    assert room.told == ["eval_added", "build_queued test"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("build_finish", "build_finished"),
        ("buildFinished", "build_finished"),
        ("cached_build_finish", "cached_build_finished"),
        ("evaluation_added", "eval_added"),
    ],
)
def test_a_misspelt_event_is_refused_with_the_one_that_is_meant(
    name: str, meant: str
) -> None:
    words = f"there is no event '{name}', did you mean '{meant}'? (the events are: "
    with pytest.raises(ValueError, match=re.escape(words)):
        Plugin("x", "1").on(name)(lambda _event: None)  # type: ignore[call-overload]


def test_an_event_like_no_other_is_refused_with_those_there_are() -> None:
    words = "there is no event 'xyz'; the events are: build_queued, build_started, "
    with pytest.raises(ValueError, match=words):
        Plugin("x", "1").on("xyz")(lambda _event: None)  # type: ignore[call-overload]


def test_a_decorator_without_a_name_is_refused() -> None:
    words = r'name an event: @plugin.on\("build_finished"\)'
    plugin = Plugin("x", "1")
    with pytest.raises(ValueError, match=words):
        plugin.on()
    with pytest.raises(TypeError, match=words):
        plugin.on(lambda _event: None)  # type: ignore[call-overload]


def test_a_second_start_hook_is_refused() -> None:
    plugin = Plugin("x", "1")
    plugin.on_start(lambda _context: None)
    with pytest.raises(ValueError, match="there is a start hook already"):
        plugin.on_start(lambda _context: None)


@pytest.mark.parametrize(("name", "version"), [("", "1"), ("x", ""), (" ", "1")])
def test_a_plugin_without_name_or_version_is_refused(name: str, version: str) -> None:
    with pytest.raises(ValueError, match="leaves one empty"):
        Plugin(name, version)


@pytest.mark.parametrize("timeout", [0, 0.5, 901, float("nan")])
def test_a_timeout_that_no_host_grants_is_refused(timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout is 1 to 900 seconds"):
        Plugin("x", "1", timeout=timeout)


def test_a_misspelt_part_is_refused() -> None:
    with pytest.raises(ValueError, match="no part 'eval', did you mean 'evals'"):
        Plugin("x", "1", include=["eval"])  # type: ignore[list-item]


@dataclass
class Settings:
    """A good one."""

    room: str = "x"


class Coordinates(NamedTuple):
    """Positions, and a table of TOML has none."""

    x: int


class Typed(TypedDict):
    """A table as it is."""

    room: str


class Struct(msgspec.Struct):
    """A good one, too."""

    room: str = "x"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (int, "not <class 'int'>"),
        (Coordinates, "not <class '.*Coordinates'>"),
        (Settings(), r"not a value, Settings\(room='x'\)"),
        ("Settings", "not a value, 'Settings'"),
    ],
    ids=["scalar", "tuple", "instance", "name"],
)
def test_a_config_that_is_no_class_of_settings_is_refused(
    kind: Any, words: str
) -> None:
    with pytest.raises(
        TypeError, match=f"config is the class of the settings.*{words}"
    ):
        Plugin("x", "1", config=kind)


@pytest.mark.parametrize(
    "kind", [Settings, Struct, Typed, dict, dict[str, str]], ids=str
)
def test_a_config_may_be_anything_with_names(kind: Any) -> None:
    seen: list[object] = []
    plugin = Plugin("x", "1", config=kind)

    @plugin.on("*")
    def handle(_event: AnyEvent, context: Context[Any]) -> None:
        seen.append(context.config)

    drive(plugin, config={"room": "y"}).send("build_queued").raise_for_failure()
    assert seen in ([{"room": "y"}], [Settings("y")], [Struct("y")])


def test_a_plugin_that_would_never_be_sent_anything_does_not_run() -> None:
    words = "the plugin 'idle' has no handlers.* decorate a function"
    before = list(logging.getLogger().handlers)
    with pytest.raises(ValueError, match=words):
        Plugin("idle", "1").run()
    with pytest.raises(ValueError, match=words):
        drive(Plugin("idle", "1"))
    assert logging.getLogger().handlers == before
