"""Everything that may happen, in any order."""

from collections import deque
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.state_machine.faulty import Faulty
from tests.state_machine.host import SWEEP, Host, Told, plugin, told
from tests.state_machine.invariants import (
    ALWAYS,
    Ledger,
    everything_is_over,
    nothing_is_cleared_early,
    nothing_is_lost,
    repetitions_are_bounded,
    the_books_are_right,
    what_is_parked_waits_for_nothing_else,
)
from tests.state_machine.loop import Loop
from tests.state_machine.world import World, cancel, finish, restart

from hydra_notify.config import PluginConfig
from hydra_notify.delivery import Delivery
from hydra_notify.dispatcher import Store
from hydra_notify.outcomes import DELIVERED, Dead, Retry
from hydra_notify.records import Standing

picks = st.integers(0, 11)
hearings = st.sampled_from(["now", "late", "never"])
names = st.sampled_from(["a", "b", "c"])

FRESH = 1.0
"""Seconds: what was acknowledged so long before a host dies may not be written down."""

STEP = 0.5
"""Seconds: a turn of the ledger, and some."""

END = 60
"""Turns of half a minute in which everything has to be over at the end."""


class Machine(RuleBasedStateMachine):
    """A world, one host or two, and the truth about what they did.

    Args:
        world: The database.
        loop: Where hosts run.
        store: Makes the store of the host of that name.
    """

    def __init__(self, world: World, loop: Loop, store: Callable[[str], Store]) -> None:
        super().__init__()
        self.world = world
        self.loop = loop
        self.store = store
        self.known = Ledger()
        self.ledger = True
        self.revoked = False
        self.late: deque[str] = deque()
        self.said: dict[str, Told] = {}
        self.shaken = float("inf")
        self.acked: deque[tuple[float, str, str]] = deque()
        self.clock = 1_000
        self.lives = 0
        self.hosts: list[Host] = []
        self.host = self._new_host({name: plugin(name) for name in ALWAYS})

    # What Hydra does

    @rule(
        pick=picks,
        status=st.sampled_from([0, 1]),
        heard=hearings,
        same=st.booleans(),
    )
    def finish(self, pick: int, status: int, heard: str, same: bool) -> None:
        build = self._build(pick, finished=False)
        if build is None:
            return
        outcome = finish(self.world, build, status, self._time(same))
        self.known.flagged[build] = outcome
        self._announce(str(build), heard)

    @rule(
        pick=picks,
        count=st.integers(1, 3),
        chunks=st.integers(1, 2),
        heard=hearings,
    )
    def fail_with_dependents(
        self, pick: int, count: int, chunks: int, heard: str
    ) -> None:
        builds = [b for b in self.world.builds if self._is(b, finished=False)]
        if len(builds) < 2:
            return
        pick %= len(builds)
        head, *others = (*builds[pick:], *builds[:pick])
        dependents, at = others[:count], self._time(same=False)
        for build, status in ((head, 1), *((each, 2) for each in dependents)):
            self.known.flagged[build] = finish(self.world, build, status, at)
        size = -(-len(dependents) // chunks)
        for start in range(0, len(dependents), size):
            chunk = dependents[start : start + size]
            self._announce("\t".join(map(str, (head, head, *chunk))), heard)

    @rule(pick=picks)
    def restart(self, pick: int) -> None:
        build = self._build(pick, finished=True)
        if build is not None:
            restart(self.world, build)

    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        build = self._build(pick, finished=False)
        if build is None:
            return
        outcome = cancel(self.world, build, self._time(same=False))
        row = self.world.row(build)
        if row is not None and row.pending is not None:
            self.known.flagged[build] = outcome
        else:
            self.known.flagged.pop(build, None)

    @rule(pick=st.integers(0, 40))
    def delete(self, pick: int) -> None:
        # Seldom: there are few.
        if pick < len(self.world.builds):
            self.world.put(self.world.builds[pick], None)

    @rule(pick=picks)
    def announce_again(self, pick: int) -> None:
        build = self._build(pick, finished=True)
        if build is not None:
            self.known.announced[build] += 1
            self._hear(str(build))

    @rule()
    @precondition(lambda self: self.late)
    def announce_late(self) -> None:
        payload = self.late.popleft()
        self.known.announced[int(payload.split("\t")[0])] += 1
        self._hear(payload)

    # What plugins do

    @rule(name=names, pick=picks)
    def succeed(self, name: str, pick: int) -> None:
        delivery = self._held(name, pick)
        if delivery is not None:
            self._work(name, delivery)
            self.acked.append((self.loop.now, name, told(delivery).event))
            self.host.answer(name, delivery, DELIVERED)

    @rule(name=names, pick=picks)
    def work_and_crash(self, name: str, pick: int) -> None:
        delivery = self._held(name, pick)
        if delivery is not None:
            self._work(name, delivery)
            self.known.allowed[name, told(delivery).event] += 1
            self.host.crash(name)

    @rule(name=names, pick=picks, after=st.sampled_from([None, 0.0, 100.0]))
    def fail(self, name: str, pick: int, after: float | None) -> None:
        delivery = self._held(name, pick)
        if delivery is not None:
            self.host.answer(name, delivery, Retry("500", after=after))

    @rule(name=names, pick=picks)
    def refuse(self, name: str, pick: int) -> None:
        delivery = self._held(name, pick)
        if delivery is not None:
            self.host.answer(name, delivery, Dead("404"))

    # What hosts and operators do

    @rule()
    def kill_host(self) -> None:
        self._forgive_what_is_fresh()
        self.host.kill()
        self._replace(self.host)

    @rule()
    def stop_host(self) -> None:
        self._forgive_what_is_fresh()
        self.host.drain()
        self._replace(self.host)

    @rule()
    @precondition(lambda self: len(self.hosts) == 1)
    def start_second_host(self) -> None:
        self._forgive_what_two_hosts_have()
        self.host = self._new_host(self.host.configs)

    @rule()
    @precondition(lambda self: len(self.hosts) == 2)
    def end_first_host(self) -> None:
        self._forgive_what_two_hosts_have()
        self.hosts.pop(0).kill()

    @rule(required=st.booleans(), on_dead=st.sampled_from(["hold", "clear"]))
    def configure_third(self, required: bool, on_dead: str) -> None:
        self.host.change(plugin("c", required=required, on_dead=on_dead))

    @rule()
    @precondition(lambda self: "c" in self.host.configs)
    def remove_third(self) -> None:
        self.host.remove("c")

    @rule(pick=picks, again=st.booleans())
    def order(self, pick: int, again: bool) -> None:
        left = [each for each in self.world.letters() if each[2] is Standing.DEAD]
        if not left:
            return
        event, name, _ = left[pick % len(left)]
        if not again and event in self.said:
            self.known.excused[name] |= self.said[event].outcomes
        self.known.announced[int(event.split(":")[1])] += 1
        self.world.order(event, name, again=again)
        self.host.hear_of_orders()

    @rule(after=st.booleans())
    def lose_database(self, after: bool) -> None:
        self.host.store.fail(after=after)
        self.shaken = min(self.shaken, self.loop.now - FRESH)

    @rule(seconds=st.sampled_from([0.5, 3.0, SWEEP + 1]))
    def wait(self, seconds: float) -> None:
        self._wait(seconds)
        if seconds > FRESH:
            # Whatever was late has been made good.
            self.shaken = float("inf")

    # What holds

    @invariant()
    def holds(self) -> None:
        nothing_is_cleared_early(self.known, self.world)
        repetitions_are_bounded(self.known)
        for host in self.hosts:
            if not host.taken:
                the_books_are_right(host)
                what_is_parked_waits_for_nothing_else(host)

    def teardown(self) -> None:
        try:
            self._calm_down()
            nothing_is_lost(self.known, self.world)
            nothing_is_cleared_early(self.known, self.world)
            everything_is_over(self.world, self.hosts)
        finally:
            self.loop.__exit__()

    def _calm_down(self) -> None:
        """Nothing bad happens any more; return when there is nothing left to do."""
        while len(self.hosts) > 1:
            self.end_first_host()
        if self.revoked:
            # What a ledger has that could not be read is read at the next start.
            self._forgive_what_no_ledger_knows()
            self._let_use_ledger(may=True)
            self.host.drain()
            self._replace(self.host)
        if "c" in self.host.configs:
            self.host.remove("c")
        for _ in range(END):
            if self.host.taken:
                # As the daemon does then: it hands in, and starts over.
                self._forgive_what_is_fresh()
                self.host.drain()
                self._replace(self.host)
            for event, name, standing in self.world.letters():
                if standing is Standing.DEAD:
                    self.world.order(event, name, again=True)
                elif standing is Standing.ORPHANED:
                    self.world.order(event, name, again=False)
            self.host.hear_of_orders()
            self._wait(SWEEP + 1)
            for name in ALWAYS:
                while (delivery := self._held(name, 0)) is not None:
                    self._work(name, delivery)
                    self.host.answer(name, delivery, DELIVERED)
            self._wait(2.0)
            rows = (self.world.row(build) for build in self.world.builds)
            pending = any(row and row.finished and row.pending for row in rows)
            events = self.host.dispatcher._events
            under_way = events.by_id or len(events.parked)
            if not pending and not under_way and not self.world.letters():
                return

    def _new_host(self, configs: dict[str, PluginConfig]) -> Host:
        self.lives += 1
        store = Faulty(self.store(f"host {self.lives}"), ledger=self.ledger)
        host = Host(self.loop, store, dict(configs))
        host.start()
        self.hosts.append(host)
        return host

    def _replace(self, host: Host) -> None:
        self.hosts.remove(host)
        self.host = self._new_host(host.configs)

    def _held(self, name: str, pick: int) -> Delivery | None:
        if name not in self.host.configs:
            return None
        self.host.take(name)
        held = self.host.held[name]
        if not held:
            return None
        delivery = held[pick % len(held)]
        event = told(delivery)
        self.said[event.event] = event
        if len(self.hosts) > 1:
            self.known.exempt.add(event.event)
        return delivery

    def _work(self, name: str, delivery: Delivery) -> None:
        self.known.receipts[name].append(told(delivery))

    def _announce(self, payload: str, heard: str) -> None:
        if heard == "now":
            self._hear(payload)
        elif heard == "late":
            self.late.append(payload)

    def _hear(self, payload: str) -> None:
        for host in self.hosts:
            host.hear([payload])

    def _let_use_ledger(self, *, may: bool) -> None:
        self.ledger = may
        self.revoked = self.revoked or not may
        for host in self.hosts:
            host.store.ledger = may

    def _forgive_what_is_fresh(self) -> None:
        since = min(self.loop.now - FRESH, self.shaken)
        for at, name, event in self.acked:
            if at >= since:
                self.known.allowed[name, event] += 1
        self.acked.clear()
        if self.revoked:
            self._forgive_what_no_ledger_knows()

    def _forgive_what_no_ledger_knows(self) -> None:
        """What it should know, or could not be asked for, is told again."""
        every = (told for each in self.known.receipts.values() for told in each)
        self.known.exempt.update(told.event for told in every)

    def _forgive_what_two_hosts_have(self) -> None:
        for host in self.hosts:
            events = host.dispatcher._events
            self.known.exempt.update(events.by_id)
            self.known.exempt.update(each.id for each in events.parked)
        self.known.exempt.update(event for _, _, event in self.acked)

    def _wait(self, seconds: float) -> None:
        # A sleeper wakes once in a jump, however far it goes.
        for _ in range(min(6, int(seconds / STEP))):
            self.loop.jump(STEP)
        self.loop.jump(max(0.0, seconds - 6 * STEP))

    def _time(self, same: bool) -> int:
        self.clock += not same
        return self.clock

    def _is(self, build: int, *, finished: bool) -> bool:
        row = self.world.row(build)
        return row is not None and row.finished is finished

    def _build(self, pick: int, *, finished: bool) -> int | None:
        builds = [b for b in self.world.builds if self._is(b, finished=finished)]
        return builds[pick % len(builds)] if builds else None


class WithoutRights(Machine):
    """The rights to the ledger come and go; then a lot may be told again."""

    @rule()
    def revoke_ledger(self) -> None:
        self._let_use_ledger(may=False)

    @rule()
    @precondition(lambda self: not self.ledger)
    def grant_ledger(self) -> None:
        self._let_use_ledger(may=True)
