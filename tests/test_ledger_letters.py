"""What operators see of the ledger, and what they may have done."""

from collections.abc import Iterator

import psycopg
import pytest
from tests.ledger_records import dead, record

from hydra_notify import ledger
from hydra_notify.database import Connection, connect
from hydra_notify.events import ORDERS_CHANNEL, Notification
from hydra_notify.ledger import Owed
from hydra_notify.records import DeliveryRecord, Standing

GIVEN_UP = (Standing.DEAD, Standing.ORPHANED)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        ledger.create(connection)
        ledger.claim(connection, "a")
        yield connection


def owed(build: int, plugin: str, attempts: int = 5) -> Owed:
    event = record(build)
    return Owed(event.id, event.notification, event.subject, plugin, attempts, "taken")


def standings(connection: Connection) -> list[tuple[str, str, Standing, int]]:
    return [
        (each.payload, each.plugin, each.standing, each.attempts)
        for each in ledger.letters(connection, Standing)
    ]


def test_letters_are_found_by_standing_plugin_and_event(connection: Connection) -> None:
    first = record(1, dead("one"), DeliveryRecord("two", Standing.ORPHANED))
    second = record(2, dead("one", "why"), DeliveryRecord("two"))
    ledger.write(connection, "a", [first, second], [])
    assert len(ledger.letters(connection, Standing)) == 4
    assert len(ledger.letters(connection, GIVEN_UP)) == 3
    (one,) = ledger.letters(connection, GIVEN_UP, plugin="one", ids=[second.id])
    assert (one.event, one.payload, one.reason) == (second.id, "2", "why")
    assert (one.attempts, one.crashes, one.due) == (3, 1, None)
    assert one.failing_since is not None
    assert 59 < (one.read - one.failing_since).total_seconds() < 3600
    assert ledger.letters(connection, GIVEN_UP, ids=[]) == []


def test_a_retry_says_when_it_is_due(connection: Connection) -> None:
    waiting = DeliveryRecord("one", due_in=3600.0)
    ledger.write(connection, "a", [record(1, waiting, DeliveryRecord("two"))], [])
    one, two = ledger.letters(connection, Standing)
    assert one.due is not None
    assert one.due > one.read
    assert two.due is None


def test_events_are_named_by_id_or_number(connection: Connection) -> None:
    ledger.write(connection, "a", [record(1, dead("one")), record(2, dead("one"))], [])
    letters = ledger.letters(connection, Standing)
    for letter in letters:
        for name in (letter.event, str(letter.number)):
            assert ledger.event_ids(connection, [name]) == {name: letter.event}
    assert ledger.event_ids(connection, ["nothing", "99", "", "-1", "9" * 99]) == {}


def test_what_is_ordered_is_told_to_the_host(
    connection: Connection, database_url: str
) -> None:
    event = record(1, dead("one"), DeliveryRecord("two"))
    ledger.write(connection, "a", [event], [])
    with connect(database_url) as host:
        host.execute(f"listen {ORDERS_CHANNEL}".encode())
        named = [(event.id, "one"), (event.id, "two"), ("nothing", "one")]
        assert ledger.order(connection, named, again=True) == [(event.id, "one")]
        assert [each.channel for each in host.notifies(timeout=5, stop_after=1)]
    # What is ordered already is no dead letter any more.
    assert ledger.order(connection, named, again=False) == []


def test_who_owes_a_build_is_found_by_its_flag(connection: Connection) -> None:
    head = record(1, DeliveryRecord("one"), dead("two"), flags=(1, 2))
    ledger.write(connection, "a", [head, record(3, DeliveryRecord("one"))], [])
    found = ledger.letters_of_builds(connection, [2, 3, 4])
    assert [each.plugin for each in found[2]] == ["one", "two"]
    assert (found[3], found[4]) == ([], [])


def test_deliveries_that_no_flag_stands_for_are_counted_and_cut(
    connection: Connection,
) -> None:
    ledger.write(
        connection,
        "a",
        [
            record(1, DeliveryRecord("one"), flags=(1,)),
            record(2, DeliveryRecord("one"), dead("two")),
            record(3, DeliveryRecord("one")),
        ],
        [],
    )
    total, oldest = ledger.unflagged(connection, 1)
    assert (total, [each.payload for each in oldest]) == (2, ["2"])


def test_the_ledger_is_counted_and_measured(connection: Connection) -> None:
    events = [record(1, dead("one"), DeliveryRecord("two")), record(2, dead("one"))]
    ledger.write(connection, "a", [*events, record(3, dead("x"), opened=False)], [])
    assert ledger.counts(connection) == [
        ("one", Standing.DEAD, 2),
        ("two", Standing.OWED, 1),
        ("x", Standing.DEAD, 1),
    ]
    sizes = ledger.sizes(connection)
    assert (sizes.open_events, sizes.closed_events) == (2, 1)
    assert sizes.total_bytes > 0


def test_a_delivery_that_somebody_else_began_is_ordered(connection: Connection) -> None:
    with connection.transaction():
        ledger.adopt(connection, [owed(1, "one"), owed(1, "two", 9), owed(2, "one")])
    assert standings(connection) == [
        ("1", "one", Standing.AGAIN, 5),
        ("1", "two", Standing.AGAIN, 9),
        ("2", "one", Standing.AGAIN, 5),
    ]
    (order, *_) = ledger.orders(connection)
    assert order.event.notification == Notification("build_finished", "1")


def test_what_the_ledger_has_is_not_taken_over_again_unless_it_was_given_up(
    connection: Connection,
) -> None:
    known = record(1, DeliveryRecord("one", attempts=1), dead("two"), flags=(1,))
    ledger.write(connection, "a", [known], [])
    with connection.transaction():
        ledger.adopt(connection, [owed(1, "one"), owed(1, "two"), owed(1, "three")])
    assert standings(connection) == [
        ("1", "one", Standing.OWED, 1),
        ("1", "three", Standing.AGAIN, 5),
        ("1", "two", Standing.AGAIN, 3),
    ]
    (event,) = ledger.events(connection, [known.id])
    assert event.flags == known.flags


def test_no_batch_of_the_host_is_under_way_while_deliveries_are_taken_over(
    connection: Connection, database_url: str
) -> None:
    with connect(database_url) as host:
        host.execute("set lock_timeout = '50ms'")
        with connection.transaction():
            ledger.adopt(connection, [owed(1, "one")])
            with pytest.raises(psycopg.errors.LockNotAvailable):
                ledger.write(host, "a", [record(2)], [])
