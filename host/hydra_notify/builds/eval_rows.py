"""Evaluations: which ones a build is part of, their inputs, and the build before."""

from typing import Final, NamedTuple

from hydra_notify.builds.build_rows import Ids, store_path
from hydra_notify.database import Connection
from hydra_notify.limits import EVALS_PER_BUILD
from hydra_notify_sdk.wire import Eval, EvalInput


class Memberships(NamedTuple):
    """Evaluations of a build.

    Attributes:
        evals: Ids, oldest first.
        total: How many there are; `evals` may be fewer.
    """

    evals: list[int]
    total: int


MEMBERSHIPS: Final = """
select build, eval, newer
from (select build, eval,
             row_number() over (partition by build order by eval desc) as newer,
             row_number() over (partition by build order by eval) as older
      from jobsetevalmembers
      where build = any(%s::int4[])) m
where older = 1 or newer < %s
order by build, eval
"""


def read_memberships(connection: Connection, builds: Ids) -> dict[int, Memberships]:
    """The first evaluation of each build and the newest; at most `EVALS_PER_BUILD`."""
    rows = connection.execute(MEMBERSHIPS, (builds, EVALS_PER_BUILD)).fetchall()
    found: dict[int, Memberships] = {}
    for build, evaluation, newer in rows:
        known = found.get(build)
        if known is None:
            # The oldest, so that it is the last of the newest.
            found[build] = Memberships([evaluation], newer)
        else:
            known.evals.append(evaluation)
    return found


class Previous(NamedTuple):
    """A build before; `eval` is its first evaluation, where that was asked for."""

    build: int
    status: int | None
    eval: int | None


# A status of 3 or 4 (aborted, cancelled) says nothing about the job.
PREVIOUS: Final = """
select b.id, p.id, p.buildstatus,
       case when b.id = any(%s::int4[])
            then (select e.id
                  from jobsetevalmembers m
                  join jobsetevals e on e.id = m.eval
                  where m.build = p.id and e.hasnewbuilds = 1
                  order by e.id limit 1) end
from builds b
cross join lateral (
    select id, buildstatus from builds
    where jobset_id = b.jobset_id and job = b.job and finished = 1 and id < b.id
          and system = b.system and buildstatus not in (3, 4)
    order by id desc limit 1) p
where b.id = any(%s::int4[])
"""


def read_previous(
    connection: Connection, builds: Ids, with_eval: Ids
) -> dict[int, Previous]:
    """The build of the same job and system before each, that ran to an end.

    Args:
        with_eval: Builds for which the previous one's first evaluation is needed.
    """
    rows = connection.execute(PREVIOUS, (with_eval, builds)).fetchall()
    return {row[0]: Previous(*row[1:]) for row in rows}


EVALS: Final = """
select id, timestamp, checkouttime, evaltime, hasnewbuilds, flake
from jobsetevals
where id = any(%s::int4[])
"""


def read_evals(connection: Connection, evals: Ids) -> dict[int, Eval]:
    """These evaluations, without inputs; those that are gone are left out."""
    return {
        id_: Eval(
            id=id_,
            timestamp=timestamp,
            checkout_time=checkout_time,
            eval_time=eval_time,
            has_new_builds=bool(has_new_builds),
            flake=flake,
        )
        for id_, timestamp, checkout_time, eval_time, has_new_builds, flake in (
            connection.execute(EVALS, (evals,)).fetchall()
        )
    }


INPUTS: Final = """
select i.eval, i.name, i.altnr, i.type, i.uri, i.revision, i.shortrevlength, i.value,
       i.dependency, i.path, i.sha256hash, n.emailresponsible
from jobsetevalinputs i
join jobsetevals e on e.id = i.eval
join jobsets j on j.id = e.jobset_id
left join jobsetinputs n
    on n.project = j.project and n.jobset = j.name and n.name = i.name
where i.eval = any(%s::int4[])
order by i.eval, i.name, i.altnr
"""


def read_inputs(connection: Connection, evals: Ids) -> dict[int, list[EvalInput]]:
    """The inputs of these evaluations; one that found nothing new has none."""
    found: dict[int, list[EvalInput]] = {}
    for row in connection.execute(INPUTS, (evals,)).fetchall():
        evaluation, name, altnr, type_, uri, revision, short, value, *rest = row
        dependency, path, sha256, responsible = rest
        input_ = EvalInput(
            name=name,
            altnr=altnr,
            type=type_,
            uri=uri,
            revision=revision,
            short_rev=revision and revision[:short],
            value=value,
            dependency=dependency,
            path=store_path(path),
            sha256hash=sha256,
            email_responsible=None if responsible is None else bool(responsible),
        )
        found.setdefault(evaluation, []).append(input_)
    return found
