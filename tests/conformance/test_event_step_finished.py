"""Hydra: t/Hydra/Event/StepFinished.t."""

import pytest
from tests.conformance.upstream import interested, parsed, refused
from tests.event_samples import NO_PARTS, build_data
from tests.hydra_rows import insert, insert_build, loaded

from hydra_notify.database import Connection
from hydra_notify.events import StepFinished

NEEDED = "these are needed: build, step, log path"


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ("", f"0 fields where {NEEDED}"),
        ("abc123", f"1 fields where {NEEDED}"),
        ("abc123\tabc123", f"2 fields where {NEEDED}"),
        ("1\t2\t/p\t/q", f"4 fields where {NEEDED}"),
        ("abc123\t123\t/p", "build is not an integer: 'abc123'"),
        ("123\tabc123\t/p", "step is not an integer: 'abc123'"),
        # Not a case of Hydra's suite, but what its daemon does: Perl's split drops it.
        ("123\t456\t", f"2 fields where {NEEDED}"),
    ],
)
def test_payloads_that_are_refused(payload: str, why: str) -> None:
    assert refused("step_finished", payload) == why


@pytest.mark.parametrize(
    ("payload", "log"),
    [("123\t456\t/path/to/logfile", "/path/to/logfile"), ("123\t456\t-", None)],
)
def test_payloads_that_are_taken(payload: str, log: str | None) -> None:
    assert parsed("step_finished", payload) == StepFinished(123, 456, log)


def test_a_plugin_without_a_hook_is_not_interested() -> None:
    assert not interested("step_finished", "build_*")
    assert interested("step_finished", "step_finished")


def test_the_hook_gets_the_step_of_that_number_and_the_log(
    connection: Connection,
) -> None:
    insert_build(connection, 123)
    for number in (455, 456):
        row = {"build": 123, "stepnr": number, "type": 0, "busy": 0, "status": 0}
        insert(connection, "buildsteps", row | {"drvpath": f"/nix/store/{number}.drv"})
    event = parsed("step_finished", "123\t456\t/path/to/logfile")
    data = build_data(loaded(connection, event), NO_PARTS)
    assert (data.event, data.build) == ("stepFinished", 123)
    assert data.step
    assert (data.step.stepnr, data.step.drv_path) == (456, "/nix/store/456.drv")
    assert data.step.log_path == "/path/to/logfile"
