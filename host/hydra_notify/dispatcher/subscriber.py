"""What the dispatcher knows of one plugin: what it wants, what it is owed."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import get_args

from hydra_notify.bell import Bell
from hydra_notify.config import PluginConfig
from hydra_notify.delivery import Delivery, OpenEvent, Queue
from hydra_notify.facts import Loaded
from hydra_notify.limits import UNGREETED_EVENTS
from hydra_notify.logs import about
from hydra_notify.metrics import PluginCounts, PluginState
from hydra_notify.outcomes import Outcome, Retry
from hydra_notify_sdk.wire import (
    CHANNELS,
    EvalEventData,
    InitializeResult,
    Part,
    matches,
)

_log = logging.getLogger(__name__)


def about_delivery(plugin: str, delivery: Delivery) -> dict[str, object]:
    """What a line of the log says it is about."""
    return about(plugin, delivery.event.id, delivery.attempt, delivery.wire_id)


_PARTS: frozenset[Part] = frozenset(get_args(Part))


@dataclass(slots=True, eq=False)
class Subscriber:
    """One configured plugin.

    Attributes:
        config: Its table of the configuration.
        queue: What it is owed.
        counts: What happened to it.
        bell: Rung when there may be something to send.
        channels: What it gets: until it has said, all that the operator allows.
        whole: Channels of which it gets every event, whatever that is about.
        speak: Sends at once what there is to send, while its process runs.
    """

    config: PluginConfig
    queue: Queue
    counts: PluginCounts
    bell: Bell = field(default_factory=Bell)
    channels: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    speak: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self.channels = self._allowed()

    def wake(self) -> None:
        """There may be something to send: without a turn of the loop if it can be."""
        if self.speak is None:
            self.bell.ring()
        else:
            self.speak()

    def greet(self, manifest: InitializeResult) -> list[OpenEvent]:
        """Take what the plugin says it wants; unknown parts are a newer plugin's.

        Returns:
            Events it was owed and does not want, to be settled.
        """
        channels = frozenset(
            channel for channel in self._allowed() if matches(manifest.events, channel)
        )
        parts = _PARTS.intersection(manifest.include)
        ordered = manifest.ordering != "none"
        before = (self.channels, self.queue.parts, self.queue.ordered)
        if before == (channels, parts, ordered):
            return []
        self.channels = channels
        self.whole = channels if self.config.match.is_empty else frozenset()
        return self.queue.reconsider(
            lambda channel: channel not in channels, parts, ordered=ordered
        )

    def change(self, config: PluginConfig) -> list[OpenEvent]:
        """Take another configuration, and what it allows of what the plugin wants.

        Returns:
            Events it was owed and may no longer get, to be settled.
        """
        self.config = config
        self.queue.give_up_after = config.give_up_seconds
        self.channels = self._allowed()
        channels, parts = self.channels, self.queue.parts
        if parts is None:
            return []
        self.whole = channels if config.match.is_empty else frozenset()
        # What it wants it will say again.
        return self.queue.reconsider(
            lambda channel: channel not in channels,
            parts,
            ordered=self.queue.ordered,
        )

    def wants(self, loaded: Loaded) -> bool:
        """Whether an event is for this plugin.

        It is asked of what is not in `whole`. For an event of several builds one that
        matches is enough. A plugin that has
        never spoken counts as wanting what it may get; of events that no flag protects
        it is kept a bounded number.
        """
        channel, match = loaded.event.channel, self.config.match
        if channel not in self.channels:
            self.counts.not_interested[channel] += 1
            return False
        if (
            self.queue.parts is None
            and channel != "build_finished"
            and len(self.queue) >= UNGREETED_EVENTS
        ):
            self.counts.not_kept += 1
            return False
        if match.is_empty or self._matches(loaded):
            return True
        self.counts.not_interested[channel] += 1
        return False

    def show_block(self) -> None:
        """Let its state say that it is blocked, or no longer."""
        blocked, ready = PluginState.BLOCKED, PluginState.READY
        if self.queue.block.on and self.counts.state is ready:
            self.counts.state = blocked
        elif not self.queue.block.on and self.counts.state is blocked:
            self.counts.state = ready

    def tell_block(self, outcome: Outcome) -> None:
        """`outcome` has blocked the plugin, or has shown that it is blocked no more."""
        self.show_block()
        if isinstance(outcome, Retry):
            _log.error(
                "blocked, its credentials are refused: %s; everything for it is "
                "kept, and one delivery asks again now and then: mend the secret and "
                "restart the plugin",
                outcome.reason,
                extra=about(self.config.name),
            )
        else:
            _log.info("no longer blocked", extra=about(self.config.name))

    def _matches(self, loaded: Loaded) -> bool:
        match = self.config.match
        if isinstance(loaded.data, EvalEventData):
            return match.wants_jobset(f"{loaded.data.project}:{loaded.data.jobset}")
        return any(
            match.wants_build(build.job, build.status) for build in loaded.builds
        )

    def _allowed(self) -> frozenset[str]:
        return frozenset(c for c in CHANNELS if self.config.match.wants_event(c))
