"""`hydra-notify dead`: what was given up, and what is to become of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from hydra_notify import builds, ledger
from hydra_notify.cli.at_database import (
    DONE,
    FAILED,
    Refused,
    at_database,
    complain,
    complain_of_unknown,
    need_ledger,
    say_who_acts,
    sure,
)
from hydra_notify.cli.letters import (
    WORDS,
    as_document,
    event_document,
    show_event,
)
from hydra_notify.cli.listing import (
    Column,
    age,
    count_of,
    event_words,
    printable,
    show_json,
    show_table,
)
from hydra_notify.config import Config
from hydra_notify.database import Connection
from hydra_notify.events import Notification
from hydra_notify.facts import PendingFlag
from hydra_notify.ledger import Letter
from hydra_notify.records import GIVEN_UP, Standing


def show_all(path: Path, plugin: str | None, *, as_json: bool) -> None:
    """List dead letters, orphans, and those whose order waits for a host; exits."""

    def work(connection: Connection, _: Config) -> int:
        need_ledger(connection)
        standings = [each for each in Standing if each is not Standing.OWED]
        found = ledger.letters(connection, standings, plugin=plugin)
        if as_json:
            show_json([as_document(letter) for letter in found])
        elif found:
            show_table(_COLUMNS, [_row(letter) for letter in found])
        else:
            click.echo(f"no dead letters and no orphans{_of(plugin)}")
        return DONE

    at_database(path, work)


def show_one(path: Path, name: str, plugin: str | None, *, as_json: bool) -> None:
    """Show everything about one event; exits."""

    def work(connection: Connection, _: Config) -> int:
        need_ledger(connection)
        ids = ledger.event_ids(connection, [name])
        records = ledger.events(connection, list(ids.values()))
        if not records:
            complain_of_unknown([name], "the ledger has no such event", _SEE)
            return FAILED
        letters = ledger.letters(
            connection, Standing, plugin=plugin, ids=[records[0].id]
        )
        if plugin is not None and not letters:
            raise Refused(f"{name}: plugin {plugin} owes nothing of it; see `{_SEE}`")
        held = [flag.build for flag in records[0].flags]
        states = builds.read_flags(connection, held)
        flags = [build for build in held if isinstance(states[build], PendingFlag)]
        if as_json:
            show_json(event_document(records[0], letters, flags))
        else:
            show_event(records[0], letters, flags)
        return DONE

    at_database(path, work)


def retry(path: Path, names: Sequence[str], plugin: str | None) -> None:
    """Have deliveries tried again; of no names, all; exits."""

    def work(connection: Connection, config: Config) -> int:
        need_ledger(connection)
        letters, unknown = _named(connection, config, names, plugin)
        ready = [letter for letter in letters if letter.plugin in config.plugins]
        for letter in letters:
            if letter.plugin not in config.plugins:
                complain(
                    f"{letter.number}: plugin {letter.plugin} is not configured; put it"
                    f" back into {path} and reload, or `hydra-notify dead drop` this"
                )
        if ready:
            _order(connection, ready, again=True)
        failed = unknown or len(ready) < len(letters)
        return FAILED if failed else DONE

    at_database(path, work)


def drop(path: Path, names: Sequence[str], plugin: str | None, *, sure: bool) -> None:
    """Have deliveries forgotten; of no names, all; exits."""

    def work(connection: Connection, config: Config) -> int:
        need_ledger(connection)
        letters, unknown = _named(connection, config, names, plugin)
        if letters:
            if not _sure(letters, yes=sure):
                complain("nothing was dropped")
                return FAILED
            _order(connection, letters, again=False)
        return FAILED if unknown else DONE

    at_database(path, work)


_SEE: Final = "hydra-notify dead list"

_COLUMNS: Final = (
    Column("ID", number=True),
    Column("event", cut="end"),
    Column("plugin"),
    Column("standing"),
    Column("tries", number=True),
    Column("since", number=True),
    Column("last failure", cut="end"),
)


def _row(letter: Letter) -> list[str]:
    since = letter.failing_since or letter.since
    return [
        str(letter.number),
        event_words(Notification(letter.channel, letter.payload)),
        letter.plugin,
        WORDS[letter.standing],
        str(letter.attempts),
        age((letter.read - since).total_seconds()),
        letter.reason,
    ]


def _of(plugin: str | None) -> str:
    return "" if plugin is None else f" of plugin {plugin}"


def _named(
    connection: Connection, config: Config, names: Sequence[str], plugin: str | None
) -> tuple[list[Letter], bool]:
    """What was given up and is named, and whether a name stands for nothing of it."""
    if not names:
        letters = ledger.letters(connection, GIVEN_UP, plugin=plugin)
        if letters:
            return letters, False
        click.echo(f"there are no dead letters and no orphans{_of(plugin)}")
        return [], plugin is not None and plugin not in config.plugins
    ids = ledger.event_ids(connection, names)
    letters = ledger.letters(
        connection, GIVEN_UP, plugin=plugin, ids=list(ids.values())
    )
    given_up = {letter.event for letter in letters}
    unknown = [name for name in names if ids.get(name) not in given_up]
    what = f"no dead letter or orphan{_of(plugin)} has this ID"
    complain_of_unknown(unknown, what, _SEE)
    return letters, bool(unknown)


def _sure(letters: Sequence[Letter], *, yes: bool) -> bool:
    deliveries = count_of(len(letters), "delivery", "deliveries")
    events = count_of(len({letter.event for letter in letters}), "event")
    return sure(
        f"Forget {deliveries} of {events}? They are never made; a flag that nobody else"
        " holds is cleared.",
        yes=yes,
    )


def _order(connection: Connection, letters: Sequence[Letter], *, again: bool) -> None:
    named = [(letter.event, letter.plugin) for letter in letters]
    done = set(ledger.order(connection, named, again=again))
    verb = "to be tried again" if again else "to be forgotten"
    for letter in letters:
        if (letter.event, letter.plugin) in done:
            event = event_words(Notification(letter.channel, letter.payload))
            plugin = printable(letter.plugin)
            click.echo(f"{letter.number}  {printable(event)}  {plugin}: {verb}")
    if not again:
        click.echo("a flag that nobody holds any more is cleared with it")
    say_who_acts(connection)
