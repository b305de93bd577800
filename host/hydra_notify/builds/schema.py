"""Whether Hydra's schema is one that the statements of this room can be run on."""

import re
from typing import Final

from hydra_notify.builds.build_rows import DETAILS, OUTCOMES, RESULTS
from hydra_notify.builds.eval_rows import EVALS, INPUTS, MEMBERSHIPS, PREVIOUS
from hydra_notify.builds.flags import CLEAR, FLAGS, PENDING
from hydra_notify.builds.jobset_rows import JOBSETS
from hydra_notify.builds.step_rows import STEP_OUTPUTS, STEPS
from hydra_notify.database import Connection, translated
from hydra_notify.errors import DatabaseError, DatabaseLost, PermissionDenied

VERSION: Final = "select version from schemaversion"

STATEMENTS: Final = (
    OUTCOMES,
    DETAILS,
    RESULTS,
    MEMBERSHIPS,
    PREVIOUS,
    EVALS,
    INPUTS,
    FLAGS,
    PENDING,
    CLEAR,
    JOBSETS,
    STEPS,
    STEP_OUTPUTS,
)
"""All that the host runs on Hydra's tables but `VERSION`."""

_NAME: Final = re.compile(r"(?:from|join)\s+([a-z]+)")
"""A table, or a name that the statement itself gives to something."""

# A privilege that the role has on a column may be enough for a statement; these are
# asked only about statements that were refused.
_UNREADABLE: Final = """
select relname
from pg_class
where oid in (select to_regclass(name) from unnest(%s::text[]) as names (name))
  and not has_table_privilege(oid, 'select')
order by relname
"""

_CLEARABLE: Final = (
    "select has_column_privilege('builds', 'notificationpendingsince', 'update')"
)


def schema_version(connection: Connection) -> int:
    """The number Hydra counts its schemas with.

    Raises:
        PermissionDenied: It may not be read; the message has the GRANTs to run.
        DatabaseLost: There is no number (yet): Hydra has not set up its database.
    """
    try:
        with translated():
            row = connection.execute(VERSION).fetchone()
    except PermissionDenied as error:
        raise PermissionDenied(_missing_grants(connection, [VERSION])) from error
    if row is None:
        raise DatabaseLost("Hydra has not set up its schema: schemaversion is empty")
    version: int = row[0]
    return version


def check(connection: Connection) -> None:
    """Prove that every table, column and privilege is there that the host needs.

    Postgres plans each statement and checks its privileges, and runs none.

    Args:
        connection: Autocommit.

    Raises:
        PermissionDenied: A privilege is missing; the message has the GRANTs to run.
        DatabaseError: A column is missing, or is not what it was; so the schema is one
            that this host does not know.
        DatabaseLost: A table is missing (yet), or the connection.
    """
    refused = [each for each in STATEMENTS if not _is_permitted(connection, each)]
    if refused:
        raise PermissionDenied(_missing_grants(connection, refused))


def _is_permitted(connection: Connection, statement: str) -> bool:
    nothing = (None,) * statement.count("%s")
    try:
        with translated():
            connection.execute(f"explain {statement}".encode(), nothing)
    except PermissionDenied:
        return False
    except DatabaseError as error:
        version = schema_version(connection)
        raise DatabaseError(
            f"Hydra's schema, version {version}, is not one that this host can read:"
            f" {error}; use a version of hydra-notify that knows it"
        ) from error
    return True


def _missing_grants(connection: Connection, refused: list[str]) -> str:
    names = {name for statement in refused for name in _NAME.findall(statement)}
    rows = connection.execute(_UNREADABLE, (sorted(names),)).fetchall()
    user = '"{}"'.format(connection.info.user.replace('"', '""'))
    grants = []
    if rows:
        tables = ", ".join(table for (table,) in rows)
        grants.append(f"GRANT SELECT ON {tables} TO {user};")
    if connection.execute(_CLEARABLE).fetchone() != (True,):
        grants.append(f"GRANT UPDATE (notificationpendingsince) ON builds TO {user};")
    return (
        f"the role {user} lacks privileges on Hydra's tables;"
        f" as their owner run: {' '.join(grants)}"
    )
