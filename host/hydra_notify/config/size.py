"""Sizes and shares that an operator writes, such as 256M and 50%."""

import re
from typing import Final

LEAST_MEMORY: Final = 8 * 2**20
"""Bytes of memory to limit a plugin to: an interpreter alone needs more."""

_SIZE: Final = re.compile(r"(\d{1,6})([KMGT])")
_PERCENT: Final = re.compile(r"(\d{1,5})%")

_BYTES: Final = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def bytes_of(text: str) -> int | None:
    """The bytes that `text` stands for; None when it is no such size."""
    found = _SIZE.fullmatch(text)
    return None if found is None else int(found[1]) * _BYTES[found[2]]


def percent_of(text: str) -> int | None:
    """The hundredths of one processor; None when `text` is no such share."""
    found = _PERCENT.fullmatch(text)
    return None if found is None else int(found[1])
