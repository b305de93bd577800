"""The database, as the dispatcher needs it: one method for each thing it asks."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from hydra_notify import builds, ledger
from hydra_notify.database import Connection, Database
from hydra_notify.events import Event
from hydra_notify.facts import Absent, Loaded, PendingFlag
from hydra_notify.records import EventRecord, Order
from hydra_notify_sdk.wire import Part

T = TypeVar("T")

Looked = tuple[set[int], dict[int, builds.FlagState]]
"""Builds whose flag is cleared, and how the flags of the others are."""

Remembered = dict[str, tuple[tuple[str, ...], str]]
"""Command and manifest (JSON) of plugins, by name."""


class Store(Protocol):
    """What is asked of it.

    Every method raises `DatabaseLost` or `DatabaseError`. Those that write the ledger
    raise `LedgerTaken` when another host has become the one that does.
    """

    async def load(
        self, events: Sequence[Event], parts: frozenset[Part]
    ) -> list[Loaded | Absent]:
        """What is known of each event, all read at one moment."""
        ...

    async def clear(self, flags: Sequence[PendingFlag]) -> Looked:
        """Clear flags that are as they were, and look at the others."""
        ...

    async def pending_page(self, after: int, limit: int) -> list[PendingFlag]:
        """Flags of finished builds above `after`, ascending."""
        ...

    async def claim_ledger(self) -> int:
        """Become the one that writes the ledger; its version, 0 if there is none."""
        ...

    async def manifests(self) -> Remembered:
        """What plugins last said of themselves."""
        ...

    async def kept_ids(self) -> set[str]:
        """Ids of events of which only dead letters and orphans are left."""
        ...

    async def open_page(self, after: int, limit: int) -> tuple[int, list[EventRecord]]:
        """Open events by the ledger, and where the page ends."""
        ...

    async def write(self, records: Sequence[EventRecord], gone: Sequence[str]) -> None:
        """Write events into the ledger, and remove others from it."""
        ...

    async def write_manifest(
        self, name: str, command: Sequence[str], manifest: str
    ) -> None:
        """Remember what a plugin says of itself."""
        ...

    async def orders(self) -> list[Order]:
        """What operators have ordered since."""
        ...

    async def confirm(self, obeyed: Sequence[Order]) -> None:
        """Make orders that were obeyed what had always been so."""
        ...

    async def prune(self, keep: float) -> list[str]:
        """Forget what is `keep` seconds old and holds nothing; the ids."""
        ...


class PostgresStore:
    """`Store` in Hydra's own database.

    Args:
        database: Hydra's.
        ledger: The same by a connection of its own: no event waits while something is
            written down.
        host: What this host calls itself when it writes the ledger; no other does.
    """

    def __init__(self, database: Database, ledger: Database, host: str) -> None:
        self._database = database
        self._ledger = ledger
        self._host = host

    async def load(
        self, events: Sequence[Event], parts: frozenset[Part]
    ) -> list[Loaded | Absent]:
        return await self._run(partial(builds.load, events=events, parts=parts))

    async def clear(self, flags: Sequence[PendingFlag]) -> Looked:
        return await self._run(partial(_clear_and_look, flags=flags))

    async def pending_page(self, after: int, limit: int) -> list[PendingFlag]:
        return await self._run(partial(builds.pending_page, after=after, limit=limit))

    async def claim_ledger(self) -> int:
        return await self._run_ledger(partial(_claim, host=self._host))

    async def manifests(self) -> Remembered:
        return await self._run_ledger(ledger.manifests)

    async def kept_ids(self) -> set[str]:
        return await self._run_ledger(ledger.kept_ids)

    async def open_page(self, after: int, limit: int) -> tuple[int, list[EventRecord]]:
        return await self._run_ledger(
            partial(ledger.open_page, after=after, limit=limit)
        )

    async def write(self, records: Sequence[EventRecord], gone: Sequence[str]) -> None:
        work = partial(ledger.write, host=self._host, records=records, gone=gone)
        await self._run_ledger(work)

    async def write_manifest(
        self, name: str, command: Sequence[str], manifest: str
    ) -> None:
        await self._run_ledger(
            partial(
                ledger.write_manifest,
                host=self._host,
                name=name,
                command=command,
                manifest=manifest,
            )
        )

    async def orders(self) -> list[Order]:
        return await self._run_ledger(ledger.orders)

    async def confirm(self, obeyed: Sequence[Order]) -> None:
        await self._run_ledger(partial(ledger.confirm, host=self._host, obeyed=obeyed))

    async def prune(self, keep: float) -> list[str]:
        return await self._run_ledger(partial(ledger.prune, keep=keep))

    async def _run(self, work: Callable[[Connection], T]) -> T:
        return await self._database.run(work)

    async def _run_ledger(self, work: Callable[[Connection], T]) -> T:
        return await self._ledger.run(work)


def _clear_and_look(connection: Connection, flags: Sequence[PendingFlag]) -> Looked:
    cleared = builds.clear(connection, flags)
    left = [flag.build for flag in flags if flag.build not in cleared]
    return cleared, builds.read_flags(connection, left) if left else {}


def _claim(connection: Connection, host: str) -> int:
    version = ledger.version(connection)
    if version == ledger.VERSION:
        ledger.claim(connection, host)
    return version
