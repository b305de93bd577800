"""Times that an operator writes: a number and a unit, such as 7d."""

import re
from typing import Final

_FORM: Final = re.compile(r"(\d{1,6})([smhd])")

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_of(text: str) -> float | None:
    """The seconds that `text` stands for; None when it is no such time."""
    found = _FORM.fullmatch(text)
    return None if found is None else float(found[1]) * _SECONDS[found[2]]
