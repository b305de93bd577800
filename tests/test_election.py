"""The lock that tells which host is active."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from hydra_notify import election
from hydra_notify.database import Connection, connect
from hydra_notify.demo.server.postgres import Server
from hydra_notify.election import Result
from hydra_notify.errors import PermissionDenied


@pytest.fixture
def one(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        yield connection


@pytest.fixture
def other(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        yield connection


@pytest.fixture
def stranger(database_url: str, server: Server) -> Iterator[Connection]:
    """A connection of a role that may do nothing special."""
    role = f"stranger_{uuid4().hex}"
    with connect(server.url()) as admin:
        admin.execute(f"create role {role} login".encode())
        with connect(database_url.replace("//hydra@", f"//{role}@")) as connection:
            yield connection
        admin.execute(f"drop role {role}".encode())


def pid(connection: Connection) -> int:
    return connection.info.backend_pid


def test_only_one_session_gets_the_lock(one: Connection, other: Connection) -> None:
    assert not election.host_is_active(other)
    assert election.take_lock(one)
    assert not election.take_lock(other)
    assert election.holder(other) == pid(one)
    assert election.host_is_active(other)


def test_the_lock_is_free_when_its_session_has_ended(
    one: Connection, other: Connection
) -> None:
    assert election.take_lock(one)
    other.execute("select pg_terminate_backend(%s, 10000)", (pid(one),))
    assert election.holder(other) is None
    assert election.take_lock(other)


def test_databases_of_one_server_have_locks_of_their_own(
    one: Connection, server: Server
) -> None:
    with connect(server.url()) as elsewhere:
        assert election.take_lock(one)
        assert election.holder(elsewhere) is None
        assert election.take_lock(elsewhere)


def test_the_lock_needs_no_grant(one: Connection, stranger: Connection) -> None:
    assert election.take_lock(stranger)
    assert election.holder(one) == pid(stranger)


def test_a_holder_is_ended_only_when_it_is_known_to_be_dead(
    one: Connection, other: Connection
) -> None:
    assert election.contend(one, dead={pid(other)}).result is Result.WON
    assert election.contend(other, dead={0}) == (Result.HELD, pid(one), "")
    assert election.contend(other, dead={pid(one)}) == (Result.ENDED, pid(one), "")


def test_ending_a_session_that_is_gone_is_fine(
    one: Connection, other: Connection
) -> None:
    gone = pid(one)
    election.terminate(other, gone)
    other.execute("select pg_terminate_backend(%s, 10000)", (gone,))
    election.terminate(other, gone)


def test_a_session_of_another_role_that_may_not_be_ended_is_told_with_the_cure(
    one: Connection, stranger: Connection
) -> None:
    assert election.take_lock(one)
    with pytest.raises(PermissionDenied, match="GRANT pg_signal_backend TO stranger_"):
        election.terminate(stranger, pid(one))
    result, holder, refusal = election.contend(stranger, dead={pid(one)})
    assert (result, holder) == (Result.HELD, pid(one))
    assert "one role" in refusal
