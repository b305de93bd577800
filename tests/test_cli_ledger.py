"""`hydra-notify ledger`: made once, said how it is, and by whom it may be made."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from uuid import uuid4

import pytest
from tests.command_line import Commands, run
from tests.ledger_records import dead, record

from hydra_notify import ledger
from hydra_notify.database import Connection, connect
from hydra_notify.ledger.schema import MIGRATIONS
from hydra_notify.records import DeliveryRecord


@pytest.fixture
def owner(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        yield connection


@pytest.fixture
def commands(database_url: str, tmp_path: Path) -> Commands:
    commands = Commands(tmp_path / "hydra-notify.toml")
    commands.configure(database_url, {"one": {}})
    return commands


@pytest.fixture
def role(owner: Connection) -> Iterator[str]:
    """A role that may log in, of a name that has to be quoted."""
    role = f'no "{uuid4().hex}"'
    owner.execute(f"create role {ledger.quoted(role)} login".encode())
    yield role
    name = ledger.quoted(role)
    owner.execute(f"drop owned by {name}; drop role {name}".encode())


def test_it_is_made_once(commands: Commands) -> None:
    assert "ledger create" in commands.said("ledger", "status", status=1)
    absent = commands.said("ledger", "status", "--json", status=1)
    assert json.loads(absent)["version"] is None
    assert "made the ledger, version 1" in commands.said("ledger", "create")
    assert "version 1 already" in commands.said("ledger", "create")
    assert "none is active" in commands.said("ledger", "status")


def test_its_state_is_told(commands: Commands, owner: Connection) -> None:
    commands.said("ledger", "create")
    ledger.claim(owner, "a")
    events = [record(1, dead("one"), DeliveryRecord("two")), record(2, dead("one"))]
    ledger.write(owner, "a", [*events, record(3, dead("one"), opened=False)], [])
    told = json.loads(commands.said("ledger", "status", "--json"))
    assert (told["version"], told["usable"], told["active_host"]) == (1, True, False)
    assert (told["open_events"], told["closed_events"]) == (2, 1)
    assert told["plugins"]["one"] == {
        "owed": 0,
        "dead": 3,
        "orphaned": 0,
        "again": 0,
        "drop": 0,
    }
    text = commands.said("ledger", "status")
    assert "2 open, 1 closed" in text
    assert ["one", "0", "3", "0", "0", "0"] in [
        line.split() for line in text.splitlines()
    ]


@pytest.mark.parametrize("command", ["status", "create"])
def test_a_newer_ledger_needs_a_newer_program(
    commands: Commands, owner: Connection, command: str
) -> None:
    ledger.create(owner)
    owner.execute("update hydra_notify.meta set version = 99")
    said = commands.said("ledger", command, status=1)
    assert "version 99" in said
    assert "upgrade hydra-notify" in said


def test_an_older_ledger_is_brought_up_to_date(
    commands: Commands, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.create(owner)
    more = (*MIGRATIONS, "comment on schema hydra_notify is 'more';")
    monkeypatch.setattr("hydra_notify.ledger.schema.MIGRATIONS", more)
    for name in ("hydra_notify.ledger.schema.VERSION", "hydra_notify.ledger.VERSION"):
        monkeypatch.setattr(name, 2)
    assert "bring it up to date" in commands.said("ledger", "status", status=1)
    assert "bring it up to date" in commands.said("dead", "list", status=1)
    assert "from version 1 to 2" in commands.said("ledger", "create")
    assert commands.said("ledger", "status").startswith("ledger  version 2")


def test_who_may_not_make_it_is_told_who_may(
    commands: Commands, database_url: str, role: str
) -> None:
    commands.configure(url_of(database_url, role), {})
    said = commands.said("ledger", "create", status=1)
    assert "permission denied" in said
    assert f"hydra-notify ledger ddl --role {quote(role)} | psql" in said


def test_the_statements_are_printed_without_configuration_or_database(
    tmp_path: Path,
) -> None:
    result = run("ledger", "ddl", cwd=tmp_path, HYDRA_DATABASE_URL="nonsense")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("begin;")
    assert "grant" not in result.stdout


def test_psql_runs_what_is_printed_for_a_role_that_uses_it(
    commands: Commands, owner: Connection, database_url: str, role: str
) -> None:
    psql = shutil.which("psql")
    statements = commands.said("ledger", "ddl", "--role", role)
    if psql is None:
        owner.execute(statements.encode())
    else:
        subprocess.run(
            [psql, "--quiet", "--set", "ON_ERROR_STOP=1", database_url],
            input=statements.encode(),
            check=True,
        )
    commands.configure(url_of(database_url, role), {})
    assert commands.said("ledger", "status").startswith("ledger  version 1")


def test_a_database_that_cannot_be_reached_has_a_status_of_its_own(
    tmp_path: Path,
) -> None:
    url = "postgresql:///hydra?host=/no/such/directory"
    (tmp_path / "hydra-notify.toml").write_text(f'[database]\nurl = "{url}"\n')
    for command in (["ledger", "create"], ["dead", "list"], ["pending"]):
        result = run(*command, cwd=tmp_path)
        assert (result.returncode, result.stdout) == (69, "")
        assert "/no/such/directory" in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_a_configuration_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hydra-notify.toml").write_text('[databse]\nurl = "x"\n')
    result = run("ledger", "status", cwd=tmp_path)
    assert result.returncode == 2
    assert "databse" in result.stderr


def url_of(database_url: str, role: str) -> str:
    """The database, for another role."""
    name = role.replace('"', "%22").replace(" ", "%20")
    return database_url.replace("//hydra@", f"//{name}@")
