"""The one door to Postgres: synchronous psycopg 3 in worker threads, public API only.

Statements run in a thread, one hop for a whole batch, on one connection that is opened
when it is needed and dropped when it breaks. Everything psycopg raises becomes one of
two errors here: `DatabaseLost` (try again: the next use connects anew) or
`DatabaseError` (the statement itself is refused). A privilege that is missing is a
`PermissionDenied`, which another try may cure.
"""

from psycopg import Connection
from psycopg.rows import TupleRow

from hydra_notify.database.connection import (
    connect,
    shut,
    snapshot_transaction,
    translated,
)
from hydra_notify.database.threads import Database, in_thread

__all__ = [
    "Connection",
    "Database",
    "TupleRow",
    "connect",
    "in_thread",
    "shut",
    "snapshot_transaction",
    "translated",
]
