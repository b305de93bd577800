"""The files of `packaging/`, as tests read them."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from tests.pages import ROOT

PACKAGING: Final = ROOT / "packaging"
UNIT: Final = PACKAGING / "systemd" / "hydra-notify.service"

Section = Mapping[str, list[str]]


def unit(section: str) -> Section:
    """The keys of a section of the unit, each with the values that it has in turn."""
    found: dict[str, list[str]] = defaultdict(list)
    current = ""
    for line in UNIT.read_text().splitlines():
        if line.startswith("["):
            current = line.strip("[]")
        elif line and not line.startswith("#") and current == section:
            key, _, value = line.partition("=")
            found[key].append(value)
    return found


def seconds(section: Section, key: str) -> float:
    """A time of the unit, which is written without a unit."""
    (value,) = section[key]
    return float(value)
