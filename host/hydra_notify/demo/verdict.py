"""Was anything lost? What Hydra did, and its flags, against what plugins wrote down.

Nothing that the host says of itself counts here. A plugin has to have been told

* what every build came to in the end, as the head of an event or as a dependent in one
  that was announced after it came to that, or that says so;
* everything else that was sent on a channel it asked for, except what it failed to
  handle until something newer about the same build made it pointless;

and nothing that never happened. Being told twice is no fault: delivery is at least
once.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hydra_notify.demo.history import History, Outcome, Sent
from hydra_notify.demo.receipts import Receipt

_FINISHED: Final = re.compile(r"build_finished:(\d+):(\d+-\d+:\d+)(:[0-9a-f]+)?")
"""Head, outcome, and a suffix where the event speaks for dependents."""

_ON_THE_WAY: Final = ("build_queued", "build_started")
"""Channels about states that any later state of the build replaces, in this order."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is to judge one plugin's share by.

    Attributes:
        channels: What it asked for.
        receipts: What it wrote down.
        fails: Whether it fails attempts on purpose. Only then may something newer have
            replaced what it was owed.
    """

    channels: frozenset[str]
    receipts: tuple[Receipt, ...]
    fails: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """How one plugin fared.

    Attributes:
        owed: Different things it had to be told.
        missing: Those it never was, in words.
        superseded: How many were replaced by something newer that it was told.
        duplicates: Receipts beyond the first of the same event.
        invented: Event ids it wrote down that never happened.
    """

    owed: int
    missing: tuple[str, ...]
    superseded: int
    duplicates: int
    invented: tuple[str, ...]

    @property
    def received(self) -> int:
        """Different things it had to be told and was."""
        return self.owed - self.superseded - len(self.missing)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How everyone fared.

    Attributes:
        events: Different things that happened and somebody wanted to know.
        finished: Those of them that are outcomes of builds.
        shares: By plugin.
        flags: Builds whose pending flag is set.
    """

    events: int
    finished: int
    shares: dict[str, Share]
    flags: tuple[int, ...]

    @property
    def owed(self) -> int:
        """Things owed, to all plugins together."""
        return sum(share.owed for share in self.shares.values())

    @property
    def received(self) -> int:
        """Things owed and received."""
        return sum(share.received for share in self.shares.values())

    @property
    def missing(self) -> int:
        """Things owed and not received."""
        return sum(len(share.missing) for share in self.shares.values())

    @property
    def complete(self) -> bool:
        """Whether nothing is missing, so far."""
        return not self.missing and not self.flags

    @property
    def good(self) -> bool:
        """Whether something happened, nothing is missing and nothing invented."""
        invented = any(share.invented for share in self.shares.values())
        return self.complete and self.owed > 0 and not invented


def judge(
    history: History, evidence: Mapping[str, Evidence], flags: Sequence[int]
) -> Verdict:
    """The verdict on all plugins.

    Args:
        history: What was done.
        evidence: By plugin.
        flags: Builds whose pending flag is set.
    """
    channels = frozenset[str]().union(*(e.channels for e in evidence.values()))
    shares = {name: _share(history, each) for name, each in evidence.items()}
    finished = history.events(channels & {"build_finished"})
    return Verdict(history.events(channels), finished, shares, tuple(flags))


def _share(history: History, evidence: Evidence) -> Share:
    told = _Told(history, evidence.receipts)
    missing: list[str] = []
    superseded = 0
    if "build_finished" in evidence.channels:
        missing += [
            f"build_finished of build {outcome.build}"
            for outcome in history.owed
            if not told.knows(outcome)
        ]
    for event, sent in history.sent.items():
        if sent.channel not in evidence.channels or event in told.events:
            continue
        if evidence.fails and told.knows_newer(sent):
            superseded += 1
        else:
            missing.append(event)
    return Share(
        owed=history.events(evidence.channels),
        missing=tuple(missing),
        superseded=superseded,
        duplicates=told.events.total() - len(told.events),
        invented=tuple(told.invented),
    )


class _Told:
    """What one plugin knows, going by its receipts.

    Attributes:
        events: Ids, and how often each was received.
        invented: Ids of what never happened.
    """

    def __init__(self, history: History, receipts: Sequence[Receipt]) -> None:
        self.events = Counter(receipt.event for receipt in receipts)
        self.invented: list[str] = []
        self._history = history
        # Positions of outcomes it was told, by head; and heads by dependent.
        self._outcomes: defaultdict[int, set[int]] = defaultdict(set)
        self._heads: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)
        for receipt in dict.fromkeys(receipts):
            if not self._take(receipt):
                self.invented.append(receipt.event)

    def knows(self, outcome: Outcome) -> bool:
        """Whether it was told what a build came to."""
        if outcome.at in self._outcomes[outcome.build]:
            return True
        return any(
            chunk.at > outcome.at and head_at >= chunk.since
            for head, head_at in self._heads[outcome.build]
            for chunk in self._history.chunks[head]
            if outcome.build in chunk.dependents
        )

    def knows_newer(self, sent: Sent) -> bool:
        """Whether it was told something about the build that makes `sent` pointless."""
        if sent.channel not in _ON_THE_WAY:
            return False
        (build,) = sent.builds
        if any(at > sent.at for at in self._outcomes[build]):
            return True
        later = _ON_THE_WAY[_ON_THE_WAY.index(sent.channel) + 1 :]
        ids = (f"{channel}:{build}" for channel in later)
        return any(
            id_ in self.events and self._history.sent[id_].at > sent.at for id_ in ids
        )

    def _take(self, receipt: Receipt) -> bool:
        """Note what a receipt says; whether that ever happened."""
        finished = _FINISHED.fullmatch(receipt.event)
        if finished is None:
            sent = self._history.sent.get(receipt.event)
            return sent is not None and sent.builds == receipt.builds
        head, key, suffix = int(finished[1]), finished[2], finished[3]
        at = self._history.outcomes.get((head, key))
        if at is None or receipt.builds[:1] != (head,):
            return False
        dependents = frozenset(receipt.builds[1:])
        if suffix is None:
            known = not dependents
        else:
            chunks = self._history.chunks.get(head, ())
            known = any(dependents <= chunk.dependents for chunk in chunks)
        if known:
            self._outcomes[head].add(at)
            for build, came_to in receipt.outcomes:
                then = self._history.outcomes.get((build, came_to))
                if then is not None:
                    self._outcomes[build].add(then)
            for dependent in dependents:
                self._heads[dependent].add((head, at))
        return known
