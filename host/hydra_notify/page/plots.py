"""Rates as lines: the points of a plot, and what it shows in words."""

from typing import NamedTuple

from hydra_notify.limits import TREND_STEPS
from hydra_notify.page.figures import duration, rate
from hydra_notify.status import Trend

WIDTH = 120.0
HEIGHT = 28.0
"""Of every plot, in units of its own: the style sheet says how large it is."""

_EDGE = 2.0
"""Left free above and below, so that the line is not cut."""


class Plot(NamedTuple):
    """A line to be drawn.

    Attributes:
        line: Points, as SVG writes them.
        area: The same, closed at the bottom.
        words: What it shows, for those who do not see it.
        now: The last value, in words.
        most: The largest, in words.
        span: How long it all is, in words.
    """

    line: str
    area: str
    words: str
    now: str
    most: str
    span: str


def plot(trend: Trend, what: str) -> Plot:
    """The line of a rate.

    Args:
        trend: Of what is plotted; no values are a rate of nothing.
        what: It is, such as `events`.
    """
    values = trend.values or [0.0]
    span = duration(trend.step * len(values))
    most = max(values)
    scale = (HEIGHT - 2 * _EDGE) / most if most > 0 else 0.0
    # What is missing of a plot is at its beginning: the host was not there yet.
    step = WIDTH / max(TREND_STEPS - 1, len(values) - 1)
    values = [values[0], *values] if len(values) == 1 else values
    first = WIDTH - step * (len(values) - 1)
    points = [
        (f"{first + index * step:.1f}", f"{HEIGHT - _EDGE - value * scale:.1f}")
        for index, value in enumerate(values)
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    now, top = rate(values[-1]), rate(most)
    words = f"{what}: {now} a second now, at most {top} a second in the last {span}"
    area = f"{points[0][0]},{HEIGHT} {line} {WIDTH},{HEIGHT}"
    return Plot(line, area, words, now, top, span)
