"""Builds, and what belongs to them: outputs, products, metrics.

Each function is one statement, whatever the number of builds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite
from typing import Final, NamedTuple, overload

from hydra_notify.database import Connection, TupleRow
from hydra_notify_sdk.wire import Metric, Output, Product

STORE: Final = "/nix/store/"

Ids = str
"""Ids as Postgres writes an array, made by `id_array`."""


def array(numbers: Iterable[int | None]) -> str:
    """Numbers as Postgres writes an array, many times faster to bind than a list."""
    text = ["null" if each is None else str(each) for each in numbers]
    return f"{{{','.join(text)}}}"


def id_array(ids: Iterable[int]) -> Ids:
    """Ids to bind as one parameter: ascending, for the sake of the pages read."""
    return array(sorted(ids))


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


# One statement for three tables: each is a round trip of a tenth of a millisecond, and
# most builds have no products and no metrics.
RESULTS: Final = """
select build, 'output', name, path, null::int4, null::text, null::text, null::int8,
       null::text, null::text, null::float8
from buildoutputs where build = any(%s::int4[])
union all
select build, 'product', name, path, productnr, type, subtype, filesize,
       sha256hash, defaultpath, null
from buildproducts where build = any(%s::int4[])
union all
select build, 'metric', name, unit, null, null, null, null, null, null, value
from buildmetrics where build = any(%s::int4[])
order by 1, 5, 3
"""


@dataclass(frozen=True, slots=True)
class Results:
    """What builds have made, by build; those that made none are left out."""

    outputs: dict[int, list[Output]] = field(default_factory=dict)
    products: dict[int, list[Product]] = field(default_factory=dict)
    metrics: dict[int, list[Metric]] = field(default_factory=dict)


def read_results(connection: Connection, builds: Ids) -> Results:
    """Outputs, products and metrics of these builds."""
    found = Results()
    rows = connection.execute(RESULTS, (builds, builds, builds)).fetchall()
    for build, kind, name, text, *rest in rows:
        if kind == "output":
            found.outputs.setdefault(build, []).append(Output(name, store_path(text)))
        elif kind == "product":
            product = _product(name, text, *rest)
            found.products.setdefault(build, []).append(product)
        else:
            value = rest[-1]
            metric = Metric(name, text, value if isfinite(value) else None)
            found.metrics.setdefault(build, []).append(metric)
    return found


def _product(
    name: str,
    path: str | None,
    number: int,
    type_: str,
    subtype: str,
    size: int | None,
    sha256: str | None,
    default: str | None,
    _: None,
) -> Product:
    return Product(
        product_nr=number,
        type=type_,
        subtype=subtype,
        file_size=size,
        sha256hash=sha256,
        path=store_path(path),
        name=name,
        default_path=default,
    )


@overload
def store_path(path: str) -> str: ...
@overload
def store_path(path: None) -> None: ...
def store_path(path: str | None) -> str | None:
    """The whole of a path, of which Hydra may have kept the last part alone.

    Every column that holds a store path comes through here.
    """
    return STORE + path if path and not path.startswith("/") else path
