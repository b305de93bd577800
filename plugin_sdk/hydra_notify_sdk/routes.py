"""Which handler gets which event, and the types by which a checker knows its data."""

import inspect
from collections.abc import Callable
from typing import Any, Generic, Literal, Protocol, TypeVar, cast

from hydra_notify_sdk.events import AnyData, ConfigT, Context, DataT_co, Event
from hydra_notify_sdk.failures import Skipped
from hydra_notify_sdk.mistakes import refuse_unawaited, unknown
from hydra_notify_sdk.wire import (
    CHANNELS,
    BuildEventData,
    EvalEventData,
    matches,
    names_event,
)

BuildName = Literal[
    "build_*",
    "build_finished",
    "build_queued",
    "build_started",
    "cached_*",
    "cached_build_*",
    "cached_build_finished",
    "cached_build_queued",
    "step_*",
    "step_finished",
]
EvalName = Literal["eval_*", "eval_added", "eval_cached", "eval_failed", "eval_started"]
AnyName = Literal[BuildName, EvalName, "*"]

BuildEvent = Event[BuildEventData]
EvalEvent = Event[EvalEventData]
AnyEvent = Event[AnyData]

DataT = TypeVar("DataT", bound=AnyData)
AnswerT = TypeVar("AnswerT", bound=Skipped | None)
Handler = Callable[[Event[DataT], Context[ConfigT]], Skipped | None]


class Register(Protocol[DataT_co, ConfigT]):
    """A decorator for a handler of one parameter (the event) or two (the context)."""

    def __call__(
        self,
        handler: Callable[[Event[DataT_co]], AnswerT]
        | Callable[[Event[DataT_co], Context[ConfigT]], AnswerT],
        /,
    ) -> Callable[..., AnswerT]: ...


class Routes(Generic[ConfigT]):
    """Handlers by event name or pattern.

    Each event goes to one handler: that of its exact name, else that of the pattern
    registered first.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, Handler[Any, ConfigT]] = {}

    @property
    def patterns(self) -> list[str]:
        """Every name and pattern that has a handler."""
        return list(self._handlers)

    def add(self, pattern: str, handler: Callable[..., Skipped | None]) -> None:
        """Sends events named `pattern` to `handler`.

        Raises:
            ValueError: The name does not exist or has a handler.
            TypeError: The handler is async or a generator, or has no parameter or
                more than two.
        """
        if pattern in self._handlers:
            raise ValueError(f"{pattern!r} has a handler already")
        if not names_event(pattern):
            raise ValueError(unknown("event", pattern, CHANNELS))
        self._handlers[pattern] = _with_context(handler)

    def find(self, name: str) -> Handler[Any, ConfigT] | None:
        """The handler of events called `name`."""
        exact = self._handlers.get(name)
        if exact is not None:
            return exact
        for pattern, handler in self._handlers.items():
            if matches([pattern], name):
                return handler
        return None


def _with_context(handler: Callable[..., Skipped | None]) -> Handler[Any, ConfigT]:
    refuse_unawaited(handler)
    count = len(inspect.signature(handler).parameters)
    match count:
        case 1:
            return lambda event, _context: handler(event)
        case 2:
            return cast("Handler[Any, ConfigT]", handler)
        case _:
            raise TypeError(
                f"a handler takes the event, or the event and the context, not {count} "
                "parameters"
            )
