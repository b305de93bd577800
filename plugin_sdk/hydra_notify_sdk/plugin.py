"""A plugin as its author writes it: a name, handlers, and `run`."""

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, cast, overload

from hydra_notify_sdk.events import AnyData, ConfigT, Context, Event
from hydra_notify_sdk.failures import Skipped, UnknownEvent
from hydra_notify_sdk.logs import set_level, start_logging
from hydra_notify_sdk.machine import Report
from hydra_notify_sdk.mistakes import check_kind, check_options, refuse_unawaited
from hydra_notify_sdk.routes import (
    AnyName,
    BuildName,
    EvalName,
    Register,
    Routes,
)
from hydra_notify_sdk.serve import serve
from hydra_notify_sdk.settings import decode_settings
from hydra_notify_sdk.wire import (
    PROTOCOL_VERSION,
    BuildEventData,
    EvalEventData,
    InitializeParams,
    InitializeResult,
    Ordering,
    Part,
)
from hydra_notify_sdk.wire.limits import DEFAULT_IN_FLIGHT

Hook = Callable[[Context[ConfigT]], None]


class Plugin(Generic[ConfigT]):
    """A program that the host starts, and its handlers.

    Args:
        name: Of the program, for logs.
        version: Of the program.
        config: The type of the settings: a dataclass or a msgspec struct. Without one
            `context.config` is a dict of whatever the operator wrote.
        include: Heavy parts of the data that the handlers need.
        max_in_flight: Events that may be in work at a time, 1 to 64. With 1, handlers
            run in the main thread; with more, in up to that many threads.
        ordering: "subject": one event of a build at a time, oldest first; "none": all
            at once.
        timeout: Seconds an event may take, 1 to 900; None is the host's default, 30.
    """

    @overload
    def __init__(
        self: "Plugin[dict[str, object]]",
        name: str,
        version: str,
        *,
        include: Sequence[Part] = (),
        max_in_flight: int = DEFAULT_IN_FLIGHT,
        ordering: Ordering = "subject",
        timeout: float | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        name: str,
        version: str,
        *,
        config: type[ConfigT],
        include: Sequence[Part] = (),
        max_in_flight: int = DEFAULT_IN_FLIGHT,
        ordering: Ordering = "subject",
        timeout: float | None = None,
    ) -> None: ...
    def __init__(
        self,
        name: str,
        version: str,
        *,
        config: type[ConfigT] | None = None,
        include: Sequence[Part] = (),
        max_in_flight: int = DEFAULT_IN_FLIGHT,
        ordering: Ordering = "subject",
        timeout: float | None = None,
    ) -> None:
        check_options(name, version, max_in_flight, timeout, include)
        if config is not None:
            check_kind(config)
        self.name = name
        self.version = version
        self._config = config
        self._include: list[str] = list(include)
        self._max_in_flight = max_in_flight
        self._most_in_flight = max_in_flight
        self._ordering = ordering
        self._timeout = timeout
        self._routes: Routes[ConfigT] = Routes()
        self._hook: Hook[ConfigT] | None = None
        self._context: Callable[[Report], Context[ConfigT]] | None = None

    @overload
    def on(self, *names: BuildName) -> Register[BuildEventData, ConfigT]: ...
    @overload
    def on(self, *names: EvalName) -> Register[EvalEventData, ConfigT]: ...
    @overload
    def on(self, *names: AnyName) -> Register[AnyData, ConfigT]: ...
    def on(self, *names: str) -> Register[Any, ConfigT]:
        """Makes the decorated function the handler of these events.

        It is called with the event, and with the context if it takes two parameters.
        When it returns, the event is delivered; see `failures` for everything else.

        Args:
            names: Events, or patterns of them: `build_*`, `*`.

        Raises:
            ValueError: No name is given, or one that does not exist or has a handler.
            TypeError: What is decorated cannot handle events.
        """
        if not names:
            raise ValueError('name an event: @plugin.on("build_finished")')
        for name in names:
            if not isinstance(name, str):
                raise TypeError(
                    f'name an event: @plugin.on("build_finished"), not {name!r}'
                )

        def register(handler: Callable[..., Any]) -> Callable[..., Any]:
            for name in names:
                self._routes.add(name, handler)
            return handler

        return register

    def on_start(self, hook: Hook[ConfigT]) -> Hook[ConfigT]:
        """Calls the decorated function once, before the first event.

        For what can go wrong only once the configuration is known: it may raise
        `ConfigProblem`, and then the plugin is not started until that is mended, or
        `Retry`, and then it is started again later.
        """
        refuse_unawaited(hook)
        if self._hook is not None:
            raise ValueError("there is a start hook already; make one function of both")
        self._hook = hook
        return hook

    def limit_in_flight(self, most: int) -> None:
        """In the start hook: fewer events at a time, because a setting says so.

        Args:
            most: Events; what `max_in_flight` says is not exceeded.
        """
        self._most_in_flight = max(1, min(most, self._max_in_flight))

    def run(self) -> None:
        """Works for the host until it hangs up; shows a text to people at a terminal.

        The program's last statement. Its standard output is the wire: from here on what
        is printed goes to the host's log instead.

        Raises:
            ValueError: It has no handlers.
        """
        self.check_handlers()
        if "HYDRA_NOTIFY_PLUGIN" not in os.environ:
            # Only here: what the host starts should start quickly.
            from hydra_notify_sdk.usage import explain, is_by_hand

            if is_by_hand():
                explain(self.name, self.version, self._routes.patterns)
        start_logging(self.name)

        def start(params: InitializeParams, report: Report) -> InitializeResult:
            set_level(params.log_level)
            return self.start(params, report)

        serve(start, self.handle, self._max_in_flight)

    def check_handlers(self) -> None:
        """Sees to it that there is something to do.

        Raises:
            ValueError: The plugin has no handlers.
        """
        if not self._routes.patterns:
            raise ValueError(
                f"the plugin {self.name!r} has no handlers, and would never be sent "
                'anything: decorate a function with @plugin.on("build_finished") '
                "before it runs"
            )

    def start(self, params: InitializeParams, report: Report) -> InitializeResult:
        """Takes the configuration; the manifest is the answer to the host.

        Raises:
            ConfigProblem: The settings are not what the plugin needs.
        """
        if self._config is None:
            # By the first overload of __init__.
            config = cast("ConfigT", params.config)
        else:
            config = decode_settings(params.config, self._config, params.instance)
        log = logging.getLogger(self.name)

        def context(report: Report) -> Context[ConfigT]:
            return Context(
                config=config,
                secrets=params.secrets,
                state_dir=Path(params.state_dir or ".").absolute(),
                instance=params.instance,
                base_url=params.host.base_url,
                hydra_data=params.host.hydra_data,
                log=log,
                report=report,
            )

        if self._hook is not None:
            self._hook(context(report))
        self._context = context
        return InitializeResult(
            protocol_version=PROTOCOL_VERSION,
            name=self.name,
            version=self.version,
            events=self._routes.patterns,
            include=self._include,
            max_in_flight=min(self._most_in_flight, params.limits.max_in_flight),
            ordering=self._ordering,
            timeout_ms=None if self._timeout is None else round(self._timeout * 1000),
        )

    def handle(self, event: Event[AnyData], report: Report) -> Skipped | None:
        """Gives one event to its handler."""
        assert self._context is not None, "the machine starts before it handles"
        handler = self._routes.find(event.name)
        if handler is None:
            return Skipped(f"no handler for {event.name}")
        try:
            answer = handler(event, self._context(report))
        except UnknownEvent as unknown:
            # `*` takes the events of newer hosts, too: the handler is not at fault.
            return Skipped(str(unknown))
        if answer is not None and not isinstance(answer, Skipped):
            raise TypeError(f"the handler returned {answer!r}, not None or Skipped")
        return answer
