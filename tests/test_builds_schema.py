"""What is said about a schema or a role that the host cannot work with."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from uuid import uuid4

import pytest

from hydra_notify import builds
from hydra_notify.builds.schema import STATEMENTS
from hydra_notify.database import Connection, connect
from hydra_notify.demo.simulation.schema import BASE_VERSION, UPGRADES
from hydra_notify.errors import DatabaseError, DatabaseLost, PermissionDenied


@pytest.fixture
def owner(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        yield connection


@pytest.fixture
def host(database_url: str, owner: Connection) -> Iterator[Connection]:
    """A connection of a role with the privileges that the README names."""
    role = f"notify_{uuid4().hex}"
    owner.execute(f"create role {role} login".encode())
    owner.execute(f"grant select on all tables in schema public to {role}".encode())
    grant = "grant update (notificationpendingsince) on builds"
    owner.execute(f"{grant} to {role}".encode())
    with connect(database_url.replace("//hydra@", f"//{role}@")) as connection:
        yield connection
    owner.execute(f"drop owned by {role}; drop role {role}".encode())


def test_every_statement_is_checked() -> None:
    # What only operators' commands run is refused before an operator's eyes.
    names = {module.name for module in iter_modules(builds.__path__)}
    names -= {"backlog", "task_retries"}
    rooms = [import_module(f"hydra_notify.builds.{name}") for name in names]
    found = {
        value
        for room in rooms
        for name, value in vars(room).items()
        if isinstance(value, str) and not name.startswith("_") and "from " in value
    }
    found -= {
        text for text in found if not text.lstrip().startswith(("select", "with"))
    }
    assert found == {*STATEMENTS, "select version from schemaversion"}


@pytest.mark.parametrize(
    "database_url", range(BASE_VERSION, max(UPGRADES) + 1), indirect=True
)
def test_the_least_privileges_and_every_known_schema_pass(host: Connection) -> None:
    builds.check(host)


def test_a_check_changes_nothing_and_leaves_no_transaction(owner: Connection) -> None:
    owner.execute("begin read only")
    builds.check(owner)
    owner.execute("commit")


def test_all_privileges_that_are_missing_are_named_at_once(
    owner: Connection, host: Connection
) -> None:
    role = host.info.user
    for privilege in (
        "select on jobsets, buildoutputs",
        "update (notificationpendingsince) on builds",
    ):
        owner.execute(f"revoke {privilege} from {role}".encode())
    with pytest.raises(PermissionDenied) as caught:
        builds.check(host)
    said = str(caught.value)
    assert f'GRANT SELECT ON buildoutputs, jobsets TO "{role}";' in said
    update = f'GRANT UPDATE (notificationpendingsince) ON builds TO "{role}";'
    assert update in said
    _, _, cure = said.partition("run: ")
    owner.execute(cure.encode())
    builds.check(host)


def test_a_version_that_may_not_be_read_is_told_with_the_grant(
    owner: Connection, host: Connection
) -> None:
    role = host.info.user
    privilege = "select on schemaversion"
    owner.execute(f"revoke {privilege} from {role}".encode())
    with pytest.raises(PermissionDenied, match="GRANT SELECT ON schemaversion TO"):
        builds.schema_version(host)


def test_a_privilege_on_columns_is_enough(owner: Connection, host: Connection) -> None:
    role = host.info.user
    privilege = "select on users"
    owner.execute(f"revoke {privilege} from {role}".encode())
    columns = "username, fullname, emailaddress, emailonerror"
    owner.execute(f"grant select ({columns}) on users to {role}".encode())
    builds.check(host)


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ("alter table builds drop column homepage", "homepage"),
        ("alter table jobsets rename column flake to source", "flake"),
    ],
)
def test_a_missing_column_is_named_with_the_version(
    owner: Connection, change: str, column: str
) -> None:
    owner.execute(change.encode())
    owner.execute("update schemaversion set version = 99")
    with pytest.raises(DatabaseError, match=rf"version 99.*{column}"):
        builds.check(owner)


def test_a_missing_table_is_waited_for(owner: Connection) -> None:
    owner.execute("drop table buildmetrics")
    with pytest.raises(DatabaseLost, match="buildmetrics"):
        builds.check(owner)
