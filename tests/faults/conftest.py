"""Faults are put on the same stage as whole plays."""

from collections.abc import AsyncGenerator, Iterator

import pytest
from tests.end_to_end.conftest import script, stage
from tests.end_to_end.stage import Stage
from tests.faults.wired import stage_on

from hydra_notify.demo.server.postgres import Server, private_postgres

__all__ = ["script", "stage"]


@pytest.fixture(scope="session")
def tcp_server() -> Iterator[Server]:
    """Its settings are as they were after each test that has changed them."""
    with private_postgres(tcp=True) as server:
        yield server


@pytest.fixture
async def tcp_stage(tcp_server: Server) -> AsyncGenerator[Stage]:
    async with stage_on(tcp_server) as stage:
        yield stage
