"""What the benchmarks measured is told as it is."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from benchmarks.__main__ import main
from benchmarks.cases import CASES
from benchmarks.charts import CHARTS, lines
from benchmarks.machine import Machine
from benchmarks.measurement import (
    Measurement,
    Place,
    Series,
    Target,
    at_least,
    at_most,
    quantile,
    quantiles,
)
from benchmarks.plot import Chart, Line, svg
from benchmarks.report import Results, number, row, verdict
from benchmarks.write import write

SVG = "{http://www.w3.org/2000/svg}"

MACHINE = Machine(
    when="2026-11-24 12:00 UTC",
    version="abc1234",
    cores=2,
    processor="a processor",
    kernel="6.18",
    python="3.11.7",
    postgres="15.18",
    load=0.1,
)


def measured(
    *values: float,
    floor: Sequence[float] | None = None,
    target: Target | None = None,
    place: Place | None = None,
) -> Measurement:
    return Measurement(
        name="deliveries",
        unit="/s",
        series=Series(list(values)),
        floor=None if floor is None else Series(list(floor)),
        beside="raw loop" if floor else "",
        target=target,
        place=place,
    )


def results(*measurements: Measurement, **unfinished: str) -> Results:
    return Results(MACHINE, 3, False, {"throughput": list(measurements)}, unfinished)


def test_a_ratio_is_the_median_of_what_each_run_comes_to() -> None:
    assert measured(10, 20, 90, floor=[10, 40, 100]).ratio == 0.9
    assert measured(10, 20, 90).ratio is None


def test_what_is_pooled_is_held_against_what_is_pooled() -> None:
    found = measured(1, 2)
    found.series = Series([1, 2], pooled=3)
    found.floor = Series([1, 1], pooled=2)
    assert found.ratio == 1.5
    assert found.series.middle == 3


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (at_least(20), True),
        (at_least(21), False),
        (at_most(20), True),
        (at_most(19), False),
        (at_least(0.5, "ratio"), True),
        (at_least(0.6, "ratio"), False),
        (at_most(0.4, "ratio"), False),
        (None, None),
    ],
)
def test_a_target_is_met_or_missed_by_the_middle(
    target: Target | None, met: bool | None
) -> None:
    found = measured(1, 20, 900, floor=[100, 40, 1800], target=target)
    assert found.met is met
    assert row(found).endswith(
        {True: "| met |", False: "| **missed** |", None: "|  |"}[met]
    )


@pytest.mark.parametrize(
    ("part", "value"), [(0.5, 50), (0.99, 99), (0.991, 100), (1, 100), (0.001, 1)]
)
def test_a_quantile_is_one_of_the_values(part: float, value: int) -> None:
    assert quantile(range(1, 101), part) == value


def test_a_percentile_is_one_of_all_runs_together() -> None:
    assert quantiles([[1, 1, 1], [2, 2, 9]], 0.5) == Series([1, 2], pooled=1)


def test_a_row_has_all_that_was_measured() -> None:
    found = measured(9_000, 10_000.4, 12_000, floor=[40_000] * 3)
    found.target = at_least(0.4, "ratio")
    assert row(found) == (
        "| deliveries | 9,000/s | **10,000/s** | 12,000/s | 40,000/s (raw loop) | 0.25"
        " | ratio at least 0.40 | **missed** |"
    )


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (12_345.6, "/s", "12,346/s"),
        (0.0168, "", "0.0168"),
        (0.000_04, "", "4e-05"),
        (0, "%", "0 %"),
        (14.25, "ms", "14.2 ms"),
    ],
)
def test_a_number_has_three_digits(value: float, unit: str, words: str) -> None:
    assert number(value, unit) == words


def test_the_verdict_counts_targets_and_names_what_did_not_end() -> None:
    found = results(
        measured(1, target=at_least(1)),
        measured(1, target=at_least(2)),
        measured(1),
        start="waited 180 s for flags to be cleared",
    )
    assert verdict(found) == (
        "1 of 2 targets met. start did not end: waited 180 s for flags to be cleared."
    )


def test_a_run_is_written_whole(tmp_path: Path) -> None:
    chart = "build_finished-deliveries"
    found = results(
        *(
            measured(x, floor=[2 * x], place=Place(chart, "window 16", x))
            for x in (1, 8)
        )
    )
    write(found, tmp_path)
    read = msgspec.json.decode((tmp_path / "results.json").read_bytes(), type=Results)
    assert read == found
    page = (tmp_path / "RESULTS.md").read_text()
    assert MACHINE.words() in page
    assert row(found.cases["throughput"][0]) in page
    assert f"(plots/{chart}.svg)" in page
    assert [path.name for path in (tmp_path / "plots").iterdir()] == [f"{chart}.svg"]


def test_a_floor_is_a_line_of_its_own_in_the_colour_of_what_stands_on_it() -> None:
    found = [
        measured(5, floor=[20], place=Place("step_finished-cpu", line, 4))
        for line in ("window 1", "window 16")
    ]
    assert lines("step_finished-cpu", found) == [
        Line("host, window 1", 0, [(4, 5)]),
        Line("raw loop, window 1", 0, [(4, 20)], is_floor=True),
        Line("host, window 16", 1, [(4, 5)]),
        Line("raw loop, window 16", 1, [(4, 20)], is_floor=True),
    ]
    assert not lines("memory", found)


@pytest.mark.parametrize("log", [True, False])
def test_a_plot_has_every_point_where_it_belongs(log: bool) -> None:
    chart = Chart("a < b", "plugins", "a second", log_x=log, log_y=log)
    points = [(1.0, 10.0), (4.0, 40.0), (16.0, 160.0)]
    root = ElementTree.fromstring(svg(chart, [Line("host", 0, points)]))  # noqa: S314
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"a < b", "plugins", "a second", "host", "1", "4", "16"} <= set(words)
    dots = list(root.iter(f"{SVG}circle"))
    xs, ys = ([float(dot.attrib[c]) for dot in dots] for c in ("cx", "cy"))
    assert xs == sorted(xs)
    assert ys == sorted(ys, reverse=True)
    # Equal factors are equal steps on a logarithmic axis alone.
    assert (abs((xs[1] - xs[0]) - (xs[2] - xs[1])) < 0.2) is log


def test_a_plot_of_nothing_but_zeros_has_an_axis() -> None:
    ElementTree.fromstring(  # noqa: S314
        svg(CHARTS["memory"], [Line("host", 0, [(1, 0), (2, 0)])])
    )


def test_a_busy_machine_is_warned_of() -> None:
    assert MACHINE.warning() is None
    busy = msgspec.structs.replace(MACHINE, load=2.5)
    assert "2.50" in (busy.warning() or "")


def test_a_case_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["latancy"])
    assert exit_.value.code == 2
    message = capsys.readouterr().err
    assert "no case latancy" in message
    assert "latency" in message


def test_the_documentation_has_every_case() -> None:
    page = (Path(__file__).parents[1] / "docs/benchmarks.md").read_text()
    assert [case for case in CASES if f"| `{case}` |" not in page] == []
