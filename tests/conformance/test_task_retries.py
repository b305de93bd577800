"""Hydra: t/Hydra/Schema/Result/TaskRetries.t, t/Hydra/Schema/ResultSet/TaskRetries.t.

The table is Hydra's; here retries are in the queue of their plugin, and in the ledger.
"""

import math

from tests.hydra_rows import insert

from hydra_notify import builds
from hydra_notify.builds import TaskRetry
from hydra_notify.database import Connection
from hydra_notify.delivery import Delivery, Fate, OpenEvent, OpenEvents, Queue
from hydra_notify.events import BuildEvent
from hydra_notify.outcomes import Retry

MIDDLE = 0.5
"""Chance that moves a delay neither up nor down."""


def owed() -> OpenEvent:
    event = OpenEvent(BuildEvent("build_started", 1), "build_started:1", "build/1", ())
    event.payloads = {frozenset(): b"{}"}
    return event


def fail(queue: Queue, now: float) -> Delivery:
    """Have the next delivery sent and fail."""
    queue.advance(now)
    (delivery,) = queue.take(1, now)
    assert queue.answer(delivery, Retry("no"), now, MIDDLE) is Fate.RETRYING
    # It is read again before it is sent again.
    delivery.event.payloads = {frozenset(): b"{}"}
    return delivery


def test_a_task_that_fails_is_saved_with_one_attempt_and_due_in_two_seconds() -> None:
    queue = Queue(OpenEvents().parked, parts=frozenset())
    queue.add(owed())
    assert fail(queue, now=100).attempt == 1
    assert queue.next_due == 102


def test_requeued_it_is_due_in_four_seconds_then_in_eight() -> None:
    queue = Queue(OpenEvents().parked, parts=frozenset())
    queue.add(owed())
    for attempt, now, due in ((1, 0, 2), (2, 2, 6), (3, 6, 14)):
        assert fail(queue, now).attempt == attempt
        assert queue.next_due == due


def test_without_retries_there_is_nothing_to_wait_for_and_no_task() -> None:
    queue = Queue(OpenEvents().parked, parts=frozenset())
    assert queue.next_due == math.inf
    queue.advance(now=0)
    assert queue.take(1, now=0) == []


def test_of_retries_in_the_future_the_wait_is_known_and_there_is_no_task() -> None:
    queue = Queue(OpenEvents().parked, parts=frozenset())
    queue.restore(Delivery(owed(), attempt=1, due=100.0), now=0)
    assert queue.next_due == 100
    queue.advance(now=0)
    assert queue.take(1, now=0) == []


def test_a_retry_in_the_past_is_a_task_at_once() -> None:
    queue = Queue(OpenEvents().parked, parts=frozenset())
    later, past = Delivery(owed(), due=100.0), Delivery(owed(), due=-100.0)
    queue.restore(later, now=0)
    queue.restore(past, now=0)
    queue.advance(now=0)
    assert queue.take(9, now=0) == [past]


def test_a_row_that_perl_has_left_is_channel_class_payload_and_attempts(
    connection: Connection,
) -> None:
    insert(
        connection,
        "taskretries",
        {
            "channel": "build_started",
            "pluginname": "bogus plugin",
            "payload": "123",
            "attempts": 1,
            "retry_at": 1_700_000_000,
        },
    )
    (row,) = builds.task_retries(connection, after=0, limit=10)
    assert row == TaskRetry(
        row.id, "build_started", "bogus plugin", "123", 1, 1_700_000_000
    )
