"""The database, as the host will need it: reached, allowed, heard."""

import re
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from hydra_notify import builds, ledger
from hydra_notify.config import without_password
from hydra_notify.daemon.suitable import NEWEST_SCHEMA, OLDEST_SCHEMA
from hydra_notify.database import Connection, Database, translated
from hydra_notify.doctor.check import Check, fail, ok, parted, warn
from hydra_notify.doctor.elsewhere import Active, active_host
from hydra_notify.doctor.limits import HEAR_LIMIT
from hydra_notify.errors import (
    DatabaseError,
    DatabaseLost,
    HydraNotifyError,
    PermissionDenied,
)

_SECTION: Final = "database"

BACKEND: Final = "select pg_backend_pid()"

# Of nobody else, so that no host takes it for a sign of life.
LISTEN: Final = "listen hydra_notify_doctor"
NOTIFY: Final = "notify hydra_notify_doctor"
UNLISTEN: Final = "unlisten hydra_notify_doctor"

_FIXES: Final = (
    (
        r"password authentication|no password supplied",
        "give the role its password: in database.url, $PGPASSFILE or ~/.pgpass",
    ),
    (
        r"Peer authentication|Ident authentication",
        "run as the role's user, or name another role: postgresql://ROLE@/hydra",
    ),
    (
        r"no pg_hba\.conf entry",
        "allow this role and address in pg_hba.conf, and reload",
    ),
    (r'role ".*" does not exist', 'create it: createuser "hydra-notify"'),
    (
        r'database ".*" does not exist',
        "name Hydra's database in database.url, or let hydra-init make it",
    ),
    (
        r"could not translate host name",
        "mend the host's name in database.url, or the resolver",
    ),
    (
        r"Connection refused|No such file or directory",
        "start Postgres, or mend host and port in database.url",
    ),
    (
        r"timeout expired|no answer",
        "see whether Postgres hangs, or a firewall drops what is sent there",
    ),
    (
        r"read-only|read-write",
        "name the primary in database.url; this server cannot be written to",
    ),
)
"""What helps against what libpq says."""


@dataclass(slots=True)
class Survey:
    """What was seen of a database.

    Attributes:
        checks: Of the database and of the ledger.
        asked: Whether it could be asked at all.
        active: The host that is active on it, if one is.
    """

    checks: list[Check] = field(default_factory=list)
    asked: bool = False
    active: Active | None = None


async def survey(url: str) -> Survey:
    """Look at everything of a database, changing nothing."""
    found = Survey()
    asking, hearing = Database(url), Database(url)
    try:
        found.checks += await asking.run(partial(_look, found=found))
        found.checks.append(await _hear(asking, hearing))
        found.checks += await asking.run(_look_at_ledger)
    except HydraNotifyError as error:
        found.checks.append(_unreachable(url, error, after=found.asked))
    finally:
        asking.drop()
        hearing.drop()
    return found


def _unreachable(url: str, error: HydraNotifyError, *, after: bool) -> Check:
    address = without_password(url)
    if after:
        words = f"{address} went away while it was looked at: {error}"
        return fail(_SECTION, words, "try again; if that lasts, look at Postgres's log")
    for pattern, fix in _FIXES:
        if re.search(pattern, str(error)):
            return fail(_SECTION, f"{address} cannot be reached: {error}", fix)
    fix = "try it by hand: psql with the same URL; and look at Postgres's log"
    return fail(_SECTION, f"{address} cannot be reached: {error}", fix)


def _look(connection: Connection, found: Survey) -> list[Check]:
    found.asked = True
    info = connection.info
    version = info.parameter_status("server_version") or "of an unknown version"
    place = f"{info.dbname} at {info.host or 'a local socket'}, port {info.port}"
    words = f"Postgres {version} answers: database {place}, as the role {info.user}"
    checks = [ok(_SECTION, words)]
    row = connection.execute(BACKEND).fetchone()
    if row != (info.backend_pid,):
        checks.append(ok(_SECTION, "a pooler is in between (see LISTEN below)"))
    found.active = active_host(connection)
    return [*checks, *_hydra(connection)]


def _hydra(connection: Connection) -> list[Check]:
    """Hydra's schema, and our grants; the second says nothing without the first."""
    try:
        version = builds.schema_version(connection)
        builds.check(connection)
    except PermissionDenied as error:
        words, fix = parted(str(error))
        if "schemaversion" in fix:
            # Nothing was ever granted.
            fix = _GRANTS.format(role=ledger.quoted(connection.info.user))
        return [fail(_SECTION, words, fix)]
    except DatabaseLost as error:
        if connection.closed:
            raise
        return [fail(_SECTION, f"Hydra's schema is not there: {error}", _INIT)]
    except DatabaseError as error:
        return [fail(_SECTION, *parted(str(error)))]
    return [
        _version(version),
        ok(_SECTION, "the role may read Hydra's tables and clear the flag"),
    ]


def _version(version: int) -> Check:
    if version < OLDEST_SCHEMA:
        words = f"Hydra's schema is version {version}, before {OLDEST_SCHEMA}"
        return fail(_SECTION, words, "upgrade Hydra")
    if version > NEWEST_SCHEMA:
        words = f"Hydra's schema is version {version}, beyond {NEWEST_SCHEMA}"
        fix = "look for a newer hydra-notify; as far as can be seen this one does"
        return warn(_SECTION, words, fix)
    return ok(_SECTION, f"Hydra's schema is version {version}")


_GRANTS: Final = (
    "as their owner run: GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};"
    " GRANT UPDATE (notificationpendingsince) ON builds TO {role};"
)

_INIT: Final = "run hydra-init against this database, or name another in database.url"


async def _hear(asking: Database, hearing: Database) -> Check:
    """Whether a NOTIFY from another connection arrives."""

    def begin(connection: Connection) -> None:
        connection.execute(LISTEN)

    def send(connection: Connection) -> None:
        connection.execute(NOTIFY)

    def hear(connection: Connection) -> bool:
        heard = list(connection.notifies(timeout=HEAR_LIMIT, stop_after=1))
        # A pooler would keep it for whoever comes next.
        connection.execute(UNLISTEN)
        return bool(heard)

    await hearing.run(begin)
    await asking.run(send)
    if await hearing.run(hear):
        return ok(_SECTION, "LISTEN works: a NOTIFY came back")
    return fail(
        _SECTION,
        "LISTEN does not work: only finished builds are seen, every few seconds",
        "give database.url a direct connection to Postgres, past the pooler",
    )


def _look_at_ledger(connection: Connection) -> list[Check]:
    section, user = "ledger", connection.info.user
    try:
        with translated():
            version = ledger.version(connection)
            if version == ledger.VERSION:
                ledger.require_privileges(connection)
    except PermissionDenied as error:
        fix = f"as the owner of the ledger run: {' '.join(ledger.grants(user))}"
        return [fail(section, f"the ledger is not to be used: {error}", fix)]
    if version == ledger.VERSION:
        words = f"there is one, version {version}, and it may be read and written"
        return [ok(section, words)]
    if version == 0:
        words = "there is none: a restart repeats what was not done with"
        return [warn(section, words, "run: hydra-notify ledger create")]
    words = f"it is of version {version}, and this program needs {ledger.VERSION}"
    older = "run: hydra-notify ledger create"
    fix = older if version < ledger.VERSION else "upgrade hydra-notify"
    return [fail(section, words, fix)]
