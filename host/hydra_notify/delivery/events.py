"""Events that are not done with: who still owes an answer, and which flags wait for it.

An event is open from its fan-out until every plugin has settled it and its flags are
cleared. Its flags may be cleared as soon as no required plugin holds them; a delivery
that is given up goes on holding (the flag stays, and with it the memory of the failure
across a restart).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from hydra_notify.events import Event
from hydra_notify.facts import Loaded, PendingFlag
from hydra_notify_sdk.wire import Part


@dataclass(slots=True, eq=False)
class OpenEvent:
    """An event under way. Kept small: a backlog is made of these, not of payloads.

    Attributes:
        event: What was announced; enough to read everything else again.
        id: The idempotency key.
        subject: What it is about; one delivery of a subject at a time and plugin.
        flags: Pending flags to clear when nobody holds them any more.
        redelivered: Whether an earlier host may have delivered it.
        owed: Plugins that have not settled it.
        holding: Required plugins that have not settled it, or gave it up.
        dead: Plugins that gave it up.
        payloads: The encoded event for each set of parts that a plugin asked for;
            empty while nobody is about to send it.
        pins: Deliveries that are about to send it.
    """

    event: Event
    id: str
    subject: str
    flags: tuple[PendingFlag, ...]
    redelivered: bool = False
    owed: int = 0
    holding: int = 0
    dead: tuple[str, ...] = ()
    payloads: dict[frozenset[Part], bytes] | None = None
    pins: int = 0

    def unpin(self) -> None:
        """One delivery less is about to send it."""
        self.pins -= 1
        self.forget_unpinned()

    def forget_unpinned(self) -> None:
        """Drop the payloads if no delivery is about to send them."""
        if not self.pins:
            self.payloads = None

    def owe(self) -> "Delivery":
        """A delivery of it that has not been sent yet."""
        return Delivery(self, redelivered=self.redelivered)

    def payload(self, parts: frozenset[Part] | None) -> bytes | None:
        """The encoded event with `parts`, if it is at hand."""
        if self.payloads is None or parts is None:
            return None
        return self.payloads.get(parts)


@dataclass(slots=True, eq=False)
class Delivery:
    """An event owed to one plugin.

    Attributes:
        attempt: How often it has been sent.
        redelivered: Whether an earlier sending ended without an answer.
        crashes: Crashes of the plugin while this was in flight.
        payload: What to send; set while the delivery is ready or in flight.
    """

    event: OpenEvent
    attempt: int = 0
    redelivered: bool = False
    crashes: int = 0
    payload: bytes = b""

    @property
    def channel(self) -> str:
        """The name of its event."""
        return self.event.event.channel


@dataclass(slots=True)
class OpenEvents:
    """All events that are not done with.

    Attributes:
        by_id: Each of them.
    """

    by_id: dict[str, OpenEvent] = field(default_factory=dict)
    _covered: Counter[PendingFlag] = field(default_factory=Counter)

    def open(self, loaded: Loaded, *, redelivered: bool) -> OpenEvent:
        """Start an event; it is owed to nobody yet."""
        event = OpenEvent(
            loaded.event, loaded.id, loaded.subject, loaded.flags, redelivered
        )
        self.by_id[event.id] = event
        self._covered.update(event.flags)
        return event

    def covers(self, flag: PendingFlag) -> bool:
        """Whether `flag` is the business of an open event.

        The flag of an older outcome is not: that event may be given up and stay open,
        and what the build has come to since is still owed.
        """
        return flag in self._covered

    def settle(self, event: OpenEvent, *, required: bool) -> bool:
        """One plugin is done with `event`; whether its flags may now be cleared."""
        event.owed -= 1
        if required:
            event.holding -= 1
        return self.settled(event)

    def give_up(self, event: OpenEvent, plugin: str, *, required: bool) -> bool:
        """One plugin will never be done with `event`; a required one holds the flags.

        Without flags there is nothing to hold.
        """
        if event.flags:
            event.dead = (*event.dead, plugin)
            required = False
        return self.settle(event, required=required)

    def revive(self, event: OpenEvent, *, required: int) -> tuple[str, ...]:
        """Take back what was given up, `required` of it by required plugins.

        Returns:
            The plugins that it has to be owed to again.
        """
        plugins, event.dead = event.dead, ()
        event.holding -= required
        return plugins

    def settled(self, event: OpenEvent) -> bool:
        """Whether the flags of `event` may be cleared.

        Without flags it is closed here as soon as nobody is owed it.
        """
        if event.holding == 0 and event.flags:
            return True
        self._close_if_done(event)
        return False

    def cleared(self, event: OpenEvent, builds: Iterable[int]) -> None:
        """The flags of `builds` are cleared, or no longer ours."""
        gone = set(builds)
        for flag in event.flags:
            if flag.build in gone:
                self._uncover(flag)
        event.flags = tuple(flag for flag in event.flags if flag.build not in gone)
        self._close_if_done(event)

    def forget_flags(self, event: OpenEvent) -> None:
        """Leave the flags of `event` to a later event of their builds."""
        self.cleared(event, [flag.build for flag in event.flags])

    def _close_if_done(self, event: OpenEvent) -> None:
        if event.owed == 0 and not event.flags:
            self.by_id.pop(event.id, None)

    def _uncover(self, flag: PendingFlag) -> None:
        self._covered[flag] -= 1
        if self._covered[flag] <= 0:
            del self._covered[flag]
