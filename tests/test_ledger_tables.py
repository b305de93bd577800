"""The ledger's tables: how they are made, written by one host, read and pruned."""

import threading
from collections.abc import Iterator
from typing import Final
from uuid import uuid4

import pytest
from tests.ledger_records import dead, record

from hydra_notify import ledger
from hydra_notify.database import Connection, connect, translated
from hydra_notify.errors import LedgerTaken, PermissionDenied
from hydra_notify.events import Notification
from hydra_notify.facts import PendingFlag
from hydra_notify.ledger.schema import LOCK, MIGRATIONS
from hydra_notify.records import DeliveryRecord, EventRecord, Standing

WAITING: Final = (
    "select count(*) from pg_locks where locktype = 'advisory' and not granted"
)

AGED: Final = "update hydra_notify.delivery set changed_at = now() - interval '2 days'"


@pytest.fixture
def bare(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        yield connection


@pytest.fixture
def connection(bare: Connection) -> Connection:
    """To a ledger that host "a" writes."""
    ledger.create(bare)
    ledger.claim(bare, "a")
    return bare


def everything(connection: Connection) -> list[EventRecord]:
    return ledger.open_page(connection, 0, 100)[1]


def test_two_that_make_it_at_once_take_turns(
    bare: Connection, database_url: str
) -> None:
    made: list[tuple[int, int]] = []

    def make() -> None:
        with connect(database_url) as connection:
            made.append(ledger.create(connection))

    threads = [threading.Thread(target=make) for _ in range(2)]
    with bare.transaction():
        bare.execute("select pg_advisory_xact_lock(%s, %s)", LOCK)
        for thread in threads:
            thread.start()
        while bare.execute(WAITING).fetchone() != (2,):
            assert all(thread.is_alive() for thread in threads)
    for thread in threads:
        thread.join()
    assert sorted(made) == [(0, ledger.VERSION), (ledger.VERSION, ledger.VERSION)]


def test_what_is_printed_makes_what_create_makes(bare: Connection) -> None:
    assert ledger.version(bare) == 0
    bare.execute(ledger.ddl().encode())
    assert ledger.version(bare) == ledger.VERSION
    assert ledger.create(bare) == (ledger.VERSION, ledger.VERSION)


def test_a_ledger_is_brought_up_to_date_step_by_step(
    bare: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.create(bare)
    more = (*MIGRATIONS, "alter table hydra_notify.meta add column more integer;")
    monkeypatch.setattr("hydra_notify.ledger.schema.MIGRATIONS", more)
    monkeypatch.setattr("hydra_notify.ledger.schema.VERSION", len(more))
    assert ledger.create(bare) == (len(more) - 1, len(more))
    assert bare.execute("select more from hydra_notify.meta").fetchall() == [(None,)]


def test_a_newer_ledger_is_left_as_it_is(connection: Connection) -> None:
    connection.execute("update hydra_notify.meta set version = 99")
    assert ledger.create(connection) == (99, 99)


def test_a_role_that_lacks_one_privilege_is_told_which(
    connection: Connection, database_url: str
) -> None:
    role = f"notify_{uuid4().hex}"
    connection.execute(f"create role {role} login".encode())
    try:
        with connect(database_url.replace("//hydra@", f"//{role}@")) as other:
            with pytest.raises(PermissionDenied), translated():
                ledger.version(other)
            for grant in ledger.grants(role):
                connection.execute(grant.encode())
            revoke = "revoke delete on hydra_notify.event from"
            connection.execute(f"{revoke} {role}".encode())
            assert ledger.version(other) == ledger.VERSION
            with pytest.raises(PermissionDenied, match=r"delete hydra_notify\.event"):
                ledger.claim(other, "b")
    finally:
        connection.execute(f"drop owned by {role}; drop role {role}".encode())


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a\0b", "ab"),
        ("half \ud800 of a pair", "half ? of a pair"),
        ("\x1b[31m\ttab\nline ✓ 🦉 \u202e", "\x1b[31m\ttab\nline ✓ 🦉 \u202e"),
        ("x" * 100_000, "x" * 100_000),
    ],
)
def test_a_plugin_may_say_anything(
    connection: Connection, said: str, kept: str
) -> None:
    ledger.write(connection, "a", [record(1, dead("one", said))], [])
    (event,) = everything(connection)
    assert [each.reason for each in event.deliveries] == [kept]


@pytest.mark.parametrize("name", ["plain", r"a\u0000b", r"\\u0000", r"\ud800", "🦉"])
def test_a_plugin_may_call_itself_anything(connection: Connection, name: str) -> None:
    manifest = f'{{"name":"{name}"}}'
    ledger.write_manifest(connection, "a", "one", ["x", "y z"], manifest)
    ledger.write_manifest(connection, "a", "one", ["x", "y z"], manifest)
    assert ledger.manifests(connection) == {"one": (("x", "y z"), manifest)}


def test_what_is_written_is_read_again(connection: Connection) -> None:
    written = EventRecord(
        "eval_added:trä\u202ece:1:2",
        Notification("eval_added", "trä\u202ece\t1\t2"),
        "eval-trace/trä\u202ece",
        (PendingFlag(7, 2**33, None, None, 2**33), PendingFlag(8, 1, 0, 1, 2)),
        True,
        (
            DeliveryRecord("one", Standing.ORPHANED, 0),
            DeliveryRecord("two", Standing.OWED, 2**31 - 1, 3),
        ),
    )
    ledger.write(connection, "a", [written], [])
    assert everything(connection) == [written]


def test_a_delivery_that_is_no_longer_named_is_settled(connection: Connection) -> None:
    one, two = DeliveryRecord("one"), DeliveryRecord("two")
    ledger.write(connection, "a", [record(1, one, two), record(2, one)], [])
    ledger.write(connection, "a", [record(1, two), record(2)], [])
    assert everything(connection) == [record(1, two), record(2)]


def test_only_the_host_that_claimed_it_last_writes(connection: Connection) -> None:
    ledger.write(connection, "a", [record(1)], [])
    ledger.claim(connection, "b")
    with pytest.raises(LedgerTaken):
        ledger.write(connection, "a", [record(2)], [record(1).id])
    with pytest.raises(LedgerTaken):
        ledger.write_manifest(connection, "a", "one", ["x"], "{}")
    with pytest.raises(LedgerTaken):
        ledger.confirm(connection, "a", [])
    assert everything(connection) == [record(1)]
    ledger.write(connection, "b", [], [record(1).id])
    assert everything(connection) == []


def test_what_an_operator_has_ordered_stands_until_the_host_takes_it(
    connection: Connection,
) -> None:
    retried, dropped = record(1, dead("one"), dead("two")), record(2, dead("one"))
    ledger.write(connection, "a", [retried, dropped], [])
    ledger.order(connection, [(retried.id, "one")], again=True)
    ledger.order(connection, [(dropped.id, "one")], again=False)
    # What the host writes now, it knew before.
    ledger.write(connection, "a", [retried, record(2)], [])
    again, forget = orders = ledger.orders(connection)
    assert (again.event.id, again.plugin, again.again) == (retried.id, "one", True)
    assert [each.standing for each in again.event.deliveries] == [
        Standing.AGAIN,
        Standing.DEAD,
    ]
    assert (forget.event.id, forget.plugin, forget.again) == (dropped.id, "one", False)
    # Until it says that it has obeyed, they stand.
    assert len(ledger.orders(connection)) == 2
    ledger.confirm(connection, "a", orders)
    assert ledger.orders(connection) == []
    first, second = everything(connection)
    assert [(d.plugin, d.standing) for d in first.deliveries] == [
        ("one", Standing.OWED),
        ("two", Standing.DEAD),
    ]
    assert second == record(2)


def test_what_is_tried_again_has_all_its_time_again(connection: Connection) -> None:
    event = record(1, dead("one"))
    ledger.write(connection, "a", [event], [])
    ledger.order(connection, [(event.id, "one")], again=True)
    ((delivery,),) = (o.event.deliveries for o in ledger.orders(connection))
    assert (delivery.attempts, delivery.failing_for) == (3, None)


def test_an_event_of_which_the_last_letter_is_dropped_is_forgotten(
    connection: Connection,
) -> None:
    closed = record(1, dead("one"), opened=False)
    ledger.write(connection, "a", [closed], [])
    assert ledger.kept_ids(connection) == {closed.id}
    ledger.order(connection, [(closed.id, "one")], again=False)
    ledger.confirm(connection, "a", ledger.orders(connection))
    assert ledger.kept_ids(connection) == set()


def test_a_letter_that_is_tried_again_opens_its_event(connection: Connection) -> None:
    closed = record(1, dead("one"), opened=False)
    ledger.write(connection, "a", [closed], [])
    ledger.order(connection, [(closed.id, "one")], again=True)
    ledger.confirm(connection, "a", ledger.orders(connection))
    assert [event.id for event in everything(connection)] == [closed.id]


def test_old_letters_that_hold_nothing_are_pruned(connection: Connection) -> None:
    old = record(1, dead("one"), opened=False)
    half = record(2, dead("one"), dead("two"), opened=False)
    held = record(3, dead("one"), flags=(3,))
    ordered = record(4, dead("one"), opened=False)
    ledger.write(connection, "a", [old, half, held, ordered], [])
    connection.execute(AGED)
    ledger.write(connection, "a", [half], [])
    ledger.order(connection, [(ordered.id, "one")], again=True)
    connection.execute(f"{AGED} where event = %s".encode(), (ordered.id,))
    assert ledger.prune(connection, 3 * 86_400) == []
    assert ledger.prune(connection, 86_400) == [old.id]
    assert ledger.kept_ids(connection) == {half.id, ordered.id}


def test_a_page_begins_where_the_one_before_ended(connection: Connection) -> None:
    events = [record(build) for build in range(1, 8)]
    ledger.write(connection, "a", [*events, record(9, opened=False)], [])
    seen: list[EventRecord] = []
    after, page = ledger.open_page(connection, 0, 3)
    while page:
        seen += page
        after, page = ledger.open_page(connection, after, 3)
    assert seen == events
