"""Jobsets with their projects, and the projects' owners."""

from dataclasses import dataclass
from typing import Final

from msgspec import UNSET

from hydra_notify.builds.build_rows import Ids
from hydra_notify.database import Connection
from hydra_notify.limits import ERROR_LENGTH
from hydra_notify_sdk.wire import Jobset, Owner, Project


@dataclass(frozen=True, slots=True)
class JobsetFacts:
    """A jobset as every event shows it.

    Attributes:
        error_cut: Whether its error message is longer than what was read.
    """

    jobset: Jobset
    project: Project
    error_cut: bool = False


# The error is read on request: a broken evaluation leaves megabytes.
JOBSETS: Final = """
select j.id, j.project, j.name, j.description, j.enableemail, j.emailoverride, j.type,
       j.flake, j.enable_dynamic_run_command,
       case when %s then left(j.errormsg, %s) end,
       p.displayname, p.declfile, p.enable_dynamic_run_command,
       u.username, u.fullname, u.emailaddress, u.emailonerror
from jobsets j
join projects p on p.name = j.project
left join users u on u.username = p.owner
where j.id = any(%s::int4[])
"""


def read_jobsets(
    connection: Connection, jobsets: Ids, *, errors: bool
) -> dict[int, JobsetFacts]:
    """These jobsets, with their error messages if `errors`."""
    rows = connection.execute(JOBSETS, (errors, ERROR_LENGTH + 1, jobsets)).fetchall()
    found: dict[int, JobsetFacts] = {}
    for (
        id_,
        project,
        name,
        description,
        email,
        override,
        type_,
        flake,
        dynamic,
        *rest,
    ) in rows:
        (
            error,
            display,
            declfile,
            project_dynamic,
            user,
            full_name,
            address,
            on_error,
        ) = rest
        owner = user and Owner(
            name=user,
            full_name=full_name,
            email=address,
            email_on_error=bool(on_error),
        )
        error_cut = error is not None and len(error) > ERROR_LENGTH
        found[id_] = JobsetFacts(
            Jobset(
                id=id_,
                project=project,
                name=name,
                description=description,
                enable_email=bool(email),
                email_override=override,
                type=type_,
                flake=flake,
                enable_dynamic_run_command=bool(dynamic),
                error_msg=(error and error[:ERROR_LENGTH]) if errors else UNSET,
            ),
            Project(
                name=project,
                display_name=display,
                declfile=declfile,
                enable_dynamic_run_command=bool(project_dynamic),
                owner=owner,
            ),
            error_cut,
        )
    return found
