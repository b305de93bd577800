"""One host over a world: the real dispatcher, and plugins played by the machine."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import trio
from tests.state_machine.faulty import Faulty
from tests.state_machine.loop import Loop
from tests.state_machine.world import Outcome

from hydra_notify.config import HostConfig, PluginConfig
from hydra_notify.delivery import Delivery
from hydra_notify.dispatcher import Dispatcher
from hydra_notify.errors import HydraNotifyError
from hydra_notify.events import ORDERS_CHANNEL, Notification
from hydra_notify.metrics import Counts
from hydra_notify.outcomes import DELIVERED
from hydra_notify.outcomes import Outcome as Answer
from hydra_notify_sdk.wire import BuildEventData, CloudEvent, InitializeResult

SWEEP = 30.0

MANIFEST = InitializeResult(
    protocol_version=1,
    name="played",
    version="1",
    events=["build_finished"],
    include=["dependents"],
    max_in_flight=4,
)


def plugin(name: str, *, required: bool = True, on_dead: str = "hold") -> PluginConfig:
    return msgspec.convert(
        {
            "name": name,
            "directory": Path("/"),
            "command": ("played",),
            "required": required,
            "on_dead": on_dead,
        },
        PluginConfig,
    )


@dataclass(frozen=True)
class Told:
    """What one delivery says."""

    event: str
    head: int
    outcomes: frozenset[Outcome]


@dataclass(eq=False)
class Host:
    """A running host.

    Attributes:
        dispatcher: The real one.
        held: What each plugin has been sent and has not answered.
        taken: Whether another host has become the one that writes the ledger.
    """

    loop: Loop
    store: Faulty
    configs: dict[str, PluginConfig]
    counts: Counts = field(default_factory=Counts)
    held: defaultdict[str, list[Delivery]] = field(
        default_factory=lambda: defaultdict(list)
    )
    taken: bool = False
    dispatcher: Dispatcher = field(init=False)
    _scope: trio.CancelScope = field(default_factory=trio.CancelScope)

    def start(self) -> None:
        def begin() -> None:
            self.dispatcher = Dispatcher(
                HostConfig(),
                self.store,
                self.counts,
                self._lose_ledger,
                lambda: 0.5,
                sweep_interval=SWEEP,
            )
            for config in self.configs.values():
                self.dispatcher.roster.add(config)
            self.loop.nursery.start_soon(self._run)
            self.dispatcher.connected()
            for name in self.configs:
                self.dispatcher.greet(name, MANIFEST)

        self.loop.do(begin)

    def kill(self) -> None:
        """As SIGKILL: whatever is not in the database is gone."""
        self.loop.do(self._scope.cancel)

    def drain(self) -> None:
        """As SIGTERM: plugins end, and what is known is written."""
        for name in list(self.configs):
            self.crash(name)

        async def flush() -> None:
            with trio.move_on_after(5.0), suppress(HydraNotifyError):
                await self.dispatcher.flush()

        self.loop.wait_for(flush)
        self.kill()

    def hear(self, payloads: Iterable[str]) -> None:
        """Notifications arrive."""
        arrived = [Notification("build_finished", payload) for payload in payloads]
        self.loop.do(lambda: self.dispatcher.receive(arrived))

    def hear_of_orders(self) -> None:
        arrived = [Notification(ORDERS_CHANNEL, "")]
        self.loop.do(lambda: self.dispatcher.receive(arrived))

    def take(self, name: str) -> None:
        """The plugin has room for what there is for it."""
        room = 4 - len(self.held[name])
        self.held[name] += self.loop.do(lambda: self.dispatcher.take(name, room))

    def answer(self, name: str, delivery: Delivery, answer: Answer) -> None:
        self.held[name].remove(delivery)
        if answer is DELIVERED:
            self.loop.do(lambda: self.dispatcher.delivered(name, [delivery]))
        else:
            self.loop.do(lambda: self.dispatcher.answered(name, delivery, answer))

    def crash(self, name: str) -> None:
        """The plugin ends, and comes back."""
        self.held[name].clear()
        self.loop.do(lambda: self.dispatcher.crashed(name))

    def change(self, config: PluginConfig) -> None:
        """A reload adds or changes a plugin."""
        known = config.name in self.configs
        self.configs[config.name] = config
        if known:
            self.crash(config.name)
            self.loop.do(lambda: self.dispatcher.roster.change(config))
        else:
            self.loop.do(lambda: self.dispatcher.roster.add(config))
        self.loop.do(lambda: self.dispatcher.greet(config.name, MANIFEST))

    def remove(self, name: str) -> None:
        """A reload removes a plugin."""
        del self.configs[name]
        self.crash(name)
        self.loop.do(lambda: self.dispatcher.roster.remove(name))

    async def _run(self) -> None:
        with self._scope:
            await self.dispatcher.run()

    def _lose_ledger(self) -> None:
        self.taken = True


def told(delivery: Delivery) -> Told:
    """What a plugin reads in its event."""
    event = msgspec.json.decode(delivery.payload, type=CloudEvent)
    data = msgspec.json.decode(event.data, type=BuildEventData)
    documents = [data, *(data.dependents or [])]
    outcomes = frozenset(
        Outcome(each.build, each.build_status, each.start_time, each.stop_time)
        for each in documents
        if each.build_status is not None
        and each.start_time is not None
        and each.stop_time is not None
    )
    return Told(event.id, data.build, outcomes)
