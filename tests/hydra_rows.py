"""Rows of Hydra's tables with what a test cares about, and the rest made up."""

from collections.abc import Mapping
from typing import Final, LiteralString

from psycopg import sql

from hydra_notify import builds
from hydra_notify.database import Connection, translated
from hydra_notify.events import Event
from hydra_notify.facts import Absent, Loaded
from hydra_notify_sdk.wire import BuildEventData, EvalEventData, Part

START: Final = 1_000_000_000
STOP: Final = 1_000_000_100
"""2001-09-09, 01:46:40 and 01:48:20 UTC."""

TRUNK: Final = 1
"""The id of the classic jobset `nixpkgs:trunk`, the first of the demo's site."""

FLAKE: Final = 4
"""The id of `nixos:unstable-small`."""


def insert(
    connection: Connection, table: LiteralString, columns: Mapping[str, object]
) -> None:
    """Insert one row."""
    statement = sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
    )
    connection.execute(statement, list(columns.values()))


def insert_build(connection: Connection, build: int, **columns: object) -> int:
    """Insert a build that nobody has built yet; its id."""
    made_up = {
        "id": build,
        "finished": 0,
        "timestamp": START - 50,
        "jobset_id": TRUNK,
        "job": "hello.x86_64-linux",
        "drvpath": f"/nix/store/drv-{build}.drv",
        "system": "x86_64-linux",
    }
    insert(connection, "builds", made_up | columns)
    return build


def insert_finished(
    connection: Connection, build: int, status: int = 0, **columns: object
) -> int:
    """Insert a finished build with its pending flag set; its id."""
    made_up: dict[str, object] = {
        "finished": 1,
        "buildstatus": status,
        "starttime": START,
        "stoptime": STOP,
        "notificationpendingsince": STOP,
    }
    return insert_build(connection, build, **made_up | columns)


def insert_eval(
    connection: Connection, evaluation: int, *members: int, **columns: object
) -> int:
    """Insert an evaluation that has these builds; its id."""
    made_up = {
        "id": evaluation,
        "jobset_id": TRUNK,
        "timestamp": START - 60,
        "checkouttime": 3,
        "evaltime": 42,
        "hasnewbuilds": 1,
        "hash": "0",
    }
    insert(connection, "jobsetevals", made_up | columns)
    for build in members:
        row = {"eval": evaluation, "build": build, "isnew": 1}
        insert(connection, "jobsetevalmembers", row)
    return evaluation


def insert_input(
    connection: Connection, evaluation: int, name: str, **columns: object
) -> None:
    """Insert an input of an evaluation."""
    made_up = {"eval": evaluation, "name": name, "altnr": 0, "type": "git"}
    insert(connection, "jobsetevalinputs", made_up | columns)


def load(connection: Connection, event: Event, *parts: Part) -> Loaded | Absent:
    """What is known of one event."""
    with translated():
        (result,) = builds.load(connection, [event], frozenset(parts))
    return result


def loaded(connection: Connection, event: Event, *parts: Part) -> Loaded:
    """What is known of one event that is there."""
    result = load(connection, event, *parts)
    assert isinstance(result, Loaded), result
    return result


def build_data(loaded: Loaded) -> BuildEventData:
    """What an event says about its build."""
    assert isinstance(loaded.data, BuildEventData)
    return loaded.data


def eval_data(loaded: Loaded) -> EvalEventData:
    """What an event says about its evaluation."""
    assert isinstance(loaded.data, EvalEventData)
    return loaded.data
