"""The rows that change when builds finish."""

from collections.abc import Sequence
from typing import Final

from hydra_notify.database import Connection
from hydra_notify.demo.simulation.outcome_log import Finished

MARK_FINISHED: Final = """
update builds set finished = 1, buildstatus = o.status, starttime = o.start,
                  stoptime = o.stop, iscachedbuild = %(cached)s,
                  notificationpendingsince = o.pending
from unnest(%(builds)s::int[], %(statuses)s::int[], %(starts)s::bigint[],
            %(stops)s::bigint[], %(flags)s::bigint[])
     o (build, status, start, stop, pending)
where builds.id = o.build
"""


def mark_finished(
    connection: Connection, outcomes: Sequence[Finished], *, cached: bool
) -> None:
    """Write outcomes and pending flags."""
    connection.execute(
        MARK_FINISHED,
        {
            "cached": int(cached),
            "builds": [outcome.build for outcome in outcomes],
            "statuses": [outcome.status for outcome in outcomes],
            "starts": [outcome.start for outcome in outcomes],
            "stops": [outcome.stop for outcome in outcomes],
            "flags": [outcome.pending for outcome in outcomes],
        },
    )


PROPAGATE_FAILURE: Final = """
insert into buildsteps (build, stepnr, type, drvpath, busy, status, starttime, stoptime,
                        propagatedfrom)
select d.id, coalesce((select max(stepnr) from buildsteps where build = d.id), 0) + 1,
       0, h.drvpath, 0, %(status)s, %(start)s, %(stop)s, h.id
from builds d, builds h
where h.id = %(head)s and d.id = any(%(dependents)s)
  and not exists (select from buildsteps where build = d.id and propagatedfrom = h.id)
"""


def propagate_failure(
    connection: Connection, head: Finished, dependents: Sequence[int]
) -> None:
    """Give every dependent a failed step that points at the build which failed."""
    connection.execute(
        PROPAGATE_FAILURE,
        {
            "head": head.build,
            "status": head.status,
            "start": head.start,
            "stop": head.stop,
            "dependents": list(dependents),
        },
    )


FORGET_RESULTS: Final = """
with products as (delete from buildproducts where build = %(build)s)
delete from buildmetrics where build = %(build)s
"""

RECORD_SIZE: Final = """
update builds set size = %(size)s, closuresize = 11 * %(size)s::bigint,
                  releasename = case when %(size)s %% 4 = 0 then nixname end
where id = %(build)s
"""

FILL_OUTPUT: Final = """
update buildoutputs set path = %(path)s
where build = %(build)s and name = %(name)s and path is null
"""

INSERT_PRODUCT: Final = """
insert into buildproducts (build, productnr, type, subtype, name, path, defaultpath,
                           filesize, sha256hash)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

INSERT_METRIC: Final = """
insert into buildmetrics (build, name, unit, value, project, jobset, job, timestamp)
select b.id, %(name)s, %(unit)s, %(value)s, j.project, j.name, b.job, b.timestamp
from builds b join jobsets j on j.id = b.jobset_id
where b.id = %(build)s
"""


def insert_results(
    connection: Connection,
    finished: Finished,
    outputs: Sequence[tuple[str, str]],
    products: Sequence[tuple[object, ...]],
    metrics: Sequence[tuple[str, str | None, float]],
    size: int | None,
) -> None:
    """Replace what a build has to show.

    Args:
        outputs: Name and store path; empty where the build has failed.
        products: The columns of `INSERT_PRODUCT` after the number.
        metrics: Name, unit and value.
        size: Bytes.
    """
    build = finished.build
    connection.execute(FORGET_RESULTS, {"build": build})
    connection.execute(RECORD_SIZE, {"build": build, "size": size})
    for name, path in outputs:
        connection.execute(FILL_OUTPUT, {"build": build, "name": name, "path": path})
    for number, product in enumerate(products, 1):
        connection.execute(INSERT_PRODUCT, (build, number, *product))
    for name, unit, value in metrics:
        connection.execute(
            INSERT_METRIC, {"build": build, "name": name, "unit": unit, "value": value}
        )
