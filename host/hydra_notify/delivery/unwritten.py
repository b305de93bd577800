"""What the ledger should say and does not say yet.

The ledger is for what outlives a moment. A change is noted here, and is written when it
has been so for a whole turn of the ledger; most events are done with by then, and
nothing is ever written of them.

Without a clock: `turn` is called now and then, and what it finds for the second time is
due. A change of what the ledger already knows is due at once.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Generic, Protocol, TypeVar


class Recordable(Protocol):
    """What this needs of an event."""

    id: str
    recorded: bool

    @property
    def left_over(self) -> bool: ...


E = TypeVar("E", bound=Recordable)


class Unwritten(Generic[E]):
    """Events that changed, and ids that are gone, since the ledger was written.

    Attributes:
        active: Whether there is a ledger.
        kept: Ids of closed events of which the ledger keeps dead letters or orphans.
    """

    def __init__(self) -> None:
        self.active = False
        self.kept: set[str] = set()
        self._fresh: dict[E, None] = {}
        self._aging: dict[E, None] = {}
        self._due: dict[E, None] = {}
        self._writing: dict[E, None] = {}
        # Written, perhaps: the answer was lost.
        self._doubtful: dict[E, None] = {}
        self._gone: dict[str, None] = {}

    def __len__(self) -> int:
        """Events and ids that are due or on their way."""
        return len(self._due) + len(self._gone) + len(self._writing)

    def note(self, event: E) -> None:
        """An event has changed, or is one that nothing but the ledger remembers."""
        if event.recorded and self.active:
            self._due[event] = None
        elif event not in self._aging:
            self._fresh[event] = None

    def note_all(self, events: Iterable[E]) -> None:
        """As `note`, for many at a time."""
        fresh, aging = self._fresh, self._aging
        for event in events:
            if event.recorded:
                self.note(event)
            elif event not in aging:
                fresh[event] = None

    def close(self, event: E) -> None:
        """An event is done with; of some the ledger keeps what is left over."""
        self._fresh.pop(event, None)
        self._aging.pop(event, None)
        if event.left_over and self.active:
            self._due[event] = None
            return
        self._due.pop(event, None)
        doubtful = event in self._writing or event in self._doubtful
        self._doubtful.pop(event, None)
        if event.recorded or doubtful:
            self._gone[event.id] = None

    def turn(self) -> list[E]:
        """What was noted before the turn before is due; those events."""
        due = list(self._aging)
        self._due.update(self._aging)
        self._aging, self._fresh = self._fresh, {}
        return due

    def at_rest(self, event: E) -> bool:
        """Whether `event` is neither young nor about to be written."""
        due = self.active and event in self._due
        moving = (self._fresh, self._aging, self._writing, self._doubtful)
        return not due and not any(event in each for each in moving)

    def has_due(self, event: E) -> bool:
        """Whether `event` waits for a ledger."""
        return event in self._due

    def leave(self, event: E) -> None:
        """Somebody else remembers that `event` waits for a ledger."""
        self._due.pop(event, None)

    def expect(self, event: E) -> None:
        """`event` is due, however long it has been as it is."""
        self._due[event] = None

    def hurry(self) -> None:
        """Everything is due."""
        self.turn()
        self.turn()

    def take(self, most: int) -> tuple[list[E], list[str]]:
        """At most `most` events to write and ids to remove; `wrote` or `put_back`."""
        events = list(islice(self._due, most))
        for event in events:
            del self._due[event]
        gone = list(islice(self._gone, most))
        for id_ in gone:
            del self._gone[id_]
        self._writing = dict.fromkeys(events)
        return events, gone

    def wrote(self, events: Iterable[E], gone: Iterable[str]) -> None:
        """What was taken is in the ledger."""
        self._writing = {}
        for event in events:
            event.recorded = True
            self._doubtful.pop(event, None)
        self.kept.difference_update(gone)

    def keep(self, event: E) -> None:
        """The ledger keeps what is left over of a closed event."""
        self.kept.add(event.id)

    def put_back(self, events: Iterable[E], gone: Iterable[str]) -> None:
        """What was taken may not be in the ledger."""
        self._writing = {}
        self._doubtful.update(dict.fromkeys(events))
        self._gone = dict.fromkeys(gone) | self._gone
        still = (event for event in events if event.id not in self._gone)
        self._due = dict.fromkeys(still) | self._due
