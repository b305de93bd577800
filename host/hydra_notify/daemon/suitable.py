"""Whether Hydra's database can be used: its schema, our grants; and waiting for it."""

import logging
import random
from typing import Final

import trio

from hydra_notify import builds
from hydra_notify.backoff import reconnect_delay, worth_saying
from hydra_notify.daemon.now import Now
from hydra_notify.database import Connection, Database
from hydra_notify.errors import (
    DatabaseError,
    DatabaseUnsuitable,
    HydraNotifyError,
    PermissionDenied,
)

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


async def find_database(now: Now, stop: trio.Event) -> bool:
    """Return when Hydra's database can be used; false when stopped before.

    Raises:
        DatabaseUnsuitable: Something has to be mended first.
    """
    failures = 0
    while not stop.is_set():
        # The address may change while we wait.
        database = Database(now.config.database.url)
        now.counts.steps += 1
        try:
            await database.run(check_database)
        except DatabaseUnsuitable:
            raise
        except DatabaseError as error:
            # A URL that is none, say: waiting mends nothing.
            words = f"the database cannot be used: {error}"
            raise DatabaseUnsuitable(words) from error
        except HydraNotifyError as error:
            failures += 1
            if worth_saying(failures):
                _log.warning("waiting for Hydra's database: %s", error)
            with trio.move_on_after(reconnect_delay(failures, random.random())):
                await stop.wait()
        else:
            return True
        finally:
            with trio.CancelScope(shield=True):
                await database.close()
    return False
