"""Everything the host reads from and writes to Hydra's tables.

Synchronous functions that run in a worker thread with a connection of
`hydra_notify.database`; what psycopg raises passes through them, to be translated
there. `load` and `encode` make events of announcements; `clear`, `read_flags` and
`pending_page` are about the pending flag.
"""

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

__all__ = [
    "FlagState",
    "NoFlag",
    "check",
    "clear",
    "encode",
    "load",
    "pending_page",
    "read_flags",
    "schema_version",
]
