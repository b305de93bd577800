"""Whether Hydra's database can be used: its schema, our grants."""

import logging
from typing import Final

from hydra_notify import builds
from hydra_notify.database import Connection
from hydra_notify.errors import DatabaseError, DatabaseUnsuitable, PermissionDenied

_log = logging.getLogger(__name__)

OLDEST_SCHEMA: Final = 85
NEWEST_SCHEMA: Final = 88
"""Hydra's schema versions the statements were written for."""


def check_database(connection: Connection) -> None:
    """Prove that everything we read and write is there and allowed.

    A newer schema than we know is tried, and said.

    Raises:
        DatabaseLost: Nobody answers, or Hydra has not set up its schema yet.
        DatabaseUnsuitable: It cannot be used until something is mended.
    """
    try:
        version = builds.schema_version(connection)
    except PermissionDenied as error:
        raise DatabaseUnsuitable(
            f"{error}; as the owner of Hydra's tables run:"
            f' GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{connection.info.user}";'
        ) from error
    if version < OLDEST_SCHEMA:
        raise DatabaseUnsuitable(
            f"Hydra's schema is version {version}; this host reads {OLDEST_SCHEMA} and"
            " later: upgrade Hydra"
        )
    if version > NEWEST_SCHEMA:
        _log.warning(
            "Hydra's schema is version %d; this host knows up to %d and goes on",
            version,
            NEWEST_SCHEMA,
        )
    try:
        builds.check(connection)
    except (PermissionDenied, DatabaseError) as error:
        raise DatabaseUnsuitable(str(error)) from error
