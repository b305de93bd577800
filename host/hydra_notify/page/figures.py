"""Numbers, durations and times as people read them, with their units.

`static/live.js` says ages in the same words: a test holds the two together.
"""

from datetime import UTC, datetime
from typing import Final

_DECIMALS_BELOW: Final = 9.95
"""From here on a decimal tells nothing."""

_LARGE: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))

_MOST_SECONDS: Final = 2.5e11
"""Since 1970: the year 9892; a datetime ends in 9999."""


def count(number: float) -> str:
    """A number of things: `7`, `1.2 k`, `35 M`."""
    for size, letter in _LARGE:
        # What would be rounded up to a thousand is one of the next size.
        if abs(number) >= 0.9995 * size and (size > 1e3 or abs(number) >= size):
            return f"{_short(number / size)} {letter}"
    return f"{number:.0f}"


def exact(number: float) -> str:
    """The same in full, for whoever looks closer: `1,234`."""
    return f"{number:,.0f}"


def rate(per_second: float) -> str:
    """How often in a second: `0`, `0.3`, `12`, `1.2 k`."""
    if 0 < abs(per_second) < 0.05:
        return "< 0.1"
    return count(per_second) if per_second >= 1e3 else _short(per_second)


def duration(seconds: float) -> str:
    """A length of time in the unit that tells most: `350 ms`, `3 min`, `2 h 5 min`."""
    if seconds <= 0:
        return "0 s"
    if seconds < 0.9995:
        return f"{_short(seconds * 1e3)} ms"
    if seconds < 60:
        return f"{_short(seconds)} s" if seconds < _DECIMALS_BELOW else _whole(seconds)
    return _whole(seconds)


def age(seconds: float) -> str:
    """A time that has passed or, if negative, is to come: `3 min ago`, `in 5 s`."""
    if abs(seconds) < 1:
        return "now"
    words = _whole(abs(seconds))
    return f"{words} ago" if seconds > 0 else f"in {words}"


def due(seconds: float) -> str:
    """A time that is to come, by how long it is past: `in 5 s`, or `due`."""
    return "due" if seconds >= 0 else age(seconds)


def instant(moment: float) -> datetime:
    """The moment, in UTC; what no calendar has is its first or last day."""
    return datetime.fromtimestamp(min(max(moment, 0), _MOST_SECONDS) // 1, UTC)


def clock(moment: float) -> str:
    """A moment for people: `2026-11-24 18:15:03 UTC`."""
    return f"{instant(moment):%Y-%m-%d %H:%M:%S} UTC"


def _whole(seconds: float) -> str:
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3_600, whole // 86_400
    if hours < 1:
        return f"{minutes} min"
    if days < 2:
        rest = minutes % 60
        return f"{hours} h {rest} min" if rest and hours < 10 else f"{hours} h"
    return f"{days} d"


def _short(number: float) -> str:
    if number and abs(number) < _DECIMALS_BELOW:
        return f"{number:.1f}".removesuffix(".0")
    return f"{number:.0f}"
