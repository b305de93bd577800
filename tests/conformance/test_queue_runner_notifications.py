"""Hydra: t/queue-runner/notifications.t, and nixos-tests/notifications.nix.

What a queue runner sends, and in which order: here the simulated one, on whose traffic
this project tests itself, heard by the host's own listener.
"""

from tests.ear import listening
from tests.end_to_end.stage import Stage

from hydra_notify.database import Connection
from hydra_notify.demo.simulation.build_steps import finish_step, start_step
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.hydra import Hydra
from hydra_notify.demo.simulation.queue_runner import finish_build, finish_cached_build
from hydra_notify.events import Notification

LOG = """
select format('/var/lib/hydra/build-logs/%%s/%%s', left(name, 2), substr(name, 3))
from (select replace(drvpath, '/nix/store/', '') from builds where id = %s) _ (name)
"""

FLAGGED = "select notificationpendingsince = stoptime from builds where id = %s"


def look(connection: Connection, query: str, build: int) -> object:
    row = connection.execute(query.encode(), (build,)).fetchone()
    assert row is not None
    return row[0]


def build(hydra: Hydra, build: int) -> None:
    finish_step(hydra, build, start_step(hydra, build))
    finish_build(hydra, build)


async def test_a_build_that_is_substituted_is_finished_and_no_more(
    database_url: str, hydra: Hydra
) -> None:
    (substituted,) = queue_builds(hydra)
    async with listening(database_url) as ear:
        finish_cached_build(hydra, substituted)
        await ear.until_heard(1)
        assert ear.heard == [Notification("build_finished", str(substituted))]
    assert look(hydra.connection, FLAGGED, substituted)


async def test_a_build_that_is_built_is_started_has_a_step_and_is_finished(
    database_url: str, hydra: Hydra
) -> None:
    (built,) = queue_builds(hydra)
    async with listening(database_url) as ear:
        build(hydra, built)
        await ear.until_heard(3)
        log = look(hydra.connection, LOG, built)
        assert ear.heard == [
            Notification("build_started", str(built)),
            Notification("step_finished", f"{built}\t1\t{log}"),
            Notification("build_finished", str(built)),
        ]
    assert look(hydra.connection, FLAGGED, built)


async def test_a_plugin_is_told_in_the_order_of_the_emitters(stage: Stage) -> None:
    """Of the evaluation, too: eval-jobset/notifications.t. Ends as notifications.nix
    does: with a build that succeeded, told to a plugin."""
    stage.puppet("one", manifest={"events": ["*"]})
    await stage.start_inside(sweep_interval=30)
    (built,) = queue_builds(stage.hydra)
    build(stage.hydra, built)
    told = []
    for _ in range(6):
        told.append(await stage.event("one"))
        await told[-1].succeed()
    assert [each.frame["params"]["name"] for each in told] == [
        "eval_started",
        "build_queued",
        "eval_added",
        "build_started",
        "step_finished",
        "build_finished",
    ]
    assert (told[-1].data["build"], told[-1].data["buildStatus"]) == (built, 0)
    await stage.cleared(built)
