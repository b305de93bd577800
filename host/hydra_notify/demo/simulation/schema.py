"""Databases with Hydra's schema, at any of the versions the host supports."""

import re
from importlib.resources import files
from typing import Final

from hydra_notify.database import Connection, connect, translated
from hydra_notify.demo.server.postgres import Server

BASE_VERSION: Final = 85
"""The version that `schema.sql` describes: nixpkgs' Hydra of March 2026."""

DEFAULT_VERSION: Final = 87
"""Hydra's own at the end of August 2026."""

UPGRADES: Final = {
    86: b"alter table buildsteps alter column drvpath set not null",
    87: (
        b"alter table buildsteps add column resolveddrvpath text,"
        b" add check ((status = 13) = (resolveddrvpath is not null))"
    ),
    # Times no longer end in 2038.
    88: (
        b"alter table builds"
        b" alter column timestamp type bigint, alter column starttime type bigint,"
        b" alter column stoptime type bigint,"
        b" alter column notificationpendingsince type bigint;"
        b"alter table buildsteps"
        b" alter column starttime type bigint, alter column stoptime type bigint;"
        b"alter table buildmetrics alter column timestamp type bigint;"
        b"alter table jobsets"
        b" alter column errortime type bigint, alter column starttime type bigint,"
        b" alter column lastcheckedtime type bigint,"
        b" alter column triggertime type bigint;"
        b"alter table jobsetevals alter column timestamp type bigint;"
        b"alter table evaluationerrors alter column errortime type bigint;"
        b"alter table taskretries alter column retry_at type bigint;"
        b"alter table runcommandlogs"
        b" alter column start_time type bigint, alter column end_time type bigint"
    ),
}
"""What each later version changed, as far as `schema.sql` goes."""


def new_database(
    server: Server, name: str = "hydra", version: int = DEFAULT_VERSION
) -> str:
    """The URL of a new database with Hydra's tables, projects and jobsets.

    Args:
        name: Lower-case letters, digits and `_`.
        version: Hydra's schema version, 85 to 88.
    """
    with connect(server.url()) as connection:
        create_database(connection, name)
    with connect(server.url(name)) as connection:
        create_schema(connection, version)
        create_site(connection)
    return server.url(name)


def create_schema(connection: Connection, version: int = DEFAULT_VERSION) -> None:
    """Make Hydra's tables, all empty, in an empty database.

    Args:
        connection: Any; one transaction is used.
        version: Hydra's schema version, 85 to 88.
    """
    assert BASE_VERSION <= version <= max(UPGRADES), version
    with translated(), connection.transaction():
        connection.execute(
            files("hydra_notify.demo.simulation").joinpath("schema.sql").read_bytes()
        )
        for number in range(BASE_VERSION + 1, version + 1):
            connection.execute(UPGRADES[number])
        connection.execute("insert into schemaversion values (%s)", (version,))


def create_site(connection: Connection) -> None:
    """Fill the tables of a new schema with people, projects, jobsets; no builds yet."""
    with translated(), connection.transaction():
        connection.execute(
            files("hydra_notify.demo.simulation").joinpath("site.sql").read_bytes()
        )


def create_database(
    connection: Connection, name: str, *, template: str | None = None
) -> None:
    """Make a database, with all that is in `template` when one is named.

    Args:
        connection: Autocommit, to any other database of the server.
        name: Lower-case letters, digits and `_`.
        template: An existing database that nobody is connected to.
    """
    statement = f"create database {_plain(name)}"
    if template is not None:
        statement += f" template {_plain(template)}"
        if connection.info.server_version >= 150000:
            # Older servers know no other way; newer ones default to a slower one.
            statement += " strategy file_copy"
    with translated():
        connection.execute(statement.encode())


def drop_database(connection: Connection, name: str) -> None:
    """Remove a database, connections to it and all."""
    with translated():
        connection.execute(f"drop database {_plain(name)} with (force)".encode())


def _plain(name: str) -> str:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name), name
    return name
