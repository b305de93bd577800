"""Builds, and what belongs to them: outputs, products, metrics.

Each function is one statement, whatever the number of builds.
"""

from collections.abc import Iterable
from math import isfinite
from typing import Final, NamedTuple, overload

from hydra_notify.database import Connection, TupleRow
from hydra_notify_sdk.wire import Metric, Output, Product

STORE: Final = "/nix/store/"

Ids = str
"""Ids as Postgres writes an array, made by `id_array`."""


def id_array(ids: Iterable[int]) -> Ids:
    """Ids to bind as one parameter, many times faster than a list of numbers.

    Ascending, for the sake of the pages that are read.
    """
    return f"{{{','.join(map(str, sorted(ids)))}}}"


class Outcome(NamedTuple):
    """Where a build stands: the columns of its row that decide.

    Attributes:
        pending: `notificationpendingsince`, seconds since 1970.
        start: Seconds since 1970.
        stop: Seconds since 1970.
    """

    build: int
    jobset: int
    job: str
    finished: int
    status: int | None
    start: int | None
    stop: int | None
    pending: int | None


OUTCOMES: Final = """
select id, jobset_id, job, finished, buildstatus, starttime, stoptime,
       notificationpendingsince
from builds
where id = any(%s::int4[])
"""


def read_outcomes(connection: Connection, builds: Ids) -> dict[int, Outcome]:
    """Where these builds stand; those that are gone are left out."""
    rows = connection.execute(OUTCOMES, (builds,)).fetchall()
    return {row[0]: Outcome(*row) for row in rows}


DETAILS: Final = """
select id, jobset_id, job, finished, buildstatus, starttime, stoptime,
       notificationpendingsince,
       timestamp, drvpath, nixname, system, homepage, description, license, releasename,
       iscachedbuild, iscurrent, priority, size, closuresize, maintainers
from builds
where id = any(%s::int4[])
"""


def read_details(
    connection: Connection, builds: Ids
) -> tuple[dict[int, Outcome], dict[int, TupleRow]]:
    """Where these builds stand, and the other columns of `DETAILS`."""
    rows = connection.execute(DETAILS, (builds,)).fetchall()
    outcomes = {row[0]: Outcome(*row[:8]) for row in rows}
    return outcomes, {row[0]: row[8:] for row in rows}


OUTPUTS: Final = """
select build, name, path from buildoutputs
where build = any(%s::int4[])
order by build, name
"""


def read_outputs(connection: Connection, builds: Ids) -> dict[int, list[Output]]:
    """The outputs of these builds."""
    found: dict[int, list[Output]] = {}
    for build, name, path in connection.execute(OUTPUTS, (builds,)).fetchall():
        found.setdefault(build, []).append(Output(name, store_path(path)))
    return found


PRODUCTS: Final = """
select build, productnr, type, subtype, filesize, sha256hash, path, name, defaultpath
from buildproducts
where build = any(%s::int4[])
order by build, productnr
"""


def read_products(connection: Connection, builds: Ids) -> dict[int, list[Product]]:
    """The products of these builds."""
    found: dict[int, list[Product]] = {}
    for row in connection.execute(PRODUCTS, (builds,)).fetchall():
        build, number, type_, subtype, size, sha256, path, name, default = row
        product = Product(
            product_nr=number,
            type=type_,
            subtype=subtype,
            file_size=size,
            sha256hash=sha256,
            path=store_path(path),
            name=name,
            default_path=default,
        )
        found.setdefault(build, []).append(product)
    return found


METRICS: Final = """
select build, name, unit, value from buildmetrics
where build = any(%s::int4[])
order by build, name
"""


def read_metrics(connection: Connection, builds: Ids) -> dict[int, list[Metric]]:
    """The metrics of these builds."""
    found: dict[int, list[Metric]] = {}
    for build, name, unit, value in connection.execute(METRICS, (builds,)).fetchall():
        metric = Metric(name, unit, value if isfinite(value) else None)
        found.setdefault(build, []).append(metric)
    return found


@overload
def store_path(path: str) -> str: ...
@overload
def store_path(path: None) -> None: ...
def store_path(path: str | None) -> str | None:
    """The whole of a path, of which Hydra may have kept the last part alone.

    Every column that holds a store path comes through here.
    """
    return STORE + path if path and not path.startswith("/") else path
