"""What the database tells whoever looks: dead letters, a build's story; and orders."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

import trio

from hydra_notify import builds, ledger
from hydra_notify.daemon.now import Now
from hydra_notify.database import Connection
from hydra_notify.errors import HydraNotifyError
from hydra_notify.limits import LETTERS_AGE, LOOK_LIMIT, STATUS_LISTED
from hydra_notify.metrics import LedgerState
from hydra_notify.records import GIVEN_UP, Standing
from hydra_notify.status import Answer, BuildStory, DeadLetter, EventStory

T = TypeVar("T")


class Letters:
    """Asks the database on behalf of people, seldom and never for long.

    Args:
        now: The host.
    """

    def __init__(self, now: Now) -> None:
        self._now = now
        self._dead: tuple[int, list[DeadLetter]] | None = None
        self._asked = -LETTERS_AGE
        self._turn = trio.Lock()

    async def dead(self) -> tuple[int, list[DeadLetter]] | None:
        """Dead letters and orphans by the ledger, a moment old at most.

        Returns:
            How many there are, and the latest of them. None where no ledger is used.
        """
        if not self._has_ledger:
            return None
        async with self._turn:
            if trio.current_time() >= self._asked + LETTERS_AGE:
                work = partial(ledger.latest_given_up, limit=STATUS_LISTED)
                found = await self._ask(work)
                self._asked = trio.current_time()
                if found is not None:
                    number, letters = found
                    self._dead = number, [_dead_letter(each) for each in letters]
        return self._dead

    async def order(self, event: str, plugin: str, *, again: bool) -> int | None:
        """Have dead letters tried again, or forgotten.

        Args:
            event: Its id; "" for all of the plugin.
            plugin: Its name; "" for all of the event.
            again: Whether they are to be tried again.

        Returns:
            How many; None if the ledger cannot be asked.
        """
        if not self._has_ledger:
            return None

        def work(connection: Connection) -> int:
            letters = ledger.letters(
                connection,
                GIVEN_UP,
                plugin=plugin or None,
                ids=[event] if event else None,
            )
            named = [(each.event, each.plugin) for each in letters]
            return len(ledger.order(connection, named, again=again))

        done = await self._ask(work)
        self._asked = -LETTERS_AGE
        return done

    async def story(self, build: int) -> BuildStory:
        """What became of a build, as far as anybody knows."""
        term = self._now.term
        now = await self._ask(
            partial(_look_up, build=build, ledger_too=self._has_ledger)
        )
        found = None if now is None else now[0]
        events = [] if term is None else term.story(build)
        return BuildStory(
            build=build,
            known=None if now is None else found is not None,
            job="" if found is None else found.job,
            finished=found is not None and found.finished,
            buildstatus=None if found is None else found.status,
            pending_since=None if found is None else found.since,
            events=_with_letters(events, [] if now is None else now[1]),
            remembered_since=0.0 if term is None else term.remembered_since,
        )

    @property
    def _has_ledger(self) -> bool:
        return self._now.counts.ledger is LedgerState.ACTIVE

    async def _ask(self, work: Callable[[Connection], T]) -> T | None:
        """What the database says; None if it says nothing in time."""
        term = self._now.term
        if term is None:
            return None
        with trio.move_on_after(LOOK_LIMIT):
            try:
                return await term.ask(work)
            except HydraNotifyError:
                # The page says that the database is gone, and why.
                return None
        return None


def _look_up(
    connection: Connection, build: int, *, ledger_too: bool
) -> tuple[builds.BuildNow | None, list[ledger.Letter]]:
    letters = (
        ledger.letters_of_subject(connection, f"build/{build}", STATUS_LISTED)
        if ledger_too
        else []
    )
    return builds.one_build(connection, build), letters


def _with_letters(
    events: list[EventStory], letters: list[ledger.Letter]
) -> list[EventStory]:
    """What the host remembers, and what the ledger knows beyond that."""
    stories = {each.event: each for each in events}
    for letter in letters:
        story = stories.setdefault(
            letter.event, EventStory(letter.event, letter.channel, [], [], [])
        )
        gave_up = letter.standing in GIVEN_UP
        names = story.dead if gave_up else story.owing
        if letter.plugin not in names:
            names.append(letter.plugin)
        if letter.reason and not any(a.plugin == letter.plugin for a in story.answers):
            what = "given up" if gave_up else "failed"
            at = _seconds(letter.changed)
            answer = Answer(at, letter.plugin, what, letter.attempts, letter.reason)
            story.answers.append(answer)
            story.answers.sort(key=lambda each: each.at)
    return list(stories.values())


def _dead_letter(letter: ledger.Letter) -> DeadLetter:
    return DeadLetter(
        letter.plugin,
        letter.event,
        letter.attempts,
        letter.crashes,
        _seconds(letter.changed),
        letter.standing is Standing.ORPHANED,
        letter.reason,
    )


def _seconds(at: datetime) -> float:
    return at.timestamp()
