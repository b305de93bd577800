"""Everything the host reads from and writes to Hydra's tables.

Synchronous functions that run in a worker thread with a connection of
`hydra_notify.database`; what psycopg raises passes through them, to be translated
there. `load` and `encode` make events of announcements; `clear`, `read_flags` and
`pending_page` are about the pending flag. `backlog` and `task_retries` are for
operators' commands alone.
"""

from hydra_notify.builds.backlog import (
    BuildNow,
    PendingBuild,
    count_pending,
    oldest_pending,
    one_build,
)
from hydra_notify.builds.encode import encode
from hydra_notify.builds.flags import (
    FlagState,
    NoFlag,
    clear,
    pending_page,
    read_flags,
)
from hydra_notify.builds.load import load
from hydra_notify.builds.schema import check, schema_version
from hydra_notify.builds.task_retries import (
    TaskRetry,
    count_task_retries,
    remove_task_retries,
    task_retries,
)

__all__ = [
    "BuildNow",
    "FlagState",
    "NoFlag",
    "PendingBuild",
    "TaskRetry",
    "check",
    "clear",
    "count_pending",
    "count_task_retries",
    "encode",
    "load",
    "oldest_pending",
    "one_build",
    "pending_page",
    "read_flags",
    "remove_task_retries",
    "schema_version",
    "task_retries",
]
