"""Hydra's database, and the stage of whole plays."""

from collections.abc import Iterator

import pytest
from tests.end_to_end.conftest import stage

from hydra_notify.database import Connection, connect

__all__ = ["stage"]


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as connection:
        yield connection
