"""A database with builds that have finished, which can be announced at will."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.waiting import wait_until
from hydra_notify import ledger
from hydra_notify.database import Connection, connect
from hydra_notify.demo.server.postgres import Server, private_postgres
from hydra_notify.demo.simulation.schema import new_database

SETTINGS = (
    "shared_preload_libraries=pg_stat_statements",
    "pg_stat_statements.track_utility=on",
    # A server of a Hydra has gigabytes.
    "shared_buffers=512MB",
    "max_wal_size=4GB",
)

ROLE = "hydra_notify"
"""The host's own, so that its statements are counted apart from everybody else's."""

PREPARE = f"""
create extension pg_stat_statements;
do $$ begin
  if not exists (select from pg_roles where rolname = '{ROLE}') then
    create role {ROLE} login;
  end if;
end $$;
grant select on all tables in schema public to {ROLE};
grant update (notificationpendingsince) on builds to {ROLE};
"""

BUILDS = """
insert into builds
  (id, finished, timestamp, jobset_id, job, nixname, drvpath, system, starttime,
   stoptime, iscachedbuild, buildstatus, size, closuresize)
select n, 1, 1795000000 + n, (select min(id) from jobsets), 'job' || n %% 5000,
       'job-' || n, '/nix/store/' || md5(n::text) || '-job-' || n || '.drv',
       'x86_64-linux', 1795000000 + n, 1795000100 + n, 0, 0, 1000 * n, 9000 * n
from generate_series(%(first)s::int8, %(last)s::int8) n
"""

OUTPUTS = """
insert into buildoutputs (build, name, path)
select id, 'out', '/nix/store/' || md5((-id)::text) || '-' || nixname
from builds where id between %(first)s and %(last)s
"""

STEPS = """
insert into buildsteps (build, stepnr, type, drvpath, busy, status, starttime, stoptime,
                        machine, system)
select id, 1, 0, drvpath, 0, 0, starttime, stoptime, '', system
from builds where id between %(first)s and %(last)s
"""

FLAG = """
update builds set notificationpendingsince = stoptime where id between %s and %s
"""

ANNOUNCE = """
select count(pg_notify('build_finished', id::text))
from generate_series(%s::int8, %s::int8) id
"""

ANNOUNCE_STEPS = """
select count(pg_notify('step_finished', id || E'\\t1\\t-'))
from generate_series(%s::int8, %s::int8) id
"""

ANNOUNCE_ONE = "select pg_notify('build_finished', %s)"

PENDING = """
select exists (select from builds where notificationpendingsince is not null)
"""

STATEMENTS = """
select coalesce(sum(calls), 0)::int8 from pg_stat_statements
where userid = %s::regrole and dbid = (select oid from pg_database
                                       where datname = current_database())
"""

CALLS = """
select query, sum(calls)::int8 from pg_stat_statements
where userid = %s::regrole and dbid = (select oid from pg_database
                                       where datname = current_database())
group by query
"""

SERVER_TIMES = """
select coalesce(sum(total_exec_time) filter (where query ~* '^\\s*select'), 0),
       coalesce(sum(total_exec_time) filter (where query ~* '^\\s*with seen'), 0)
from pg_stat_statements
where userid = %s::regrole and dbid = (select oid from pg_database
                                       where datname = current_database())
"""

ANNOUNCE_CLEARED = """
create or replace function announce_cleared() returns trigger language plpgsql as $$
begin
  perform pg_notify('flag_cleared', new.id::text);
  return null;
end $$;
create or replace trigger announce_cleared
after update of notificationpendingsince on builds for each row
when (new.notificationpendingsince is null) execute function announce_cleared();
"""


STATEMENT_LIMIT = "set statement_timeout = '120s'"
"""A million builds take half a minute."""


@dataclass(frozen=True)
class ServerTimes:
    """What the host's statements have taken inside the server so far, milliseconds.

    Attributes:
        reading: Events, and everything else.
        clearing: Flags; the commits are not in it.
    """

    reading: float
    clearing: float


@dataclass
class Hydra:
    """Attributes:
    builds: How many there are, all finished, with ids from 1.
    """

    server: Server
    name: str
    connection: Connection
    builds: int = 0
    _next: int = 1

    @property
    def url(self) -> str:
        """For everybody but the host."""
        return self.server.url(self.name)

    @property
    def host_url(self) -> str:
        return self.url.replace("://hydra@", f"://{ROLE}@")

    def grow(self, builds: int) -> None:
        """Have so many builds, each with an output and a step."""
        if builds > self.builds:
            rows = {"first": self.builds + 1, "last": builds}
            for statement in (BUILDS, OUTPUTS, STEPS):
                self.connection.execute(statement, rows)
            self.builds = builds
        self.connection.execute("vacuum analyze")
        self.connection.execute("checkpoint")

    def some(self, count: int) -> tuple[int, int]:
        """First and last of `count` builds, other ones each time while there are."""
        assert count <= self.builds, "there are not so many builds"
        if self._next + count > self.builds + 1:
            self._next = 1
            self.connection.execute("vacuum builds")
        first = self._next
        self._next += count
        return first, first + count - 1

    def flag(self, first: int, last: int) -> None:
        self.connection.execute(FLAG, (first, last))

    def announce(self, first: int, last: int, channel: str = "build_finished") -> None:
        steps = channel == "step_finished"
        statement = ANNOUNCE_STEPS if steps else ANNOUNCE
        self.connection.execute(statement, (first, last))

    def announce_one(self, payload: str) -> float:
        """When it was about to be sent (monotonic seconds)."""
        before = time.monotonic()
        self.connection.execute(ANNOUNCE_ONE, (payload,))
        return before

    def wait_cleared(self, patience: float) -> float:
        """When the last flag was seen cleared (monotonic seconds)."""

        def cleared() -> bool:
            return self.connection.execute(PENDING).fetchone() == (False,)

        wait_until(cleared, patience, "flags to be cleared")
        return time.monotonic()

    def statements(self) -> int:
        """How many statements the host has run, BEGIN and COMMIT among them."""
        row = self.connection.execute(STATEMENTS, (ROLE,)).fetchone()
        assert row is not None
        return int(row[0])

    def calls(self) -> dict[str, int]:
        """How often the host has run each of its statements, by their text."""
        return dict(self.connection.execute(CALLS, (ROLE,)).fetchall())

    def server_times(self) -> ServerTimes:
        row = self.connection.execute(SERVER_TIMES, (ROLE,)).fetchone()
        assert row is not None
        return ServerTimes(*row)

    def announce_cleared(self) -> None:
        """Let every flag that is cleared be announced on channel `flag_cleared`."""
        self.connection.execute(ANNOUNCE_CLEARED)


@contextmanager
def bench_server() -> Generator[Server]:
    """A Postgres that writes every commit to the disk and counts statements."""
    with private_postgres(durable=True, settings=SETTINGS) as server:
        yield server


@contextmanager
def bench_hydra(server: Server, name: str, builds: int) -> Generator[Hydra]:
    url = new_database(server, name)
    with connect(url) as connection:
        connection.execute(STATEMENT_LIMIT)
        connection.execute(PREPARE)
        connection.execute(ledger.ddl(ROLE).encode())
        hydra = Hydra(server, name, connection)
        hydra.grow(builds)
        yield hydra
