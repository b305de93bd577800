"""What every case is given."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from benchmarks.hydra import Hydra, bench_hydra
from hydra_notify.demo.server.postgres import Server

T = TypeVar("T")


@dataclass
class Bench:
    """Attributes:
    runs: How often everything is measured.
    quick: To see that it works; figures for the record take longer.
    """

    server: Server
    runs: int
    quick: bool
    _names: Iterator[int] = field(default_factory=count)

    def size(self, full: T, quick: T) -> T:
        return quick if self.quick else full

    @contextmanager
    def hydra(self, builds: int) -> Generator[Hydra]:
        """A database of its own, with so many finished builds."""
        with bench_hydra(self.server, f"bench{next(self._names)}", builds) as hydra:
            yield hydra
