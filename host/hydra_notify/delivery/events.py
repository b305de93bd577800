"""Events that are not done with: who still owes an answer, and which flags wait for it.

An event is open from its fan-out until every plugin has settled it and its flags are
cleared. Its flags may be cleared as soon as nobody holds them:

* a required plugin holds them until it has settled its delivery;
* one that gave its delivery up goes on holding them if its operator wants that;
* and what the flag will no longer remember has to be in the ledger first, if there is
  one: deliveries that nobody waits for, dead letters, orphans.

An event of which nothing but its turn with some plugins is left to wait for is parked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hydra_notify.delivery.open_event import Delivery, OpenEvent
from hydra_notify.delivery.parked import Parked
from hydra_notify.delivery.unwritten import Unwritten
from hydra_notify.facts import Loaded, PendingFlag


@dataclass(slots=True)
class OpenEvents:
    """All events that are not done with.

    Attributes:
        by_id: Each of them, but for those that are parked.
        parked: What queues know by number, and what is packed of it.
        required: Plugins that hold flags until they have settled.
        holding: Plugins that go on holding flags when they have given up.
        unwritten: What the ledger does not know yet of all this.
    """

    by_id: dict[str, OpenEvent] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    holding: set[str] = field(default_factory=set)
    unwritten: Unwritten[OpenEvent] = field(default_factory=Unwritten)
    parked: Parked = field(init=False)
    # How many events each is the business of.
    _covered: dict[PendingFlag, int] = field(default_factory=dict)
    # A backlog has few different sets of plugins: each is kept once.
    _sets: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    # And what is left of them when one has settled.
    _rests: dict[tuple[tuple[str, ...], str], tuple[str, ...]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        self.parked = Parked(self._take_back)

    def open(
        self, loaded: Loaded, *, redelivered: bool, arrived: float = 0.0
    ) -> OpenEvent:
        """Start an event; it is owed to nobody yet.

        Args:
            loaded: What is known of it.
            redelivered: Whether an earlier host may have delivered it.
            arrived: When it was announced (monotonic seconds), if it was.
        """
        event = OpenEvent(
            loaded.event, loaded.id, loaded.subject, loaded.flags, redelivered, arrived
        )
        self.add(event)
        if not event.flags:
            # No flag will remember it.
            self.unwritten.note(event)
        return event

    def add(self, event: OpenEvent) -> None:
        """Take up an event that was made elsewhere."""
        event.recorded = event.recorded or event.id in self.unwritten.kept
        self.by_id[event.id] = event
        self._cover(event.flags)

    def covers(self, flag: PendingFlag) -> bool:
        """Whether `flag` is the business of an open event.

        The flag of an older outcome is not: that event may be given up and stay open,
        and what the build has come to since is still owed.
        """
        return flag in self._covered or self.parked.covers(flag)

    def find(self, id_: str) -> OpenEvent | None:
        """The open event of that id, for whoever has to do with it."""
        return self.by_id.get(id_) or self.parked.wake_by_id(id_)

    def park(self, event: OpenEvent) -> None:
        """Keep `event` small if nothing but its turn with plugins is to come.

        Whatever changes it finds it again: queues by its number, others by `find`. What
        may be cleared, or waits for the ledger, is not parked.
        """
        if not event.number or event.pins or event.tried or event.left_over:
            return
        if not event.owing or self.by_id.get(event.id) is not event:
            return
        if event.flags and not self._held_by(event.owing):
            return
        flags, unwritten = event.flags, self.unwritten
        if not unwritten.at_rest(event):
            return
        if self.parked.pack(event, unwritten=unwritten.has_due(event)):
            unwritten.leave(event)
            del self.by_id[event.id]
            for flag in flags:
                self._uncover(flag)

    def parked_one(self, number: int) -> OpenEvent | None:
        """The event of that number, for whoever has to do with it, if it is open."""
        return self.parked.wake(number) if self.parked.has(number) else None

    def unheld(self) -> list[int]:
        """Numbers of what is parked, and has a flag that no plugin holds any more."""
        return self.parked.flagged(lambda owing: not self._held_by(owing))

    def owe(self, event: OpenEvent, plugins: tuple[str, ...]) -> None:
        """Owe `event` to more plugins."""
        event.owing = self._one(event.owing + plugins)
        if self.required.isdisjoint(plugins):
            # Its flags will be cleared before they have settled it.
            self.unwritten.note(event)

    def settle(self, event: OpenEvent, plugin: str) -> bool:
        """One plugin is done with `event`; whether its flags may now be cleared."""
        return bool(self.settle_all([event], plugin))

    def settle_all(self, events: Sequence[OpenEvent], plugin: str) -> list[OpenEvent]:
        """As `settle`, for many at a time.

        Returns:
            Those whose flags may now be cleared.
        """
        self.unwritten.note_all(events)
        clearable: list[OpenEvent] = []
        before: tuple[str, ...] | None = None
        rest: tuple[str, ...] = ()
        held = False
        for event in events:
            if event.tried is not None:
                event.tried.pop(plugin, None)
            # What comes together is mostly owed to the same plugins.
            if event.owing is not before:
                before = event.owing
                rest = self._without(before, plugin)
                held = self._held_by(rest)
            event.owing = rest
            if not (held and event.flags) and self.settled(event):
                clearable.append(event)
        return clearable

    def try_again(self, delivery: Delivery, plugin: str) -> None:
        """A delivery has failed and will be tried again."""
        event = delivery.event
        event.tried = event.tried or {}
        event.tried[plugin] = delivery
        self.unwritten.note(event)

    def give_up(self, delivery: Delivery, plugin: str) -> bool:
        """One plugin will never be done with an event; as `settle`."""
        event = delivery.event
        event.tried = event.tried or {}
        event.tried[plugin] = delivery
        event.dead = self._one((*event.dead, plugin))
        return self._no_longer_owed(event, plugin)

    def orphan(self, event: OpenEvent, plugin: str) -> bool:
        """`plugin` is no longer configured: it holds nothing any more; as `settle`."""
        event.orphaned = self._one((*event.orphaned, plugin))
        if plugin in event.dead:
            event.dead = self._without(event.dead, plugin)
            return self._changed(event)
        return self._no_longer_owed(event, plugin)

    def revive(self, event: OpenEvent, plugins: Iterable[str]) -> tuple[str, ...]:
        """Take back what `plugins` gave up, of all that did.

        Returns:
            The plugins that it is owed to again.
        """
        again = tuple(name for name in plugins if name in event.dead)
        # These have been asked with its id, and may yet answer.
        event.opening = None
        for name in again:
            event.dead = self._without(event.dead, name)
            if event.tried is not None:
                event.tried.pop(name, None)
        self.owe(event, again)
        self.unwritten.note(event)
        return again

    def owe_again(self, delivery: Delivery, plugin: str) -> None:
        """`plugin` gets it after all, whether it gave it up or never had it."""
        self._forget(delivery.event, plugin)
        self.owe(delivery.event, (plugin,))
        self.try_again(delivery, plugin)

    def drop(self, event: OpenEvent, plugin: str) -> bool:
        """Forget that `plugin` gave it up, or is no longer configured; as `settle`."""
        self._forget(event, plugin)
        return self._changed(event)

    def clearable(self, event: OpenEvent) -> bool:
        """Whether the flags of `event` may be cleared."""
        if not event.flags or not self.required.isdisjoint(event.owing):
            return False
        if not (event.owing or event.dead or event.orphaned):
            return True
        if not self.holding.isdisjoint(event.dead):
            return False
        # Somebody is still owed it, or gave it up: that must not be forgotten.
        return event.recorded or not self.unwritten.active

    def settled(self, event: OpenEvent) -> bool:
        """As `clearable`; without flags it is closed as soon as nobody is owed it."""
        if event.flags:
            return self.clearable(event)
        self._close_if_done(event)
        return False

    def cleared(self, event: OpenEvent, builds: Iterable[int]) -> None:
        """The flags of `builds` are cleared, or no longer ours."""
        gone = set(builds)
        left = tuple(flag for flag in event.flags if flag.build not in gone)
        if not left:
            self.cleared_all([event])
            return
        for flag in event.flags:
            if flag.build in gone:
                self._uncover(flag)
        event.flags = left

    def cleared_all(self, events: Iterable[OpenEvent]) -> None:
        """As `cleared`, with all the flags of many events."""
        for event in events:
            for flag in event.flags:
                self._uncover(flag)
            event.flags = ()
            if event.owing and not event.recorded:
                # No flag will remember who is still owed it.
                self.unwritten.note(event)
            self._close_if_done(event)

    def forget_flags(self, event: OpenEvent) -> None:
        """Leave the flags of `event` to a later event of their builds."""
        self.cleared(event, [flag.build for flag in event.flags])

    def _held_by(self, owing: tuple[str, ...]) -> bool:
        return not self.required.isdisjoint(owing)

    def _take_back(self, event: OpenEvent, unwritten: bool) -> None:
        self.by_id[event.id] = event
        self._cover(event.flags)
        if unwritten:
            self.unwritten.expect(event)

    def _forget(self, event: OpenEvent, plugin: str) -> None:
        event.dead = self._without(event.dead, plugin)
        event.orphaned = self._without(event.orphaned, plugin)
        if event.tried is not None:
            event.tried.pop(plugin, None)

    def _no_longer_owed(self, event: OpenEvent, plugin: str) -> bool:
        event.owing = self._without(event.owing, plugin)
        return self._changed(event)

    def _changed(self, event: OpenEvent) -> bool:
        self.unwritten.note(event)
        return self.settled(event)

    def _without(self, plugins: tuple[str, ...], plugin: str) -> tuple[str, ...]:
        rest = self._rests.get((plugins, plugin))
        if rest is None:
            rest = self._one(tuple(name for name in plugins if name != plugin))
            self._rests[plugins, plugin] = rest
        return rest

    def _one(self, plugins: tuple[str, ...]) -> tuple[str, ...]:
        return self._sets.setdefault(plugins, plugins)

    def _close_if_done(self, event: OpenEvent) -> None:
        if event.owing or event.flags:
            return
        # It may be closed already, and have been announced again since.
        if self.by_id.get(event.id) is event:
            del self.by_id[event.id]
            self.parked.forget(event)
            self.unwritten.close(event)

    def _cover(self, flags: Iterable[PendingFlag]) -> None:
        for flag in flags:
            self._covered[flag] = self._covered.get(flag, 0) + 1

    def _uncover(self, flag: PendingFlag) -> None:
        others = self._covered.pop(flag, 1) - 1
        if others:
            self._covered[flag] = others
