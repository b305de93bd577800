"""Results as files."""

from pathlib import Path

import msgspec

from benchmarks.charts import CHARTS, lines
from benchmarks.plot import svg
from benchmarks.report import Results, markdown


def write(results: Results, directory: Path) -> None:
    """Write `results.json`, `RESULTS.md` and, in `plots`, what has two points or more.

    A plot that is there already and has none now is left alone.
    """
    plots = directory / "plots"
    plots.mkdir(parents=True, exist_ok=True)
    everything = msgspec.json.format(msgspec.json.encode(results))
    (directory / "results.json").write_bytes(everything + b"\n")
    measurements = [m for case in results.cases.values() for m in case]
    drawn: list[tuple[str, str]] = []
    for name, chart in CHARTS.items():
        shown = lines(name, measurements)
        if any(len(line.points) > 1 for line in shown):
            (plots / f"{name}.svg").write_text(svg(chart, shown))
            drawn.append((chart.title, f"plots/{name}.svg"))
    (directory / "RESULTS.md").write_text(markdown(results, drawn))
