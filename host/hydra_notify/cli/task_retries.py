"""`hydra-notify taskretries`: what Hydra's Perl daemon has left, and who gets it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from hydra_notify import builds, ledger
from hydra_notify.builds import TaskRetry
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
from hydra_notify.cli.listing import (
    Column,
    count_of,
    event_words,
    printable,
    show_json,
    show_table,
)
from hydra_notify.cli.succession import Judged, classes_of, judge, plugin_of
from hydra_notify.config import Config
from hydra_notify.database import Connection, translated
from hydra_notify.errors import PermissionDenied
from hydra_notify.events import Notification
from hydra_notify.limits import LOAD_BATCH

_SEE: Final = "hydra-notify taskretries list"

_COLUMNS: Final = (
    Column("ID", number=True),
    Column("event", cut="end"),
    Column("Perl class", cut="begin"),
    Column("tries", number=True),
    Column("goes to", cut="end"),
)


def show(path: Path, *, as_json: bool) -> None:
    """List all rows; exits."""

    def work(connection: Connection, config: Config) -> int:
        rows = [row for page in _pages(connection) for row in page]
        if as_json:
            show_json([_document(row, config) for row in rows])
        elif rows:
            show_table(_COLUMNS, [_row(row, _goes_to(row, config)) for row in rows])
            click.echo(f"\n{count_of(len(rows), 'row')}")
        else:
            click.echo("taskretries is empty: Hydra's own hydra-notify left nothing")
        return DONE

    at_database(path, work)


def take_over(path: Path, mapping: Sequence[str], *, dry_run: bool) -> None:
    """Make deliveries of the rows; exits."""

    def work(connection: Connection, config: Config) -> int:
        classes = classes_of(mapping, config)
        need_ledger(connection)
        taken, held, left = 0, 0, list[Judged]()
        for page in _pages(connection):
            judged = judge(connection, page, config, classes)
            left += [each for each in judged if each.left]
            ready = [each for each in judged if not each.left]
            if not dry_run:
                ready = _take_over(connection, ready)
            taken += sum(each.owed is not None for each in ready)
            held += sum(each.owed is None for each in ready)
        _report(taken, held, left, dry_run=dry_run)
        if taken and not dry_run:
            say_who_acts(connection)
        return FAILED if left else DONE

    at_database(path, work)


def discard(path: Path, ids: Sequence[int], *, sure: bool) -> None:
    """Delete rows; of no ids, all; exits."""

    def work(connection: Connection, _: Config) -> int:
        there = [row.id for page in _pages(connection) for row in page]
        named = [id_ for id_ in there if id_ in set(ids)] if ids else there
        unknown = [str(id_) for id_ in dict.fromkeys(ids) if id_ not in set(there)]
        complain_of_unknown(unknown, "taskretries has no such row", _SEE)
        if not ids and not there:
            click.echo("taskretries is empty")
        if not named:
            return FAILED if unknown else DONE
        if not _sure(len(named), yes=sure):
            complain("nothing was discarded")
            return FAILED
        gone = _remove(connection, named)
        click.echo(f"discarded {count_of(len(gone), 'row')}")
        return FAILED if unknown else DONE

    at_database(path, work)


def _sure(number: int, *, yes: bool) -> bool:
    rows = count_of(number, "row")
    return sure(
        f"Delete {rows} of taskretries? What they stand for is not delivered.", yes=yes
    )


def _pages(connection: Connection) -> Iterator[list[TaskRetry]]:
    after = 0
    while page := builds.task_retries(connection, after, LOAD_BATCH):
        yield page
        after = page[-1].id


def _take_over(connection: Connection, judged: Sequence[Judged]) -> list[Judged]:
    """Move rows into the ledger, all or none; those that were still there."""
    with connection.transaction():
        gone = _remove(connection, [each.row.id for each in judged])
        taken = [each for each in judged if each.row.id in gone]
        # Of two rows for the same, the one that was tried more often.
        by_tries = sorted(taken, key=lambda each: each.row.attempts)
        owed = {(o.event, o.plugin): o for each in by_tries if (o := each.owed)}
        if owed:
            ledger.adopt(connection, list(owed.values()))
    return taken


def _remove(connection: Connection, ids: Sequence[int]) -> set[int]:
    try:
        with translated():
            return builds.remove_task_retries(connection, ids)
    except PermissionDenied as error:
        role = ledger.quoted(connection.info.user)
        raise Refused(
            f"{error}; as the owner of Hydra's tables run:"
            f" GRANT DELETE ON taskretries TO {role};"
        ) from error


def _report(taken: int, held: int, left: Sequence[Judged], *, dry_run: bool) -> None:
    if not (taken or held or left):
        click.echo("taskretries is empty: there is nothing to import")
        return
    would = "would be " if dry_run else ""
    click.echo(f"{would}imported into the ledger: {count_of(taken, 'row')}")
    if held:
        click.echo(
            f"{would}removed: {count_of(held, 'row')}, since the flags of their builds"
            " are set and the host delivers them anyway"
        )
    if not left:
        return
    click.echo(f"{would}left: {count_of(len(left), 'row')}")
    by_reason: dict[str, list[str]] = {}
    for each in left:
        by_reason.setdefault(each.why, []).append(str(each.row.id))
    for why, ids in by_reason.items():
        click.echo(f"  {printable(why)}: {' '.join(ids)}")
    click.echo("to delete them: hydra-notify taskretries discard ID...")


def _goes_to(row: TaskRetry, config: Config) -> str:
    plugin = plugin_of(row, config, {})
    return "nobody: see import --map" if plugin is None else plugin.name


def _row(row: TaskRetry, last: str) -> list[str]:
    event = event_words(Notification(row.channel, row.payload))
    return [str(row.id), event, row.plugin_class, str(row.attempts), last]


def _document(row: TaskRetry, config: Config) -> dict[str, object]:
    plugin = plugin_of(row, config, {})
    return {
        "id": row.id,
        "channel": row.channel,
        "class": row.plugin_class,
        "payload": row.payload,
        "attempts": row.attempts,
        "retry_at": row.retry_at,
        "plugin": None if plugin is None else plugin.name,
    }
