"""Open events whose turn is far away: 29 bytes each, not eleven objects.

A plugin that is dead or slow has a backlog of up to millions of events. A queue keeps
the number of their build, and while nobody has more to do with such an event, what is
known of it is packed: bytes and numbers are small, and the cyclic garbage collector has
nothing to look at. Only the ordinary event can be so: `build_finished` without
dependents, with an outcome that has times, and of which nothing has failed yet.
"""

import re
from collections.abc import Callable, Iterator
from struct import Struct, error
from typing import Final

from hydra_notify.delivery.open_event import OpenEvent
from hydra_notify.events import BuildFinished
from hydra_notify.facts import PendingFlag, outcome_id

_FORM: Final = Struct("<qqqhHB")
"""Flag, start and stop (seconds since 1970), status, number of the set of plugins that
are owed it, marks. Up to 31 bytes the object has 64; one more would cost 16."""

_OUTCOME: Final = re.compile(r"build_finished:\d+:(\d+)-(\d+):(\d+)")
"""The id of an ordinary event."""

_FLAGGED: Final = 1
_RECORDED: Final = 2
_REDELIVERED: Final = 4
_UNWRITTEN: Final = 8

_NO_NUMBER: Final = 0
"""No build has it."""


class Parked:
    """Events that queues know by the number of their build, packed or not.

    Args:
        woken: Called with each event that is no longer packed, and whether the ledger
            should know something of it.
    """

    def __init__(self, woken: Callable[[OpenEvent, bool], None]) -> None:
        self._woken = woken
        # Apart: a dictionary of numbers and bytes alone is not looked into by the
        # garbage collector.
        self._packed: dict[int, bytes] = {}
        self._awake: dict[int, OpenEvent] = {}
        self._sets: list[tuple[str, ...]] = []
        self._numbers: dict[tuple[str, ...], int] = {}

    def __len__(self) -> int:
        """How many are packed."""
        return len(self._packed)

    def __iter__(self) -> Iterator[OpenEvent]:
        """Those that are packed, each made anew: they stay packed."""
        return (self._unpacked(*entry) for entry in self._packed.items())

    def place(self, event: OpenEvent) -> OpenEvent | int:
        """What a queue keeps of an event that waits: its number, if it can have one.

        Decided once: else one queue would have the number and another the event. While
        two events of one build are open, the second has none.
        """
        if event.number is None:
            event.number = self._number(event)
        return event.number or event

    def at_hand(self, number: int) -> OpenEvent | None:
        """The event of that number, unless it is packed."""
        return self._awake.get(number)

    def has(self, number: int) -> bool:
        """Whether there is an event of that number, packed or not."""
        return number in self._packed or number in self._awake

    def wake(self, number: int) -> OpenEvent:
        """The event of that number, for whoever has to do with it."""
        event = self._awake.get(number)
        if event is None:
            packed = self._packed.pop(number)
            event, marks = self._unpacked(number, packed), packed[-1]
            self._awake[number] = event
            self._woken(event, bool(marks & _UNWRITTEN))
        return event

    def pack(self, event: OpenEvent, *, unwritten: bool) -> bool:
        """Keep `event` as bytes, if it is an ordinary one.

        The object is empty afterwards: whoever still has it can do nothing with it.

        Args:
            event: One that only queues have to do with, which have its number.
            unwritten: Whether the ledger should know something of it.

        Returns:
            Whether it was done.
        """
        number = event.number
        packed = self._as_bytes(event, unwritten=unwritten)
        if not number or packed is None:
            return False
        del self._awake[number]
        self._packed[number] = packed
        event.flags = event.owing = ()
        return True

    def forget(self, event: OpenEvent) -> None:
        """`event`, which is not packed, is done with."""
        if event.number:
            del self._awake[event.number]

    def wake_by_id(self, id_: str) -> OpenEvent | None:
        """The event of that id if it is packed; it no longer is."""
        if not self._packed:
            return None
        channel, _, rest = id_.partition(":")
        text = rest.partition(":")[0]
        if channel != "build_finished" or not text.isdecimal():
            return None
        number = int(text)
        packed = self._packed.get(number)
        if packed is None or self._unpacked(number, packed).id != id_:
            return None
        return self.wake(number)

    def covers(self, flag: PendingFlag) -> bool:
        """Whether `flag` is that of an event that is packed."""
        packed = self._packed.get(flag.build)
        if packed is None or not packed[-1] & _FLAGGED:
            return False
        # A sweep asks for each of a million.
        columns = (flag.pending, flag.start, flag.stop, flag.status)
        return _FORM.unpack(packed)[:4] == columns

    def flagged(self, owing: Callable[[tuple[str, ...]], bool]) -> list[int]:
        """Those with a flag that are packed, and owed to such plugins."""
        sets = {index for index, names in enumerate(self._sets) if owing(names)}
        return [
            number
            for number, packed in self._packed.items()
            if packed[-1] & _FLAGGED and _FORM.unpack(packed)[-2] in sets
        ]

    def of_ledger(self) -> list[int]:
        """Those that are packed and that a ledger knows, or should."""
        known = _RECORDED | _UNWRITTEN
        return [n for n, packed in self._packed.items() if packed[-1] & known]

    def _number(self, event: OpenEvent) -> int:
        announced = event.event
        if not isinstance(announced, BuildFinished) or announced.dependents:
            return _NO_NUMBER
        if self.has(announced.build):
            return _NO_NUMBER
        self._awake[announced.build] = event
        return announced.build

    def _as_bytes(self, event: OpenEvent, *, unwritten: bool) -> bytes | None:
        outcome = _OUTCOME.fullmatch(event.id)
        if outcome is None:
            return None
        start, stop, status = map(int, outcome.groups())
        pending = event.flags[0].pending if event.flags else 0
        marks = (
            bool(event.flags) * _FLAGGED
            | event.recorded * _RECORDED
            | event.redelivered * _REDELIVERED
            | unwritten * _UNWRITTEN
        )
        owing = self._numbers.setdefault(event.owing, len(self._sets))
        if owing == len(self._sets):
            self._sets.append(event.owing)
        try:
            packed = _FORM.pack(pending, start, stop, status, owing, marks)
        except error:
            # Larger than anything that Hydra writes.
            return None
        # What does not come out as it went in is not an ordinary one.
        out = self._unpacked(event.number or _NO_NUMBER, packed)
        same = (out.id, out.subject, out.flags) == (
            event.id,
            event.subject,
            event.flags,
        )
        return packed if same else None

    def _unpacked(self, number: int, packed: bytes) -> OpenEvent:
        pending, start, stop, status, owing, marks = _FORM.unpack(packed)
        flag = PendingFlag(number, pending, status, start, stop)
        return OpenEvent(
            BuildFinished(number),
            outcome_id(number, start, stop, status),
            f"build/{number}",
            (flag,) if marks & _FLAGGED else (),
            redelivered=bool(marks & _REDELIVERED),
            owing=self._sets[owing],
            recorded=bool(marks & _RECORDED),
            number=number,
        )
