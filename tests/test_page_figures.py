"""Numbers, durations and ages are said in units that a tired person reads at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_notify.page import figures


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (7, "7"),
        (999, "999"),
        (1_000, "1 k"),
        (1_234, "1.2 k"),
        (9_960, "10 k"),
        (12_345, "12 k"),
        (999_400, "999 k"),
        (999_600, "1 M"),
        (1_500_000, "1.5 M"),
        (2_000_000_000, "2 G"),
        (10**12, "1 T"),
    ],
)
def test_a_count_is_short(number: int, words: str) -> None:
    assert figures.count(number) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (0.004, "< 0.1"),
        (0.05, "0.1"),
        (0.3, "0.3"),
        (1, "1"),
        (9.94, "9.9"),
        (9.96, "10"),
        (22.4, "22"),
        (1_234, "1.2 k"),
    ],
)
def test_a_rate_that_is_small_is_not_none(number: float, words: str) -> None:
    assert figures.rate(number) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (0, "0 s"),
        (0.0004, "0.4 ms"),
        (0.042, "42 ms"),
        (0.35, "350 ms"),
        (0.9996, "1 s"),
        (1.24, "1.2 s"),
        (12.6, "12 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (185, "3 min"),
        (3_600, "1 h"),
        (7_500, "2 h 5 min"),
        (36_000 + 300, "10 h"),
        (172_799, "47 h"),
        (172_800, "2 d"),
    ],
)
def test_a_duration_has_the_unit_that_tells_most(seconds: float, words: str) -> None:
    assert figures.duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "now"), (-0.4, "now"), (61, "1 min ago"), (-61, "in 1 min"), (5, "5 s ago")],
)
def test_an_age_says_whether_it_has_passed_or_comes(seconds: float, words: str) -> None:
    assert figures.age(seconds) == words


def test_what_should_have_come_is_due() -> None:
    assert [figures.due(seconds) for seconds in (-61, 0, 9)] == [
        "in 1 min",
        "due",
        "due",
    ]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_whatever_a_clock_says_there_is_a_moment(moment: float) -> None:
    assert figures.clock(moment).endswith(" UTC")


@given(st.floats(min_value=0, max_value=1e15))
def test_no_figure_is_longer_than_its_place(number: float) -> None:
    assert max(len(figures.count(number)), len(figures.rate(number))) <= len("1000 T")
