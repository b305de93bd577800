"""Steps of builds."""

from typing import Final

from hydra_notify.builds.build_rows import store_path
from hydra_notify.database import Connection
from hydra_notify.limits import ERROR_LENGTH
from hydra_notify_sdk.wire import Output, Step

StepKey = tuple[int, int]
"""A build's id, and the number of the step."""

# Hydra has `resolveddrvpath` since version 87. A name that the innermost table does not
# have is looked up outside, where `absent` has it: one statement for all versions.
STEPS: Final = """
select s.build, s.stepnr, s.type, s.drvpath, s.status, left(s.errormsg, %s),
       s.starttime, s.stoptime, s.machine, s.system, s.propagatedfrom,
       (select resolveddrvpath from buildsteps t
        where t.build = s.build and t.stepnr = s.stepnr)
from unnest(%s::int4[], %s::int4[]) as asked (build, stepnr)
join buildsteps s on s.build = asked.build and s.stepnr = asked.stepnr
cross join (select null::text as resolveddrvpath) as absent
"""

STEP_OUTPUTS: Final = """
select o.build, o.stepnr, o.name, o.path
from unnest(%s::int4[], %s::int4[]) as asked (build, stepnr)
join buildstepoutputs o on o.build = asked.build and o.stepnr = asked.stepnr
order by o.build, o.stepnr, o.name
"""


def read_steps(connection: Connection, keys: list[StepKey]) -> dict[StepKey, Step]:
    """These steps, without a log path; two statements.

    An error message may be one character longer than `ERROR_LENGTH`: then it was cut.
    """
    builds, numbers = [key[0] for key in keys], [key[1] for key in keys]
    found: dict[StepKey, Step] = {}
    rows = connection.execute(STEPS, (ERROR_LENGTH + 1, builds, numbers)).fetchall()
    for build, number, type_, drv, status, error, start, stop, *rest in rows:
        machine, system, propagated, resolved = rest
        found[build, number] = Step(
            build=build,
            stepnr=number,
            type=type_,
            drv_path=store_path(drv),
            status=status,
            error_msg=error,
            start_time=start,
            stop_time=stop,
            machine=machine,
            system=system,
            propagated_from=propagated,
            resolved_drv_path=store_path(resolved),
            outputs=[],
            log_path=None,
        )
    for build, number, name, path in connection.execute(
        STEP_OUTPUTS, (builds, numbers)
    ).fetchall():
        found[build, number].outputs.append(Output(name, store_path(path)))
    return found
