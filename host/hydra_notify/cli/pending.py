"""`hydra-notify pending`: what is not delivered yet, and who owes it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from hydra_notify import builds, ledger
from hydra_notify.builds import PendingBuild
from hydra_notify.cli.at_database import DONE, at_database, complain, ledger_fault
from hydra_notify.cli.letters import as_document, next_step
from hydra_notify.cli.listing import (
    Column,
    age,
    count_of,
    event_words,
    show_json,
    show_table,
    status_words,
)
from hydra_notify.config import Config
from hydra_notify.database import Connection
from hydra_notify.events import Notification
from hydra_notify.ledger import Letter

_BUILDS: Final = (
    Column("build", number=True),
    Column("job", cut="begin"),
    Column("status"),
    Column("pending", number=True),
    Column("owed by"),
    Column("next try"),
    Column("last failure", cut="end"),
)

_DELIVERIES: Final = (
    Column("ID", number=True),
    Column("event", cut="end"),
    Column("owed by"),
    Column("next try"),
    Column("tries", number=True),
    Column("last failure", cut="end"),
)


def show(path: Path, limit: int, *, as_json: bool) -> None:
    """List what is pending, at most `limit` of each kind; exits."""

    def work(connection: Connection, _: Config) -> int:
        fault = ledger_fault(connection)
        total = builds.count_pending(connection)
        oldest = builds.oldest_pending(connection, limit)
        owed: Mapping[int, list[Letter]] = {}
        unflagged_total, unflagged = 0, list[Letter]()
        if not fault:
            named = [each.build for each in oldest]
            owed = ledger.letters_of_builds(connection, named)
            unflagged_total, unflagged = ledger.unflagged(connection, limit)
        left = builds.count_task_retries(connection)
        if as_json:
            show_json(
                {
                    "pending_builds": total,
                    "builds": [
                        _document(each, owed.get(each.build, ())) for each in oldest
                    ],
                    "ledger_fault": fault or None,
                    "deliveries_without_flag": unflagged_total,
                    "deliveries": [as_document(letter) for letter in unflagged],
                    "taskretries": left,
                }
            )
            return DONE
        _show_builds(total, oldest, owed)
        _show_unflagged(unflagged_total, unflagged)
        if fault:
            complain(f"who owes them is not known: {fault}")
        if left:
            click.echo(
                f"\nHydra's own hydra-notify has left {count_of(left, 'row')} in"
                " taskretries; see `hydra-notify taskretries list`"
            )
        return DONE

    at_database(path, work)


def _show_builds(
    total: int, oldest: Sequence[PendingBuild], owed: Mapping[int, list[Letter]]
) -> None:
    if not oldest:
        click.echo("no build is pending")
        return
    rows = [row for each in oldest for row in _rows(each, owed.get(each.build, ()))]
    show_table(_BUILDS, rows)
    click.echo(f"\n{_so_many(len(oldest), total)} pending builds")
    if any(not owed.get(each.build) for each in oldest):
        click.echo("Where nobody is named, no plugin has settled or failed it yet.")


def _show_unflagged(total: int, deliveries: Sequence[Letter]) -> None:
    if not total:
        return
    click.echo()
    show_table(
        _DELIVERIES,
        [
            [
                str(each.number),
                event_words(Notification(each.channel, each.payload)),
                each.plugin,
                next_step(each),
                str(each.attempts),
                each.reason,
            ]
            for each in deliveries
        ],
    )
    shown = _so_many(len(deliveries), total)
    click.echo(f"\n{shown} deliveries that no flag stands for")


def _so_many(shown: int, total: int) -> str:
    return f"{total:,}" if shown == total else f"the oldest {shown:,} of {total:,}"


def _rows(build: PendingBuild, letters: Sequence[Letter]) -> list[list[str]]:
    status = status_words(build.status, finished=build.finished)
    head = [str(build.build), build.job, status, age(build.age)]
    rows = [[each.plugin, next_step(each), each.reason] for each in letters]
    first, *others = rows or [["-", "", ""]]
    return [[*head, *first], *(["", "", "", "", *other] for other in others)]


def _document(build: PendingBuild, letters: Sequence[Letter]) -> dict[str, object]:
    return {
        "build": build.build,
        "job": build.job,
        "finished": build.finished,
        "status": build.status,
        "status_words": status_words(build.status, finished=build.finished),
        "since": build.since,
        "age_seconds": build.age,
        "deliveries": [as_document(letter) for letter in letters],
    }
