"""Which plots there are, and which measurements are in them."""

from collections.abc import Iterable

from benchmarks.measurement import Measurement
from benchmarks.plot import Chart, Line

CHARTS: dict[str, Chart] = {
    **{
        f"{event}-{what}": Chart(
            f"{event}: {words}", "plugins", y, log_x=True, log_y=True, floors=True
        )
        for event in ("build_finished", "step_finished")
        for what, words, y in (
            ("deliveries", "deliveries to all plugins together", "a second"),
            ("cpu", "processor time of the host for a delivery", "microseconds"),
        )
    },
    "memory": Chart(
        "Memory of the host while a plugin is dead", "events queued for it", "MB"
    ),
    "growth-rate": Chart(
        "build_finished, 4 plugins", "builds in the table", "a second", log_x=True
    ),
    "growth-cost": Chart(
        "What a build costs, 4 plugins",
        "builds in the table",
        "microseconds",
        log_x=True,
    ),
    "growth-start": Chart(
        "Start of the host, exec to LISTEN",
        "builds in the table",
        "seconds",
        log_x=True,
    ),
}


def lines(name: str, measurements: Iterable[Measurement]) -> list[Line]:
    """Those of a chart: through the middle values of what belongs in it."""
    found: dict[str, Line] = {}
    colours: dict[str, int] = {}
    for measurement in measurements:
        place = measurement.place
        if place is None or place.chart != name:
            continue
        colour = colours.setdefault(place.line, len(colours))
        series = {place.line: measurement.series}
        if CHARTS[name].floors and measurement.floor is not None:
            series = {
                f"host, {place.line}": measurement.series,
                f"{measurement.beside}, {place.line}": measurement.floor,
            }
        for line, values in series.items():
            is_floor = values is measurement.floor
            into = found.setdefault(line, Line(line, colour, [], is_floor))
            into.points.append((place.x, values.middle))
    return list(found.values())
