"""A store that fails when told to, before or after it did what it was asked."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from hydra_notify.dispatcher.store import Looked, Remembered, Store
from hydra_notify.errors import DatabaseLost, PermissionDenied
from hydra_notify.events import Event
from hydra_notify.facts import Absent, Loaded, PendingFlag
from hydra_notify.records import EventRecord, Order
from hydra_notify_sdk.wire import Part

T = TypeVar("T")


class Faulty:
    """`Store` over another one.

    Attributes:
        calls: How many are under way.
        ledger: Whether the rights to use it are there.
    """

    def __init__(self, store: Store, *, ledger: bool = True) -> None:
        self.calls = 0
        self.ledger = ledger
        self._store = store
        self._failing: bool | None = None

    def fail(self, *, after: bool) -> None:
        """Let the next call fail; `after` it has had its effect."""
        self._failing = after

    async def _do(self, work: Callable[[], Awaitable[T]], *, may: bool = True) -> T:
        failing, self._failing = self._failing, None
        if not may:
            raise PermissionDenied("no rights to the ledger")
        if failing is False:
            raise DatabaseLost("as told")
        self.calls += 1
        try:
            done = await work()
        finally:
            self.calls -= 1
        if failing:
            raise DatabaseLost("as told, and too late")
        return done

    async def load(
        self, events: Sequence[Event], parts: frozenset[Part]
    ) -> list[Loaded | Absent]:
        return await self._do(lambda: self._store.load(events, parts))

    async def clear(self, flags: Sequence[PendingFlag]) -> Looked:
        return await self._do(lambda: self._store.clear(flags))

    async def pending_page(self, after: int, limit: int) -> list[PendingFlag]:
        return await self._do(lambda: self._store.pending_page(after, limit))

    async def claim_ledger(self) -> int:
        return await self._do(self._store.claim_ledger, may=self.ledger)

    async def manifests(self) -> Remembered:
        return await self._do(self._store.manifests, may=self.ledger)

    async def kept_ids(self) -> set[str]:
        return await self._do(self._store.kept_ids, may=self.ledger)

    async def open_page(self, after: int, limit: int) -> tuple[int, list[EventRecord]]:
        return await self._do(
            lambda: self._store.open_page(after, limit), may=self.ledger
        )

    async def write(self, records: Sequence[EventRecord], gone: Sequence[str]) -> None:
        await self._do(lambda: self._store.write(records, gone), may=self.ledger)

    async def write_manifest(
        self, name: str, command: Sequence[str], manifest: str
    ) -> None:
        await self._do(
            lambda: self._store.write_manifest(name, command, manifest), may=self.ledger
        )

    async def orders(self) -> list[Order]:
        return await self._do(self._store.orders, may=self.ledger)

    async def confirm(self, obeyed: Sequence[Order]) -> None:
        await self._do(lambda: self._store.confirm(obeyed), may=self.ledger)

    async def prune(self, keep: float) -> list[str]:
        return await self._do(lambda: self._store.prune(keep), may=self.ledger)
