"""`hydra-notify dead`: what it lists and shows, what it orders, and what it refuses."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.command_line import Commands
from tests.hydra_rows import insert_finished
from tests.ledger_records import dead, record

from hydra_notify import ledger
from hydra_notify.database import Connection, connect
from hydra_notify.records import DeliveryRecord, Standing

END_WAITING = """
select pg_terminate_backend(pid) from pg_locks
where relation = 'hydra_notify.delivery'::regclass and not granted
"""

ESCAPES = "HTTP 404\x1b[31m from\n\tover there\x07"


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        ledger.create(connection)
        ledger.claim(connection, "a")
        orphan = DeliveryRecord("gone", Standing.ORPHANED, reason="removed")
        first = record(1, dead("one", ESCAPES), orphan, flags=(1,))
        second = record(2, dead("one"), dead("two"), opened=False)
        owed = record(3, DeliveryRecord("one", due_in=3600.0))
        ledger.write(connection, "a", [first, second, owed], [])
        yield connection


@pytest.fixture
def commands(connection: Connection, database_url: str, tmp_path: Path) -> Commands:
    commands = Commands(tmp_path / "hydra-notify.toml")
    commands.configure(database_url, {"one": {}, "two": {}})
    return commands


def number(connection: Connection, build: int) -> str:
    (letter, *_) = ledger.letters(connection, Standing, ids=[record(build).id])
    return str(letter.number)


def standings(connection: Connection) -> dict[tuple[str, str], str]:
    letters = ledger.letters(connection, Standing)
    return {(each.payload, each.plugin): each.standing.value for each in letters}


def test_letters_and_orphans_are_listed_each_on_a_line(
    commands: Commands, connection: Connection
) -> None:
    head, *lines = commands.said("dead", "list").splitlines()
    assert head.split()[:3] == ["ID", "event", "plugin"]
    assert [line.split()[2:5] for line in lines] == [
        ["1", "gone", "orphaned"],
        ["1", "one", "dead"],
        ["2", "one", "dead"],
        ["2", "two", "dead"],
    ]
    # Nothing is cut where there is no terminal, and nothing acts on one.
    assert lines[1].endswith("HTTP 404·[31m from  over there·")
    told = json.loads(commands.said("dead", "list", "--plugin", "one", "--json"))
    assert [each["payload"] for each in told] == ["1", "2"]
    assert told[0]["reason"] == ESCAPES
    none = commands.said("dead", "list", "--plugin", "three")
    assert none == "no dead letters and no orphans of plugin three\n"


def test_one_event_is_shown_with_all_that_is_known_of_it(
    commands: Commands, connection: Connection
) -> None:
    insert_finished(connection, 1)
    text = commands.said("dead", "show", number(connection, 1))
    assert record(1).id in text
    assert "flags held builds 1" in text
    assert "one: dead" in text
    assert "gone: orphaned" in text
    assert "    HTTP 404·[31m from\n     over there·\n" in text
    assert f"hydra-notify dead retry {number(connection, 1)}" in text
    told = json.loads(commands.said("dead", "show", record(1).id, "--json"))
    assert told["pending_builds"] == [1]
    assert [each["plugin"] for each in told["deliveries"]] == ["gone", "one"]
    assert "owed, next try in 59 min" in commands.said("dead", "show", record(3).id)


@pytest.mark.parametrize("command", ["show", "retry", "drop"])
@pytest.mark.parametrize("name", ["99", "build_finished:99", "🦉", ""])
def test_an_event_that_is_not_there_is_named(
    commands: Commands, command: str, name: str
) -> None:
    said = commands.said("dead", command, name, status=1)
    assert f"{name}: " in said
    assert "see `hydra-notify dead list`" in said


def test_what_is_owed_is_no_dead_letter(
    commands: Commands, connection: Connection
) -> None:
    said = commands.said("dead", "drop", number(connection, 3), status=1)
    assert "no dead letter or orphan" in said
    assert standings(connection)["3", "one"] == "owed"


def test_letters_are_ordered_by_number_id_and_plugin(
    commands: Commands, connection: Connection
) -> None:
    said = commands.said("dead", "retry", record(2).id, "--plugin", "two")
    assert "no host is active" in said
    commands.said("dead", "retry", number(connection, 1), "--plugin", "one")
    said = commands.said("dead", "drop", number(connection, 2), "77", status=1)
    assert "77: no dead letter or orphan has this ID" in said
    assert standings(connection) == {
        ("1", "gone"): "orphaned",
        ("1", "one"): "again",
        ("2", "one"): "drop",
        ("2", "two"): "again",
        ("3", "one"): "owed",
    }
    # What is ordered is listed until a host has done it.
    assert "retrying" in commands.said("dead", "list")


def test_all_of_them_may_be_ordered_at_once(
    commands: Commands, connection: Connection
) -> None:
    said = commands.said("dead", "retry", "--all", status=1)
    assert "plugin gone is not configured" in said
    assert set(standings(connection).values()) == {"again", "orphaned", "owed"}
    commands.said("dead", "drop", "--all", "--plugin", "gone")
    assert "there are no dead letters" in commands.said("dead", "drop", "--all")
    commands.said("dead", "drop", "--all", "--plugin", "no-such-plugin", status=1)


@pytest.mark.parametrize("command", ["retry", "drop"])
@pytest.mark.parametrize("arguments", [[], ["1", "--all"]])
def test_nothing_is_ordered_that_is_not_named(
    commands: Commands, command: str, arguments: list[str]
) -> None:
    assert "--all" in commands.said("dead", command, *arguments, status=2)


def test_without_a_ledger_there_is_nothing_to_see(
    commands: Commands, connection: Connection
) -> None:
    connection.execute("drop schema hydra_notify cascade")
    for arguments in (["list"], ["show", "1"], ["retry", "--all"], ["drop", "1"]):
        said = commands.said("dead", *arguments, status=1)
        assert "make it with `hydra-notify ledger create`" in said


def test_a_database_that_goes_away_has_a_status_of_its_own(
    commands: Commands, connection: Connection
) -> None:
    command = ["dead", "retry", "--all", "--config", str(commands.path)]
    with (
        connection.transaction(),
        subprocess.Popen(
            [sys.executable, "-m", "hydra_notify", *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        connection.execute("lock table hydra_notify.delivery in share mode")
        while connection.execute(END_WAITING).fetchall() == []:
            assert process.poll() is None
        _, said = process.communicate(timeout=60)
    assert process.returncode == 69
    assert "the database went away" in said
    assert len(said.splitlines()) <= 2
    assert "again" not in standings(connection).values()


@pytest.mark.parametrize(("answer", "status"), [("n", 1), ("y", 0)])
def test_a_person_is_asked_before_anything_is_dropped(
    commands: Commands, connection: Connection, answer: str, status: int
) -> None:
    controller, terminal = pty.openpty()
    command = ["dead", "drop", record(2).id, "--config", str(commands.path)]
    try:
        os.write(controller, f"{answer}\n".encode())
        result = subprocess.run(
            [sys.executable, "-m", "hydra_notify", *command],
            stdin=terminal,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(controller)
        os.close(terminal)
    assert result.returncode == status
    assert "Forget 2 deliveries of 1 event?" in result.stderr
    dropped = {("2", "one"): "drop", ("2", "two"): "drop"}
    assert (dropped.items() <= standings(connection).items()) == (answer == "y")
