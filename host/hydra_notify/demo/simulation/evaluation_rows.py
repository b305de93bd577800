"""The rows of an evaluation, written by the thousand in a few statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hydra_notify.database import Connection
from hydra_notify.demo.simulation.contents import NewBuild
from hydra_notify.demo.simulation.hydra import Jobset


@dataclass(frozen=True, slots=True)
class Member:
    """A build of a jobset's previous evaluation."""

    build: int
    job: str
    finished: bool


PREVIOUS_MEMBERS: Final = """
select b.id, b.job, b.finished
from jobsetevalmembers m join builds b on b.id = m.build
where m.eval = (select max(id) from jobsetevals
                where jobset_id = %s and hasnewbuilds = 1)
order by b.id
"""


def previous_members(connection: Connection, jobset: Jobset) -> list[Member]:
    """The builds of a jobset's latest evaluation that had any."""
    rows = connection.execute(PREVIOUS_MEMBERS, (jobset.id,)).fetchall()
    return [Member(build, job, bool(finished)) for build, job, finished in rows]


NEW_EVALUATION_ID: Final = "select nextval('jobsetevals_id_seq')"

NEW_BUILD_IDS: Final = "select nextval('builds_id_seq') from generate_series(1, %s)"


def new_ids(connection: Connection, builds: int) -> tuple[int, list[int]]:
    """An evaluation's id, and those of so many builds."""
    row = connection.execute(NEW_EVALUATION_ID).fetchone()
    assert row is not None
    rows = connection.execute(NEW_BUILD_IDS, (builds,)).fetchall()
    return row[0], [build for (build,) in rows]


INSERT_EVALUATION: Final = """
insert into jobsetevals (id, jobset_id, timestamp, checkouttime, evaltime, hasnewbuilds,
                         hash, nrbuilds, flake, nixexprinput, nixexprpath)
select %(eval)s, id, %(now)s, 3, 42, %(new)s, %(commit)s, %(builds)s, %(flake)s,
       nixexprinput, nixexprpath
from jobsets where id = %(jobset)s
on conflict do nothing returning id
"""

INSERT_INPUTS: Final = """
insert into jobsetevalinputs (eval, name, altnr, type, uri, revision, shortrevlength,
                              value, path, sha256hash)
select %(eval)s, i.name, a.altnr, i.type,
       case when i.type = 'git' then split_part(a.value, ' ', 1) end,
       case when i.type = 'git' then %(commit)s::text end,
       case when i.type = 'git' then 12 end,
       case when i.type <> 'git' then a.value end,
       case when i.type = 'git'
            then '/nix/store/' || md5(%(commit)s::text) || '-source' end,
       case when i.type = 'git' then repeat(md5(%(commit)s::text), 2) end
from jobsets j
join jobsetinputs i on i.project = j.project and i.jobset = j.name
join jobsetinputalts a
    on a.project = i.project and a.jobset = i.jobset and a.input = i.name
where j.id = %(jobset)s and j.type = 0
"""


def insert_evaluation(
    connection: Connection,
    jobset: Jobset,
    evaluation: int,
    now: int,
    commit: str,
    flake: str | None,
    builds: int,
) -> bool:
    """Insert an evaluation, and its inputs if it has new builds; False if it exists."""
    values = {
        "eval": evaluation,
        "jobset": jobset.id,
        "now": now,
        "new": int(builds > 0),
        "commit": commit,
        "builds": builds,
        "flake": flake,
    }
    if connection.execute(INSERT_EVALUATION, values).fetchone() is None:
        return False
    if builds:
        connection.execute(INSERT_INPUTS, values)
    return True


COPY_BUILDS: Final = """
copy builds (id, finished, timestamp, jobset_id, job, nixname, description, drvpath,
             system, license, homepage, maintainers, timeout, priority)
from stdin
"""

COPY_OUTPUTS: Final = "copy buildoutputs (build, name, path) from stdin"


def insert_builds(
    connection: Connection,
    jobset: Jobset,
    now: int,
    builds: Sequence[tuple[int, NewBuild]],
) -> None:
    """Insert unfinished builds, by id, with their outputs."""
    with connection.cursor() as cursor:
        with cursor.copy(COPY_BUILDS) as copy:
            for id_, build in builds:
                copy.write_row(
                    (
                        id_,
                        0,
                        now,
                        jobset.id,
                        build.job,
                        build.nix_name,
                        build.description,
                        build.drv_path,
                        build.system,
                        build.license,
                        build.homepage,
                        build.maintainers,
                        build.timeout,
                        build.priority,
                    )
                )
        with cursor.copy(COPY_OUTPUTS) as copy:
            for id_, build in builds:
                for name, path in build.outputs:
                    copy.write_row((id_, name, path))


COPY_MEMBERS: Final = "copy jobsetevalmembers (eval, build, isnew) from stdin"

MARK_CURRENT: Final = """
update builds set iscurrent = (id = any(%(members)s))::int
where jobset_id = %(jobset)s and (iscurrent = 1 or id = any(%(members)s))
"""


def insert_members(
    connection: Connection,
    jobset: Jobset,
    evaluation: int,
    new: Sequence[int],
    cached: Sequence[Member],
) -> None:
    """Make new and cached builds the members of an evaluation, and the current ones."""
    with connection.cursor() as cursor, cursor.copy(COPY_MEMBERS) as copy:
        for build in new:
            copy.write_row((evaluation, build, 1))
        for member in cached:
            copy.write_row((evaluation, member.build, 0))
    members = [*new, *(member.build for member in cached)]
    connection.execute(MARK_CURRENT, {"members": members, "jobset": jobset.id})
