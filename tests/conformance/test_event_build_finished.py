"""Hydra: t/Hydra/Event/BuildFinished.t."""

import pytest
from tests.conformance.upstream import interested, parsed, refused
from tests.event_samples import build_data
from tests.hydra_rows import insert_build, insert_finished, load, loaded

from hydra_notify.database import Connection
from hydra_notify.events import BuildFinished
from hydra_notify.facts import Absent


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ("", "no fields where at least one build is needed"),
        ("abc123", "build is not an integer: 'abc123'"),
        ("123\tabc123", "build is not an integer: 'abc123'"),
    ],
)
def test_payloads_that_are_refused(payload: str, why: str) -> None:
    assert refused("build_finished", payload) == why


@pytest.mark.parametrize(
    ("payload", "dependents"),
    [
        ("123", ()),
        ("123\t456", (456,)),
        ("123\t456\t789\t012\t345", (456, 789, 12, 345)),
    ],
)
def test_payloads_that_are_taken(payload: str, dependents: tuple[int, ...]) -> None:
    assert parsed("build_finished", payload) == BuildFinished(123, dependents)


@pytest.mark.parametrize(
    ("events", "is_it"), [((), False), (("build_finished",), True)]
)
def test_a_plugin_without_a_hook_is_not_interested(
    events: tuple[str, ...], is_it: bool
) -> None:
    assert interested("build_finished", *events) is is_it


def test_the_hook_gets_the_build_and_its_dependents_in_the_order_announced(
    connection: Connection,
) -> None:
    for build, status in ((20, 1), (30, 2), (10, 2)):
        insert_finished(connection, build, status, job=f"job-{build}")
    event = BuildFinished(20, (30, 10))
    data = build_data(
        loaded(connection, event, "dependents"), frozenset({"dependents"})
    )
    assert (data.event, data.build, data.job) == ("buildFinished", 20, "job-20")
    assert data.dependent_ids == [30, 10]
    assert data.dependents
    assert [each.job for each in data.dependents] == ["job-30", "job-10"]


def test_unlike_hydra_a_head_among_its_dependents_is_named_once() -> None:
    """The queue runner sends it so; each Perl plugin that counts has to know."""
    assert parsed("build_finished", "42\t41\t42\t43") == BuildFinished(42, (41, 43))


def test_unlike_hydra_a_build_that_is_gone_or_not_finished_fails_nobody(
    connection: Connection,
) -> None:
    """Perl tries a missing one 102 times, and at its start tells of restarted ones."""
    insert_build(connection, 8)
    for build, why in ((7, "is not there"), (8, "is not finished")):
        event = BuildFinished(build)
        assert load(connection, event) == Absent(event, f"build {build} {why}")
