"""The ledger's tables, their version, and how they come to be.

Nothing here runs unasked: an operator makes the tables, or hands the statements to
whoever may. Migrations only go forward; each is written once and never edited.
"""

from typing import Final

from hydra_notify.database import Connection
from hydra_notify.errors import PermissionDenied

MIGRATIONS: Final = (
    """\
create schema hydra_notify;

create table hydra_notify.meta (
    -- One row: the version of these tables, and which host writes them now.
    one boolean primary key default true check (one),
    version integer not null,
    host text not null default ''
);
insert into hydra_notify.meta (version) values (1);

create table hydra_notify.event (
    id text primary key,
    number bigint not null generated always as identity,
    channel text not null,
    payload text not null,
    subject text not null,
    -- [[build, notificationpendingsince, buildstatus, starttime, stoptime], ...]
    flags jsonb not null,
    -- False when dead letters and orphans are all that is left.
    open boolean not null,
    recorded_at timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0.01);
create index event_open on hydra_notify.event (number) where open;

create table hydra_notify.delivery (
    event text not null references hydra_notify.event on delete cascade,
    plugin text not null,
    standing text not null
        check (standing in ('owed', 'dead', 'orphaned', 'again', 'drop')),
    attempts integer not null,
    crashes integer not null,
    due_at timestamptz not null,
    failing_since timestamptz,
    reason text not null,
    changed_at timestamptz not null default now(),
    primary key (event, plugin)
) with (autovacuum_vacuum_scale_factor = 0.01);
create index delivery_left_over on hydra_notify.delivery (standing)
    where standing <> 'owed';

create table hydra_notify.plugin (
    name text primary key,
    command jsonb not null,
    -- Not jsonb, which refuses characters that a plugin may have in its name.
    manifest json not null,
    seen_at timestamptz not null default now()
);
""",
)
"""The statements that lead from each version to the next; version 0 is nothing."""

VERSION: Final = len(MIGRATIONS)
"""Of the tables that this host reads and writes."""

EXISTS: Final = "select to_regclass('hydra_notify.meta') is not null"

READ_VERSION: Final = "select version from hydra_notify.meta"

TURN: Final = "select pg_advisory_xact_lock(%s, %s)"

LOCK: Final = (0x68796E, 0x6C6564)
"""Class and number of the advisory lock that migrations take turns by: "hyn", "led"."""

STEP: Final = "update hydra_notify.meta set version = %s"

LACKING: Final = """
select c.relname, p.privilege
from pg_class c join pg_namespace n on n.oid = c.relnamespace,
     unnest(array['select', 'insert', 'update', 'delete']) as p (privilege)
where n.nspname = 'hydra_notify' and c.relkind = 'r'
  and not has_table_privilege(c.oid, p.privilege)
order by 1, 2
limit 1
"""

GRANTS: Final = (
    "grant usage on schema hydra_notify to {role};",
    "grant select, insert, update, delete on all tables in schema hydra_notify"
    " to {role};",
)
"""What a role that does not own the tables needs."""


def version(connection: Connection) -> int:
    """The version of the tables; 0 where there are none.

    Raises:
        PermissionDenied: There are some that we may not see.
    """
    row = connection.execute(EXISTS).fetchone()
    if row is None or not row[0]:
        return 0
    row = connection.execute(READ_VERSION).fetchone()
    return 0 if row is None else int(row[0])


def create(connection: Connection) -> tuple[int, int]:
    """Make the tables, or bring them up to `VERSION`; two at once take turns.

    Returns:
        The version before and the one now, which may be a newer host's.
    """
    with connection.transaction():
        connection.execute(TURN, LOCK)
        before = version(connection)
        for number in range(before, VERSION):
            connection.execute(MIGRATIONS[number].encode())
            connection.execute(STEP, (number + 1,))
    return before, max(before, VERSION)


def require_privileges(connection: Connection) -> None:
    """Prove that the tables, which are there, may be read and written.

    Raises:
        PermissionDenied: They may not.
    """
    row = connection.execute(LACKING).fetchone()
    if row is not None:
        table, privilege = row
        raise PermissionDenied(
            f"the role {quoted(connection.info.user)} may not {privilege}"
            f" hydra_notify.{table}"
        )


def ddl(role: str = "") -> str:
    """Everything that `create` runs, for whoever may run it.

    Args:
        role: A role that shall use the tables without owning them.
    """
    rest = [*(grants(role) if role else ()), "commit;"]
    return "begin;\n" + "".join(MIGRATIONS) + "\n".join(rest) + "\n"


def grants(role: str) -> tuple[str, ...]:
    """What a role needs that does not own the tables."""
    return tuple(grant.format(role=quoted(role)) for grant in GRANTS)


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"{}"'.format(name.replace('"', '""'))
