"""Which version of Hydra's schema this is."""

from typing import Final

from hydra_notify.database import Connection
from hydra_notify.errors import DatabaseLost

VERSION: Final = "select version from schemaversion"


def schema_version(connection: Connection) -> int:
    """The number Hydra counts its schemas with.

    Raises:
        DatabaseLost: There is no number (yet): Hydra has not set up its database.
    """
    row = connection.execute(VERSION).fetchone()
    if row is None:
        raise DatabaseLost("Hydra has not set up its schema: schemaversion is empty")
    version: int = row[0]
    return version
