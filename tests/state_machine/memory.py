"""The in-memory twin of the dispatcher's store, and of the database behind it."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import msgspec
import trio
from tests import event_samples
from tests.state_machine.world import Letters, Row

from hydra_notify import ledger
from hydra_notify.builds import FlagState, NoFlag
from hydra_notify.dispatcher.store import Looked, Remembered
from hydra_notify.errors import LedgerTaken
from hydra_notify.events import BuildFinished, Event
from hydra_notify.facts import Absent, BuildFact, Loaded, PendingFlag
from hydra_notify.records import DeliveryRecord, EventRecord, Order, Standing
from hydra_notify_sdk.wire import Part


class MemoryWorld:
    """Builds and a ledger in dictionaries."""

    def __init__(self, builds: Sequence[int]) -> None:
        self.builds = builds
        self.rows: dict[int, Row] = dict.fromkeys(builds, Row())
        self.events: dict[str, EventRecord] = {}
        self.numbers: dict[str, int] = {}
        self.host = ""

    def row(self, build: int) -> Row | None:
        return self.rows.get(build)

    def put(self, build: int, row: Row | None) -> None:
        if row is None:
            self.rows.pop(build, None)
        elif build in self.rows:
            self.rows[build] = row

    def letters(self) -> Letters:
        return sorted(
            (event.id, each.plugin, each.standing)
            for event in self.events.values()
            for each in event.deliveries
        )

    def order(self, event: str, plugin: str, *, again: bool) -> None:
        self._mark(event, plugin, Standing.AGAIN if again else Standing.DROP)

    def _mark(self, event: str, plugin: str, standing: Standing) -> None:
        record = self.events.get(event)
        if record is None:
            return
        deliveries = tuple(
            replace(each, standing=standing)
            if each.plugin == plugin
            and each.standing in (Standing.DEAD, Standing.ORPHANED)
            else each
            for each in record.deliveries
        )
        self.events[event] = replace(record, deliveries=deliveries)


class MemoryStore:
    """`Store` over a world in memory.

    Args:
        world: The database.
        host: Who writes the ledger.
    """

    def __init__(self, world: MemoryWorld, host: str) -> None:
        self._world = world
        self._host = host

    async def load(
        self, events: Sequence[Event], parts: frozenset[Part]
    ) -> list[Loaded | Absent]:
        await trio.lowlevel.checkpoint()
        return [self._load(event, parts) for event in events]

    async def clear(self, flags: Sequence[PendingFlag]) -> Looked:
        await trio.lowlevel.checkpoint()
        cleared: set[int] = set()
        looked: dict[int, FlagState] = {}
        for flag in flags:
            row = self._world.row(flag.build)
            if row is not None and _flag(flag.build, row) == flag:
                self._world.put(flag.build, replace(row, pending=None))
                cleared.add(flag.build)
        for flag in flags:
            if flag.build not in cleared:
                looked[flag.build] = self._look(flag.build)
        return cleared, looked

    async def pending_page(self, after: int, limit: int) -> list[PendingFlag]:
        await trio.lowlevel.checkpoint()
        flags = [
            flag
            for build, row in sorted(self._world.rows.items())
            if build > after and row.finished and (flag := _flag(build, row))
        ]
        return flags[:limit]

    async def claim_ledger(self) -> int:
        await trio.lowlevel.checkpoint()
        self._world.host = self._host
        return ledger.VERSION

    async def manifests(self) -> Remembered:
        await trio.lowlevel.checkpoint()
        return {}

    async def kept_ids(self) -> set[str]:
        await trio.lowlevel.checkpoint()
        return {each.id for each in self._world.events.values() if not each.open}

    async def open_page(self, after: int, limit: int) -> tuple[int, list[EventRecord]]:
        await trio.lowlevel.checkpoint()
        numbers = self._world.numbers
        page = sorted(
            (numbers[id_], record)
            for id_, record in self._world.events.items()
            if record.open and numbers[id_] > after
        )[:limit]
        return (page[-1][0] if page else after), [record for _, record in page]

    async def write(self, records: Sequence[EventRecord], gone: Sequence[str]) -> None:
        await trio.lowlevel.checkpoint()
        self._check()
        for record in records:
            self._world.numbers.setdefault(record.id, len(self._world.numbers) + 1)
            self._world.events[record.id] = self._merged(record)
        for id_ in gone:
            self._world.events.pop(id_, None)

    async def write_manifest(
        self, name: str, command: Sequence[str], manifest: str
    ) -> None:
        await trio.lowlevel.checkpoint()
        self._check()

    async def orders(self) -> list[Order]:
        await trio.lowlevel.checkpoint()
        return [
            Order(record, each.plugin, again=each.standing is Standing.AGAIN)
            for record in self._world.events.values()
            for each in record.deliveries
            if each.standing in (Standing.AGAIN, Standing.DROP)
        ]

    async def confirm(self, obeyed: Sequence[Order]) -> None:
        await trio.lowlevel.checkpoint()
        self._check()
        for order in obeyed:
            record = self._world.events.get(order.event.id)
            if record is None:
                continue
            others = tuple(d for d in record.deliveries if d.plugin != order.plugin)
            owed = DeliveryRecord(order.plugin)
            if order.again:
                record = replace(record, deliveries=(*others, owed), open=True)
            else:
                record = replace(record, deliveries=others)
            self._world.events[record.id] = record
            if not record.open and not record.deliveries:
                del self._world.events[record.id]

    async def prune(self, keep: float) -> list[str]:
        await trio.lowlevel.checkpoint()
        return []

    def _check(self) -> None:
        if self._world.host != self._host:
            raise LedgerTaken("another host writes the ledger now")

    def _merged(self, record: EventRecord) -> EventRecord:
        """`record`, but what an operator has ordered stands."""
        before = self._world.events.get(record.id)
        if before is None:
            return record
        ordered = {
            each.plugin: each
            for each in before.deliveries
            if each.standing in (Standing.AGAIN, Standing.DROP)
        }
        rest = tuple(d for d in record.deliveries if d.plugin not in ordered)
        return replace(record, deliveries=(*rest, *ordered.values()))

    def _look(self, build: int) -> FlagState:
        row = self._world.row(build)
        flag = None if row is None else _flag(build, row)
        if row is None or flag is None:
            return NoFlag.GONE
        return flag if row.finished else NoFlag.UNFINISHED

    def _load(self, event: Event, parts: frozenset[Part]) -> Loaded | Absent:
        assert isinstance(event, BuildFinished)
        head = self._world.row(event.build)
        if head is None or not head.finished:
            return Absent(event, "gone or not finished")
        rows = {event.build: head}
        for build in event.dependents:
            row = self._world.row(build)
            if row is not None and row.finished:
                rows[build] = row
        found = (_flag(build, row) for build, row in sorted(rows.items()))
        id_ = f"build_finished:{event.build}:{head.start}-{head.stop}:{head.status}"
        if event.dependents:
            announced = ",".join(map(str, event.dependents)).encode()
            id_ = f"{id_}:{sha256(announced).hexdigest()[:8]}"
        documents = [
            event_samples.document(
                build,
                start_time=row.start,
                stop_time=row.stop,
                build_status=row.status,
            )
            for build, row in rows.items()
        ]
        sample = event_samples.finished(
            **msgspec.structs.asdict(documents[0]),
            dependent_ids=list(rows)[1:],
            dependents=documents[1:],
        )
        return msgspec.structs.replace(
            sample,
            event=event,
            id=id_,
            subject=f"build/{event.build}",
            flags=tuple(flag for flag in found if flag is not None),
            builds=tuple(BuildFact("p:j:job", row.status) for row in rows.values()),
            parts=parts,
        )


def _flag(build: int, row: Row) -> PendingFlag | None:
    if row.pending is None:
        return None
    return PendingFlag(build, row.pending, row.status, row.start, row.stop)
