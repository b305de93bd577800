"""A host in memory, for one plugin."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, overload

import msgspec

from hydra_notify_sdk.events import AnyData
from hydra_notify_sdk.plugin import Plugin
from hydra_notify_sdk.testing.exchange import Exchange
from hydra_notify_sdk.testing.outcome import Outcome, Sending, outcome_of
from hydra_notify_sdk.testing.sample import Sample, sample_event
from hydra_notify_sdk.wire import (
    PROTOCOL_VERSION,
    Channel,
    ErrorData,
    HostInfo,
    InitializeParams,
    InitializeResult,
    RpcError,
    matches,
)
from hydra_notify_sdk.wire.samples import BASE_URL, BUILD

NO_STATE_DIR: Final = Path("/dev/null/pass state_dir to drive()")
"""Below what is no directory: whoever writes there is told why that fails."""


class StartFailed(Exception):
    """The plugin did not start.

    Attributes:
        code: Such as 422, for a configuration that is wrong.
        message: What is wrong.
        fix: What the operator can do about it.
    """

    def __init__(self, error: RpcError) -> None:
        self.code = error.code
        self.message = error.message
        data = error.data
        help_ = msgspec.json.decode(data, type=ErrorData).help if data else ""
        self.fix = help_ or ""
        fix = f" ({self.fix})" if self.fix else ""
        super().__init__(f"{self.code} {self.message}{fix}")


def drive(
    plugin: Plugin[Any],
    *,
    config: Mapping[str, object] | None = None,
    secrets: Mapping[str, str] | None = None,
    state_dir: Path | str = NO_STATE_DIR,
    base_url: str = BASE_URL,
    hydra_data: str = "",
    instance: str = "test",
) -> "Host":
    """Starts a plugin as a host does; `plugin.run()` must not have been called.

    The plugin works in this process, so what its handlers use can be replaced by the
    means of your test framework. The working directory is not changed.

    Args:
        plugin: What you call `run` of in your program.
        config: Its `[plugins.NAME.settings]`, as TOML has them.
        secrets: Its secrets by name.
        state_dir: Where it keeps what lives on; a directory of the test's own.
        base_url: Of the pretended Hydra's web interface.
        hydra_data: The pretended Hydra's data directory.
        instance: The plugin's name in the pretended host's configuration.

    Raises:
        StartFailed: It refuses the configuration, or its start hook failed; with the
            words an operator would read.
        ValueError: It has no handlers.
    """
    plugin.check_handlers()
    params = InitializeParams(
        protocol_versions=[PROTOCOL_VERSION],
        host=HostInfo(
            name="hydra_notify_sdk.testing",
            version="1",
            base_url=base_url,
            hydra_data=hydra_data,
        ),
        instance=instance,
        config=dict(config or {}),
        secrets=dict(secrets or {}),
        state_dir=str(state_dir),
    )
    exchange = Exchange(plugin)
    reply = exchange.initialize(params)
    if reply.error is not None:
        raise StartFailed(reply.error) from exchange.not_started
    return Host(exchange)


class Host:
    """Sends events to one plugin; made by `drive`.

    With `max_in_flight` 1 handlers run in the thread that sends, otherwise in threads
    of their own, as they do for a real host.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @property
    def manifest(self) -> InitializeResult:
        """What the plugin says it wants."""
        return self._exchange.manifest

    @overload
    def send(
        self,
        event: Channel,
        *,
        build: int = ...,
        status: int = ...,
        attempt: int = ...,
        redelivered: bool = ...,
        cancel_after: int | None = ...,
    ) -> Outcome: ...
    @overload
    def send(
        self,
        event: Sample[AnyData],
        *,
        attempt: int = ...,
        redelivered: bool = ...,
        cancel_after: int | None = ...,
    ) -> Outcome: ...
    def send(
        self,
        event: Channel | Sample[AnyData],
        *,
        build: int = BUILD,
        status: int = 1,
        attempt: int = 1,
        redelivered: bool = False,
        cancel_after: int | None = None,
    ) -> Outcome:
        """Has the plugin handle one event.

        Args:
            event: A sample, or the name of one.
            build: See `sample_event`.
            status: See `sample_event`.
            attempt: Which sending of the event to this plugin it is.
            redelivered: Whether the effect of an earlier one is unknown.
            cancel_after: The host stops waiting when the handler has reported progress
                so many times; with 0 it has stopped before the handler begins.

        Raises:
            LookupError: The plugin has no handler for it: no host would send it.
            TimeoutError: Its handler, in a thread, does not come to an end.
            SystemExit: Its handler ends the plugin.
        """
        if isinstance(event, str):
            event = sample_event(event, build=build, status=status)
        sending = Sending(event, attempt, redelivered, cancel_after)
        (outcome,) = self._deliver([sending])
        return outcome

    def send_all(self, events: Iterable[Channel | Sample[AnyData]]) -> list[Outcome]:
        """Has the plugin handle many events, as many at a time as it can.

        Those of one subject come one after the other unless its `ordering` is "none".

        Returns:
            What came of each, in the order of `events`.

        Raises:
            LookupError, TimeoutError, SystemExit: As for `send`.
        """
        return self._deliver(
            [
                Sending(sample_event(event) if isinstance(event, str) else event)
                for event in events
            ]
        )

    def send_twice(self, event: Channel | Sample[AnyData]) -> tuple[Outcome, Outcome]:
        """Sends an event again as after a crash, when nobody knows whether it was done.

        A plugin that looks before it repeats has one effect after this, not two.

        Raises:
            LookupError, TimeoutError, SystemExit: As for `send`.
        """
        if isinstance(event, str):
            event = sample_event(event)
        return (
            self.send(event),
            self.send(event, attempt=2, redelivered=True),
        )

    def _deliver(self, sendings: Sequence[Sending]) -> list[Outcome]:
        for sending in sendings:
            name = sending.event.name
            if not matches(self.manifest.events, name):
                wanted = ", ".join(self.manifest.events) or "nothing"
                raise LookupError(
                    f"no host would send {name}: the plugin has handlers for {wanted}"
                )
        self._exchange.deliver(sendings)
        return [outcome_of(sending) for sending in sendings]
