"""One file for each thing that is measured."""

from collections.abc import Callable, Iterator

from benchmarks.bench import Bench
from benchmarks.cases.backlog import backlog
from benchmarks.cases.database import database
from benchmarks.cases.dependents import dependents
from benchmarks.cases.growth import growth
from benchmarks.cases.idle import idle
from benchmarks.cases.latency import latency
from benchmarks.cases.plugins import plugins
from benchmarks.cases.sleeping import sleeping
from benchmarks.cases.start import start
from benchmarks.cases.statements import statements
from benchmarks.cases.throughput import throughput
from benchmarks.measurement import Measurement

Case = Callable[[Bench], Iterator[Measurement]]
"""Yields what it has measured, as soon as it has."""

CASES: dict[str, Case] = {
    "throughput": throughput,
    "statements": statements,
    "database": database,
    "dependents": dependents,
    "latency": latency,
    "sleeping": sleeping,
    "backlog": backlog,
    "start": start,
    "idle": idle,
    "plugins": plugins,
    "growth": growth,
}
