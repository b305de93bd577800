"""Hydra: t/Hydra/Math.t."""

import pytest

from hydra_notify.backoff import retry_delay


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(0, 1), (1, 2), (2, 4), (9, 512), (10, 1024), (11, 1024), (11_000, 1024)],
)
def test_the_wait_doubles_up_to_1024_seconds(attempts: int, seconds: float) -> None:
    assert retry_delay(attempts, chance=0.5) == seconds


def test_unlike_hydra_chance_spreads_it_by_a_tenth() -> None:
    """What failed together, when a service went down, does not come back together."""
    assert retry_delay(10, chance=0.0) == pytest.approx(921.6)
    assert retry_delay(10, chance=1.0) == pytest.approx(1126.4)
