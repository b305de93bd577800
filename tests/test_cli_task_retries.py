"""`hydra-notify taskretries`: what becomes of each row that Perl has left."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.command_line import Commands
from tests.hydra_rows import TRUNK, insert, insert_finished, loaded

from hydra_notify import ledger
from hydra_notify.database import Connection, connect
from hydra_notify.demo.simulation.schema import BASE_VERSION, UPGRADES
from hydra_notify.events import BuildFinished
from hydra_notify.records import Standing

RUN_COMMAND = "Hydra::Plugin::RunCommand"


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        ledger.create(connection)
        insert_finished(connection, 1, notificationpendingsince=None)
        insert_finished(connection, 2)
        yield connection


@pytest.fixture
def commands(connection: Connection, database_url: str, tmp_path: Path) -> Commands:
    commands = Commands(tmp_path / "hydra-notify.toml")
    commands.configure(
        database_url,
        {
            "run_command": {},
            "github-status": {"match": {"statuses": ["failed"]}},
            "mail": {},
        },
    )
    return commands


def leave(
    connection: Connection,
    payload: str,
    name: str = RUN_COMMAND,
    channel: str = "build_finished",
    attempts: int = 4,
) -> None:
    columns = {
        "channel": channel,
        "pluginname": name,
        "payload": payload,
        "attempts": attempts,
        "retry_at": 1_700_000_000,
    }
    insert(connection, "taskretries", columns)


def left(connection: Connection) -> list[str]:
    rows = connection.execute("select payload from taskretries order by id").fetchall()
    return [payload for (payload,) in rows]


def deliveries(connection: Connection) -> list[tuple[str, str, Standing, int]]:
    return [
        (each.payload, each.plugin, each.standing, each.attempts)
        for each in ledger.letters(connection, Standing)
    ]


@pytest.mark.parametrize(
    "database_url", range(BASE_VERSION, max(UPGRADES) + 1), indirect=True
)
def test_rows_go_to_the_plugin_of_the_same_name(
    commands: Commands, connection: Connection
) -> None:
    leave(connection, "1")
    leave(connection, "trace\t1", channel="eval_started", attempts=101)
    told = json.loads(commands.said("taskretries", "list", "--json"))
    assert [row["plugin"] for row in told] == ["run_command", "run_command"]
    assert told[0]["retry_at"] == 1_700_000_000
    assert "imported into the ledger: 2 rows" in commands.said("taskretries", "import")
    assert left(connection) == []
    assert sorted(deliveries(connection)) == [
        ("1", "run_command", Standing.AGAIN, 4),
        (f"trace\t{TRUNK}", "run_command", Standing.AGAIN, 101),
    ]
    # It is the event that a notification of it would be.
    (id_,) = ledger.event_ids(connection, [loaded(connection, BuildFinished(1)).id])
    assert id_.startswith("build_finished:1:")


def test_rows_that_nobody_can_deliver_are_left_with_the_reason(
    commands: Commands, connection: Connection
) -> None:
    leave(connection, "1", "Hydra::Plugin::SlackNotification")
    leave(connection, "1", "Hydra::Plugin::GithubStatus")
    leave(connection, "99")
    leave(connection, "1\tx\x1b[31m")
    leave(connection, "1", channel="no_such_channel")
    leave(connection, "1")
    said = commands.said("taskretries", "import", status=1)
    for reason in (
        "no plugin takes the place of Hydra::Plugin::SlackNotification",
        "plugin github-status may not have it by its `match`: 2",
        "build 99 is not there: 3",
        "build is not an integer",
        "no such channel: 'no_such_channel': 5",
        "imported into the ledger: 1 row",
        "hydra-notify taskretries discard ID...",
    ):
        assert reason in said
    assert "\x1b" not in said
    assert len(left(connection)) == 5


def test_a_class_goes_where_it_is_told(
    commands: Commands, connection: Connection
) -> None:
    leave(connection, "1")
    leave(connection, "1", "Hydra::Plugin::EmailNotification")
    mapping = (f"--map={RUN_COMMAND}=mail", "--map=EmailNotification=mail")
    commands.said("taskretries", "import", *mapping)
    assert left(connection) == []
    assert deliveries(connection) == [("1", "mail", Standing.AGAIN, 4)]


@pytest.mark.parametrize(
    ("mapping", "wrong"),
    [
        ("RunCommand", "write CLASS=PLUGIN"),
        ("=mail", "write CLASS=PLUGIN"),
        ("RunCommand=post", "plugin post is not configured (but: run_command,"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(
    commands: Commands, mapping: str, wrong: str
) -> None:
    said = commands.said("taskretries", "import", "--map", mapping, status=2)
    assert wrong in said


def test_of_two_rows_for_the_same_the_one_tried_more_often_counts(
    commands: Commands, connection: Connection
) -> None:
    for attempts in (2, 9, 3):
        leave(connection, "1", attempts=attempts)
    commands.said("taskretries", "import")
    assert left(connection) == []
    assert deliveries(connection) == [("1", "run_command", Standing.AGAIN, 9)]


def test_the_flag_of_a_build_is_as_good_as_a_row(
    commands: Commands, connection: Connection
) -> None:
    leave(connection, "2")
    leave(connection, "1\t2")
    said = commands.said("taskretries", "import")
    assert "removed: 1 row" in said
    assert left(connection) == []
    # It speaks for a build without a flag, too.
    assert deliveries(connection) == [("1\t2", "run_command", Standing.AGAIN, 4)]


def test_a_dry_run_only_says_what_would_be_done(
    commands: Commands, connection: Connection
) -> None:
    leave(connection, "1")
    said = commands.said("taskretries", "import", "--dry-run")
    assert "would be imported into the ledger: 1 row" in said
    assert left(connection) == ["1"]
    assert deliveries(connection) == []


def test_many_rows_are_taken_in_batches(
    commands: Commands, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra_notify.cli.task_retries.LOAD_BATCH", 3)
    for trace in range(10):
        leave(connection, f"t{trace}\t{TRUNK}", channel="eval_started")
    said = commands.said("taskretries", "import")
    assert "imported into the ledger: 10 rows" in said
    assert len(deliveries(connection)) == 10


def test_without_a_ledger_nothing_is_imported(
    commands: Commands, connection: Connection
) -> None:
    connection.execute("drop schema hydra_notify cascade")
    leave(connection, "1")
    said = commands.said("taskretries", "import", status=1)
    assert "make it with `hydra-notify ledger create`" in said
    assert left(connection) == ["1"]


def test_rows_are_discarded_by_id_or_all(
    commands: Commands, connection: Connection
) -> None:
    for payload in ("1", "2", "3"):
        leave(connection, payload)
    said = commands.said("taskretries", "discard", "2", "9", status=1)
    assert "9: taskretries has no such row" in said
    assert "discarded 1 row" in said
    assert left(connection) == ["1", "3"]
    assert "discarded 2 rows" in commands.said("taskretries", "discard", "--all")
    assert "is empty" in commands.said("taskretries", "discard", "--all")
    assert "is empty" in commands.said("taskretries", "list")
    assert "is empty" in commands.said("taskretries", "import")


@pytest.mark.parametrize("arguments", [[], ["1", "--all"], ["x"], ["0"], ["9" * 10]])
def test_nothing_is_discarded_that_is_not_named(
    commands: Commands, connection: Connection, arguments: list[str]
) -> None:
    leave(connection, "1")
    commands.said("taskretries", "discard", *arguments, status=2)
    assert left(connection) == ["1"]


def test_a_hydra_without_the_table_has_left_nothing(
    commands: Commands, connection: Connection
) -> None:
    connection.execute("drop table taskretries")
    assert "is empty" in commands.said("taskretries", "list")
    assert "is empty" in commands.said("taskretries", "import")
