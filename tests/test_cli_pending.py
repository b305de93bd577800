"""`hydra-notify pending`: what is not delivered yet, of every schema that there is."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.command_line import Commands
from tests.hydra_rows import STOP, insert_build, insert_finished
from tests.ledger_records import record

from hydra_notify import ledger
from hydra_notify.database import Connection, connect
from hydra_notify.demo.simulation.schema import BASE_VERSION, UPGRADES
from hydra_notify.records import DeliveryRecord

MANY = """
insert into builds (id, finished, timestamp, jobset_id, job, drvpath, system,
                    buildstatus, starttime, stoptime, notificationpendingsince)
select i, 1, 0, 1, 'job-' || i, 'd', 'x', 0, 1, 2, i from generate_series(1, 3000) i
"""


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        yield connection


@pytest.fixture
def commands(database_url: str, tmp_path: Path) -> Commands:
    commands = Commands(tmp_path / "hydra-notify.toml")
    commands.configure(database_url, {"one": {}})
    return commands


@pytest.mark.parametrize(
    "database_url", range(BASE_VERSION, max(UPGRADES) + 1), indirect=True
)
def test_builds_are_listed_oldest_first_with_a_word_for_each_status(
    commands: Commands, connection: Connection
) -> None:
    insert_finished(connection, 5, status=1, notificationpendingsince=STOP + 1)
    insert_finished(connection, 7, status=0)
    insert_finished(connection, 8, notificationpendingsince=None)
    insert_build(connection, 9, notificationpendingsince=STOP + 2)
    head, *lines = commands.said("pending").splitlines()
    assert head.split()[:3] == ["build", "job", "status"]
    assert [line.split()[:3] for line in lines[:3]] == [
        ["7", "nixpkgs:trunk:hello.x86_64-linux", "succeeded"],
        ["5", "nixpkgs:trunk:hello.x86_64-linux", "failed"],
        ["9", "nixpkgs:trunk:hello.x86_64-linux", "restarted"],
    ]
    told = json.loads(commands.said("pending", "--json").partition("hydra-notify:")[0])
    assert told["pending_builds"] == 3
    assert "ledger create" in told["ledger_fault"]
    assert [each["since"] - STOP for each in told["builds"]] == [0, 1, 2]
    assert all(each["age_seconds"] > 0 for each in told["builds"])


def test_a_long_list_is_cut_and_counted(
    commands: Commands, connection: Connection
) -> None:
    connection.execute(MANY)
    ledger.create(connection)
    text = commands.said("pending")
    assert "the oldest 50 of 3,000 pending builds" in text
    assert len(text.splitlines()) < 60
    told = json.loads(commands.said("pending", "--limit", "2", "--json"))
    assert [each["build"] for each in told["builds"]] == [1, 2]
    assert told["pending_builds"] == 3000


def test_nothing_pending_is_said(commands: Commands, connection: Connection) -> None:
    ledger.create(connection)
    assert commands.said("pending") == "no build is pending\n"


def test_every_plugin_that_owes_a_build_has_a_line(
    commands: Commands, connection: Connection
) -> None:
    ledger.create(connection)
    ledger.claim(connection, "a")
    insert_finished(connection, 1)
    insert_finished(connection, 2, notificationpendingsince=STOP + 1)
    one, two = DeliveryRecord("one", reason="refused"), DeliveryRecord("two")
    ledger.write(connection, "a", [record(1, one, two, flags=(1,))], [])
    _, first, second, other, *_ = commands.said("pending").splitlines()
    assert first.split()[-3:] == ["one", "now", "refused"]
    assert second.split() == ["two", "now"]
    assert other.split()[-1] == "-"


def test_what_perl_has_left_is_mentioned(
    commands: Commands, connection: Connection
) -> None:
    connection.execute(
        "insert into taskretries (channel, pluginname, payload, attempts, retry_at)"
        " values ('build_finished', 'Hydra::Plugin::RunCommand', '1', 1, 2)"
    )
    assert "1 row in taskretries" in commands.said("pending")
    connection.execute("drop table taskretries")
    assert "taskretries" not in commands.said("pending")
