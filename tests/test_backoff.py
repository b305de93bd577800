"""Delays: of retries, of restarts, of reconnects."""

import pytest

from hydra_notify.backoff import (
    CrashHistory,
    reconnect_delay,
    retry_delay,
    worth_saying,
)

MIDDLE = 0.5
"""Chance that moves a delay neither up nor down."""


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 2), (2, 4), (9, 512), (10, 1024), (11_000, 1024)]
)
def test_a_retry_waits_twice_as_long_each_time_up_to_a_cap(
    attempt: int, seconds: float
) -> None:
    assert retry_delay(attempt, MIDDLE) == seconds


def test_chance_spreads_retries_by_a_tenth_both_ways() -> None:
    assert retry_delay(1, 0.0) == pytest.approx(1.8)
    assert retry_delay(1, 1.0) == pytest.approx(2.2)


def test_a_reconnect_comes_at_once_at_first_and_never_waits_longer_than_the_cap() -> (
    None
):
    assert reconnect_delay(0, 0.99) == pytest.approx(0.1)
    assert reconnect_delay(1000, 1.0) == pytest.approx(1.5)


def test_restarts_wait_one_second_then_double_up_to_a_minute() -> None:
    history = CrashHistory()
    delays = []
    for crash in range(8):
        # Far apart, so that it does not count as flapping.
        history = history.add(now=crash * 1000.0, ready_for=0.0)
        delays.append(history.restart_delay(MIDDLE))
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_plugin_that_was_ready_for_a_minute_starts_over_with_one_second() -> None:
    history = CrashHistory().add(0.0, ready_for=0.0).add(100.0, ready_for=0.0)
    assert history.add(200.0, ready_for=60.0).restart_delay(MIDDLE) == 1


def test_a_sixth_crash_within_a_minute_is_flapping_and_probed_once_a_minute() -> None:
    history = CrashHistory()
    for crash in range(5):
        history = history.add(now=float(crash), ready_for=0.0)
    assert not history.flapping
    history = history.add(now=5.0, ready_for=0.0)
    assert history.flapping
    assert history.restart_delay(MIDDLE) == 60


def test_a_plugin_that_hangs_at_every_start_is_flapping_in_the_end() -> None:
    history = CrashHistory()
    for crash in range(6):
        history = history.add(now=crash * 90.0, ready_for=0.0)
        assert not history.flapping
    assert history.add(now=540.0, ready_for=59.0).flapping


def test_crashes_of_more_than_a_minute_ago_do_not_make_it_flapping() -> None:
    history = CrashHistory()
    for crash in range(5):
        history = history.add(now=float(crash), ready_for=0.0)
    assert not history.add(now=66.0, ready_for=0.0).flapping


def test_a_flapping_plugin_is_flapping_until_it_was_ready_for_a_minute() -> None:
    history = CrashHistory()
    for crash in range(6):
        history = history.add(now=float(crash), ready_for=0.0)
    # Probed once a minute, it never crashes six times in one.
    history = history.add(now=65.0, ready_for=0.0)
    assert history.flapping
    assert not history.add(now=130.0, ready_for=60.0).flapping


def test_of_failures_in_a_row_ever_fewer_are_worth_saying() -> None:
    said = [failures for failures in range(1, 100) if worth_saying(failures)]
    assert said == [1, 2, 4, 8, 16, 32, 64]
