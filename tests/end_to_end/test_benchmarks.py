"""The benchmarks can still measure the host."""

from pathlib import Path

import pytest
from benchmarks import burst
from benchmarks.bench import Bench
from benchmarks.cases.throughput import bursts
from benchmarks.hydra import bench_server
from benchmarks.machine import this_machine
from benchmarks.report import Results
from benchmarks.write import write


def test_a_small_burst_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(burst, "FLOOR_SECONDS", 0.01)
    with bench_server() as server:
        bench = Bench(server, runs=1, quick=True)
        # No burst is larger than there are builds.
        with bench.hydra(200) as hydra:
            found = list(bursts(bench, hydra, ("build_finished", 1, 16)))
        write(Results(this_machine(server), 1, True, {"throughput": found}), tmp_path)
    rate, deliveries, cpu, statements = found
    for measurement in found:
        assert measurement.series.middle > 0
    assert rate.series == deliveries.series
    assert deliveries.ratio is not None
    assert cpu.ratio is not None
    # It is more work than the raw loop's, and reads and clears are batched.
    assert cpu.ratio > 1
    assert statements.series.middle < 1
    assert "1 plugin, window 16" in (tmp_path / "RESULTS.md").read_text()
