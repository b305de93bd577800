"""Fixtures for everybody: one private Postgres, and a fresh Hydra database per test."""

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from tests.nats_server import NatsServer
from tests.s3_server import S3Server
from tests.temporary import use_memory

from hydra_notify.database import Connection, connect
from hydra_notify.demo.server.postgres import Server, private_postgres
from hydra_notify.demo.simulation.hydra import Hydra, open_hydra
from hydra_notify.demo.simulation.schema import (
    DEFAULT_VERSION,
    create_database,
    drop_database,
    new_database,
)
from hydra_notify.kit.sink import Sink, serving

# No test asserts how long something took: on a busy machine it takes longer.
settings.register_profile(
    "any-speed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-speed")


def pytest_configure() -> None:
    use_memory()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The Postgres of this session. A test that stops it starts one of its own."""
    with private_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def caretaker(server: Server) -> Iterator[Connection]:
    """Makes databases and removes them; a connection for each costs as much again."""
    with connect(server.url(), application_name="caretaker") as connection:
        yield connection


@pytest.fixture(scope="session")
def template(server: Server) -> Callable[[int], str]:
    """Names the database to clone for a schema version; made when first asked."""

    @cache
    def make(version: int) -> str:
        name = f"template_{version}"
        new_database(server, name, version)
        return name

    return make


@pytest.fixture
def database_url(
    server: Server,
    caretaker: Connection,
    template: Callable[[int], str],
    request: pytest.FixtureRequest,
) -> Iterator[str]:
    """Where a new database lies that has Hydra's schema, projects and jobsets.

    For another schema version: `parametrize("database_url", [85, 88], indirect=True)`.
    """
    version: int = getattr(request, "param", DEFAULT_VERSION)
    name = f"test_{uuid4().hex}"
    create_database(caretaker, name, template=template(version))
    yield server.url(name)
    drop_database(caretaker, name)


@pytest.fixture
def hydra(database_url: str) -> Iterator[Hydra]:
    """A simulated Hydra at work on `database_url`."""
    with open_hydra(database_url) as hydra:
        yield hydra


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A web server in place of the service that a plugin talks to."""
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """The NATS of this session, without streams."""
    server = NatsServer(tmp_path_factory.mktemp("nats"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """The S3 of this session, without buckets."""
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where examples are built, once for all workers of a run."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
