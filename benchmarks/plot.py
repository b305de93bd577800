"""Lines in a plot, as SVG that can be read on a light and on a dark page."""

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, log10

import msgspec

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 540, 50, 360
"""Edges of the lines' field; right of it is the legend."""

TICKS = 6
"""About so many on the y axis."""

STYLE = """
text { font: 12px sans-serif; fill: #24292f; } .title { font: bold 15px sans-serif; }
.page { fill: #ffffff; } .grid { stroke: #d0d7de; }
.line { fill: none; stroke: currentColor; stroke-width: 2; }
.floor { stroke-dasharray: 6 4; } circle { fill: currentColor; }
.c0 { color: #0072b2; } .c1 { color: #d55e00; } .c2 { color: #007d5b; }
.c3 { color: #aa4499; } .c4 { color: #8a6d00; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .page { fill: #0d1117; } .grid { stroke: #30363d; }
  .c0 { color: #56b4e9; } .c1 { color: #ff8c42; } .c2 { color: #2fd0a0; }
  .c3 { color: #e090d0; } .c4 { color: #f0d050; }
}
"""

COLOURS = 5
Floats = Sequence[float]
Point = tuple[float, float]


class Chart(msgspec.Struct, frozen=True):
    """Attributes:
    x, y: What the axes show, with the unit.
    floors: Whether lines for the floors belong in it.
    """

    title: str
    x: str
    y: str
    log_x: bool = False
    log_y: bool = False
    floors: bool = False


class Line(msgspec.Struct):
    """Attributes:
    colour: Lines that belong together have the same.
    points: x and y.
    """

    name: str
    colour: int
    points: list[Point]
    is_floor: bool = False


class Axis:
    """Where values are between two pixels."""

    def __init__(
        self, low: float, high: float, pixels: tuple[int, int], *, log: bool
    ) -> None:
        self._scale = log10 if log else float
        self._low, high = self._scale(low), self._scale(high)
        self._start, end = pixels
        self._step = (end - self._start) / ((high - self._low) or 1)

    def at(self, value: float) -> float:
        return round(self._start + self._step * (self._scale(value) - self._low), 1)


def svg(chart: Chart, lines: Sequence[Line]) -> str:
    """The plot. On a logarithmic axis no value may be 0."""
    xs = sorted({x for line in lines for x, _ in line.points})
    ys = [y for line in lines for _, y in line.points]
    ticks = _log_ticks(min(ys), max(ys)) if chart.log_y else _ticks(max(ys))
    x_axis = Axis(xs[0], xs[-1], (LEFT, RIGHT), log=chart.log_x)
    y_axis = Axis(ticks[0], ticks[-1], (BOTTOM, TOP), log=chart.log_y)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' role="img" aria-label="{escape(chart.title)}">',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>',
        _text(LEFT, 24, chart.title, 'class="title"'),
        _text(LEFT, TOP - 10, chart.y),
        _text((LEFT + RIGHT) // 2, BOTTOM + 40, chart.x, 'text-anchor="middle"'),
        *_grid(ticks, y_axis, xs, x_axis),
    ]
    for number, line in enumerate(lines):
        points = [(x_axis.at(x), y_axis.at(y)) for x, y in sorted(line.points)]
        parts += _drawn(line, points, TOP + 10 + 22 * number)
    return "\n".join([*parts, "</svg>", ""])


def short(value: float) -> str:
    """A number for an axis: 2.5k, 1M."""
    for unit, word in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{word}"
    return f"{value:g}"


def _grid(ys: Floats, y_axis: Axis, xs: Floats, x_axis: Axis) -> Iterator[str]:
    for y in ys:
        at = y_axis.at(y)
        yield f'<path class="grid" d="M{LEFT} {at}H{RIGHT}"/>'
        yield _text(LEFT - 8, at + 4, short(y), 'text-anchor="end"')
    for x in xs:
        at = x_axis.at(x)
        yield f'<path class="grid" d="M{at} {TOP}V{BOTTOM}"/>'
        yield _text(at, BOTTOM + 18, short(x), 'text-anchor="middle"')


def _drawn(line: Line, points: Sequence[Point], legend: int) -> Iterator[str]:
    """The line, a dot for each point, and its words in the legend."""
    colour = f"c{line.colour % COLOURS}"
    style = f'class="line {colour}{" floor" if line.is_floor else ""}"'
    path = "L".join(f"{x} {y}" for x, y in points)
    yield f'<path {style} d="M{path}"/>'
    for x, y in points:
        yield f'<circle class="{colour}" cx="{x}" cy="{y}" r="3"/>'
    yield f'<path {style} d="M{RIGHT + 20} {legend}h26"/>'
    yield _text(RIGHT + 54, legend + 4, line.name)


def _text(x: float, y: float, words: str, attributes: str = "") -> str:
    return f'<text x="{x}" y="{y}" {attributes}>{escape(words)}</text>'


def _ticks(high: float) -> list[float]:
    """From 0, in steps of 1, 2 or 5, to what is above `high`."""
    rough = (high or 1) / TICKS
    power = 10 ** floor(log10(rough))
    step = next(power * part for part in (1, 2, 5, 10) if power * part >= rough)
    return [round(step * number, 12) for number in range(ceil(high / step) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 of each power of ten, from below `low` to above `high`."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    ticks = [part * 10.0**power for power in powers for part in (1, 2, 5)]
    first = max(number for number, tick in enumerate(ticks) if tick <= low)
    last = min(number for number, tick in enumerate(ticks) if tick >= high)
    return ticks[first : last + 1]
