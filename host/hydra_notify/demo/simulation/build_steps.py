"""The steps of a simulated build, and what is announced of them."""

from typing import Final

from hydra_notify.database import Connection
from hydra_notify.demo.simulation.contents import MACHINES, store_path
from hydra_notify.demo.simulation.hydra import HYDRA_DATA, Hydra, send
from hydra_notify.demo.simulation.outcome_log import Notified

BUILDING: Final = 30
"""The value of `busy` while the builder works."""

NEXT_STEP: Final = """
select coalesce(max(stepnr), 0) + 1 from buildsteps where build = %s
"""

INSERT_STEP: Final = """
insert into buildsteps (build, stepnr, type, drvpath, busy, starttime, machine,
                        system)
select id, %(step)s, 0, coalesce(%(drv)s, drvpath), %(busy)s, %(now)s, %(machine)s,
       system
from builds where id = %(build)s
on conflict do nothing
"""

INSERT_STEP_OUTPUTS: Final = """
insert into buildstepoutputs (build, stepnr, name, path)
select build, %(step)s, name, path from buildoutputs where build = %(build)s
on conflict do nothing
"""


def start_step(hydra: Hydra, build: int, *, dependency: bool = False) -> int:
    """Start to build one derivation for a build; the step's number.

    Args:
        dependency: Whether it is something that the build needs, not its own
            derivation. Old generations do not announce the start of these.
    """
    row = hydra.commit(lambda c: c.execute(NEXT_STEP, (build,)).fetchone())
    assert row is not None
    step: int = row[0]
    values = {
        "build": build,
        "step": step,
        "drv": store_path(hydra.random, "dependency-1.0.drv") if dependency else None,
        "busy": BUILDING,
        "now": hydra.clock(),
        "machine": hydra.random.choice(MACHINES),
    }

    def work(connection: Connection) -> None:
        connection.execute(INSERT_STEP, values)
        if not dependency:
            connection.execute(INSERT_STEP_OUTPUTS, values)

    hydra.commit(work)
    if hydra.generation.starts_steps or not dependency:
        hydra.notify(Notified("build_started", str(build), (build,)))
    return step


FINISH_STEP: Final = """
update buildsteps set busy = 0, status = %(status)s, errormsg = %(error)s,
                      stoptime = %(now)s, overhead = %(overhead)s,
                      timesbuilt = 1, isnondeterministic = false
where build = %(build)s and stepnr = %(step)s
returning drvpath
"""


def finish_step(
    hydra: Hydra, build: int, step: int, status: int = 0, error: str | None = None
) -> Notified:
    """Finish a step; what was sent with that.

    Args:
        status: As of builds, and some of its own.
    """
    values = {
        "build": build,
        "step": step,
        "status": status,
        "error": error,
        "now": hydra.clock(),
        "overhead": hydra.random.randrange(20, 90_000),
    }

    def work(connection: Connection) -> Notified:
        row = connection.execute(FINISH_STEP, values).fetchone()
        assert row is not None, f"build {build} has no step {step}"
        name = row[0].rpartition("/")[2]
        path = f"{HYDRA_DATA}/build-logs/{name[:2]}/{name[2:]}"
        sent = Notified("step_finished", f"{build}\t{step}\t{path}", (build,))
        send(connection, sent)
        return sent

    sent = hydra.commit(work)
    hydra.log.add(sent)
    return sent
