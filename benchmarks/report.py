"""Measurements as tables."""

from collections.abc import Iterable

import msgspec

from benchmarks.machine import Machine
from benchmarks.measurement import Measurement, Series, Target

HEAD = (
    "| what | min | median | max | floor | ratio | target | met |\n"
    "|---|--:|--:|--:|--:|--:|---|---|"
)


class Results(msgspec.Struct):
    """All that one run of the benchmarks came to.

    Attributes:
        runs: How often everything was measured.
        cases: What each has measured, by name.
    unfinished: Cases that did not end, and why.
    """

    machine: Machine
    runs: int
    quick: bool
    cases: dict[str, list[Measurement]]
    unfinished: dict[str, str] = {}


def row(measurement: Measurement) -> str:
    """One line of a table under `HEAD`."""
    m = measurement
    floor = "" if m.floor is None else f"{_middle(m.floor, m.unit)} ({m.beside})"
    cells = (
        m.name,
        number(min(m.series.values), m.unit),
        f"**{_middle(m.series, m.unit)}**",
        number(max(m.series.values), m.unit),
        floor,
        "" if m.ratio is None else _ratio(m.ratio),
        "" if m.target is None else _target(m.target, m.unit),
        {None: "", True: "met", False: "**missed**"}[m.met],
    )
    return "| " + " | ".join(cells) + " |"


def markdown(results: Results, plots: Iterable[tuple[str, str]]) -> str:
    """The whole as a page.

    Args:
        plots: Title and address of each.
    """
    how = "once, in a hurry" if results.quick else f"{results.runs} times"
    parts = [
        "# What the benchmarks have measured",
        results.machine.words(),
        f"Most of it was measured {how}; docs/benchmarks.md says how to read it.",
        verdict(results),
    ]
    for case, measurements in results.cases.items():
        parts += [f"## {case}", "\n".join([HEAD, *map(row, measurements)])]
    parts += [f"![{title}]({address})" for title, address in plots]
    return "\n\n".join(parts) + "\n"


def verdict(results: Results) -> str:
    """How many targets were met, and what could not be measured."""
    everything = [m for case in results.cases.values() for m in case]
    judged = [m.met for m in everything if m.met is not None]
    words = [f"{sum(judged)} of {len(judged)} targets met."]
    words += [f"{case} did not end: {why}." for case, why in results.unfinished.items()]
    return " ".join(words)


def number(value: float, unit: str) -> str:
    """Three digits, or all before the point, and the unit."""
    if abs(value) >= 100:
        digits = f"{value:,.0f}"
    elif abs(value) >= 0.001 or value == 0:
        digits = f"{value:.3g}"
    else:
        digits = f"{value:.1g}"
    return digits + ("" if unit.startswith("/") else " ") * bool(unit) + unit


def _middle(series: Series, unit: str) -> str:
    return number(series.middle, unit)


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def _target(target: Target, unit: str) -> str:
    if target.of == "value":
        return f"{target.direction} {number(target.bound, unit)}"
    return f"ratio {target.direction} {_ratio(target.bound)}"
