"""What a burst costs the host and the database, counted by those who serve it.

As in `test_cost`: bounds a little above what was measured, and no times.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.host import Host, echoes, running_host
from benchmarks.hydra import Hydra, bench_hydra, bench_server
from benchmarks.waiting import wait_until

BURST = 5_000

PATIENCE = 60.0


@pytest.fixture(scope="module")
def hydra() -> Iterator[Hydra]:
    with bench_server() as server, bench_hydra(server, "cost", BURST) as hydra:
        yield hydra


def burst(hydra: Hydra, host: Host, plugins: int) -> None:
    """Announce `BURST` builds, and return when all is done."""
    first, last = hydra.some(BURST)
    hydra.flag(first, last)
    with host.counts([f"echo{number}" for number in range(plugins)]) as counts:
        told = sum(count[0] for count in counts)
        hydra.announce(first, last)
        hydra.wait_cleared(PATIENCE)
        wait_until(
            lambda: sum(count[0] for count in counts) - told == BURST * plugins,
            PATIENCE,
            "every plugin to be told of everything",
        )


def calls(host: Host) -> int:
    """How often the host has read or written anything (the kernel counts)."""
    lines = Path(f"/proc/{host.pid}/io").read_text().splitlines()
    fields = dict(line.split(": ") for line in lines)
    return int(fields["syscr"]) + int(fields["syscw"])


# Eight plugins that take one event at a time are so slow on a busy machine that their
# flags become free a few at a time; one statement for each event would still be 1.
@pytest.mark.parametrize(
    ("plugins", "window", "most"), [(1, 1, 0.05), (8, 1, 0.4), (8, 16, 0.05)]
)
def test_a_burst_costs_few_statements_however_many_plugins(
    hydra: Hydra, plugins: int, window: int, most: float
) -> None:
    with running_host(hydra, echoes(plugins, window)) as host:
        before = hydra.statements()
        burst(hydra, host, plugins)
        statements = hydra.statements() - before
    assert statements / BURST <= most


def test_a_full_window_is_two_system_calls(hydra: Hydra) -> None:
    with running_host(hydra, echoes(4, 16)) as host:
        before = calls(host)
        burst(hydra, host, 4)
        made = calls(host) - before
    # One read and one write for 16 deliveries, and what the database takes.
    assert made / (BURST * 4) < 2.5 / 16
