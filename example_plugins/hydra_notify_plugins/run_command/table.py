"""Hydra's table `runcommandlogs`, by a connection of the plugin's own.

A row is written whole each time, by its uuid: to write it twice changes nothing, so a
connection that breaks is simply tried once more.
"""

import threading
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from hydra_notify_plugins.run_command.journal import Run
from hydra_notify_sdk import ConfigProblem, Failure, Retry, Unauthorized

CONNECT_TIMEOUT: Final = 10
"""Seconds for a connection: an event's deadline is far off."""

STATEMENT_TIMEOUT: Final = 10_000
"""Milliseconds for a statement that touches one row, and for a lock on it."""

GRANTS: Final = (
    "grant select, insert, update on runcommandlogs to ROLE;"
    " grant usage on sequence runcommandlogs_id_seq to ROLE"
)

_WRITE: Final = """
insert into runcommandlogs (
    uuid, job_matcher, build_id, command, start_time, end_time, error_number, exit_code,
    signal, core_dumped
) values (
    %(uuid)s, %(matcher)s, %(build)s, %(command)s, %(start_time)s, %(end_time)s,
    %(error_number)s, %(exit_code)s, %(signal)s, %(core_dumped)s
) on conflict (uuid) do update set
    end_time = excluded.end_time, error_number = excluded.error_number,
    exit_code = excluded.exit_code, signal = excluded.signal,
    core_dumped = excluded.core_dumped
"""

_DENIED: Final = "42501"


class HydraTable:
    """The table. Any thread may write; the connection is made when it is needed.

    Args:
        url: A libpq URL or connection string.

    Raises:
        ConfigProblem: It is none.
    """

    def __init__(self, url: str) -> None:
        try:
            told = conninfo_to_dict(url)
        except psycopg.Error:
            # Its words would show a part of the secret.
            raise ConfigProblem(
                "secrets.database",
                "is no address of a database",
                fix="write postgresql://USER:PASSWORD@HOST/hydra",
            ) from None
        self._url = url
        self._options = (
            f"-c statement_timeout={STATEMENT_TIMEOUT}"
            f" -c lock_timeout={STATEMENT_TIMEOUT} {told.get('options') or ''}"
        )
        self._lock = threading.Lock()
        self._connection: psycopg.Connection | None = None

    def write(self, run: Run) -> None:
        """Makes the row of a run say what `run` says. A build that is gone has none.

        Raises:
            Retry: Postgres is away, or not ready.
            Unauthorized: The role may not.
        """
        values = {name: getattr(run, name) for name in run.__struct_fields__}
        with self._lock:
            try:
                try:
                    self._execute(values)
                except psycopg.OperationalError:
                    # It may have been closed while nothing ran.
                    self._execute(values)
            except psycopg.errors.ForeignKeyViolation:
                return
            except psycopg.Error as error:
                raise _failure_of(error) from error

    def close(self) -> None:
        """Lets the connection go."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()

    def _execute(self, values: dict[str, object]) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=CONNECT_TIMEOUT,
                fallback_application_name="hydra-notify-run-command",
                prepare_threshold=None,
                client_encoding="UTF8",
                options=self._options,
            )
        try:
            self._connection.execute(_WRITE, values)
        except psycopg.OperationalError:
            self._connection.close()
            raise


def _failure_of(error: psycopg.Error) -> Failure:
    words = str(error).strip().splitlines() or [type(error).__name__]
    message = f"runcommandlogs cannot be written: {words[0]}"
    if error.sqlstate == _DENIED:
        return Unauthorized(message, code=403, fix=GRANTS)
    refused = error.sqlstate is None and error.pgconn
    if refused and (refused.needs_password or refused.used_password):
        # A connection that is refused has no SQLSTATE.
        return Unauthorized(message, fix="correct secrets.database")
    # 503: the next event would fare no better.
    return Retry(message, code=503)
