"""Which faults come when: drawn from the seed and from nothing else.

Times are seconds since the beginning of the faults.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

PLUGIN_KILLS_EACH = 0.48
"""Seconds from one SIGKILL of a plugin to the next, on average."""

BACKEND_KILLS_EACH = 4.0
RESTARTS_EACH = 25.0
LINK_FAULTS_EACH = 12.0
"""Of other faults, each of its kind."""

LONGEST_LINK_FAULT = 6.0
LONGEST_DOWN = 1.0
"""Of a fault that lasts."""


@dataclass(frozen=True, slots=True)
class PluginKill:
    """SIGKILL of a plugin; of another one when that does not run."""

    at: float
    plugin: str


@dataclass(frozen=True, slots=True)
class BackendKill:
    """The end of one of the host's connections, by the server; or of all."""

    at: float
    all: bool


@dataclass(frozen=True, slots=True)
class Restart:
    """The server stops, and starts again after `down` seconds."""

    at: float
    mode: Literal["fast", "immediate"]
    down: float


LinkFaultKind = Literal["reset", "blackhole", "latency"]


@dataclass(frozen=True, slots=True)
class LinkFault:
    """The link between host and server suffers for `lasting` seconds."""

    at: float
    kind: LinkFaultKind
    lasting: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Every fault of a soak, each kind in the order of time.

    Attributes:
        host_kills: When the host is killed.
    """

    host_kills: tuple[float, ...]
    plugin_kills: tuple[PluginKill, ...]
    backend_kills: tuple[BackendKill, ...]
    restarts: tuple[Restart, ...]
    link_faults: tuple[LinkFault, ...]


def make_plan(seed: int, seconds: float, plugins: Sequence[str]) -> Plan:
    """The faults of the first `seconds` of the soak with this seed."""

    def times(kind: str, gap: Callable[[Random], float]) -> Iterator[float]:
        dice = Random(f"{seed} {kind}")
        at = gap(dice)
        while at < seconds:
            yield at
            at += gap(dice)

    def about(mean: float) -> Callable[[Random], float]:
        return lambda dice: dice.uniform(0, 2 * mean)

    chance = Random(f"{seed} how")
    return Plan(
        host_kills=tuple(times("host", _life)),
        plugin_kills=tuple(
            PluginKill(at, chance.choice(plugins))
            for at in times("plugin", about(PLUGIN_KILLS_EACH))
        ),
        backend_kills=tuple(
            BackendKill(at, all=chance.random() < 0.3)
            for at in times("backend", about(BACKEND_KILLS_EACH))
        ),
        restarts=tuple(
            Restart(
                at,
                "immediate" if chance.random() < 0.5 else "fast",
                chance.uniform(0, LONGEST_DOWN),
            )
            for at in times("server", about(RESTARTS_EACH))
        ),
        link_faults=tuple(_link_faults(chance, times("link", about(LINK_FAULTS_EACH)))),
    )


def _life(dice: Random) -> float:
    """Seconds from one kill of the host to the next: 1.65 on average.

    A host is at work 0.7 s after its start. A quarter of them never get there, some
    live long enough for a plugin to be restarted several times.
    """
    sort = dice.random()
    if sort < 0.25:
        return dice.uniform(0.02, 0.5)
    if sort < 0.92:
        return dice.uniform(0.7, 2.3)
    return dice.uniform(4, 9)


def _link_faults(chance: Random, times: Iterator[float]) -> Iterator[LinkFault]:
    kinds: tuple[LinkFaultKind, ...] = ("reset", "blackhole", "latency")
    free = 0.0
    for at in times:
        kind = chance.choice(kinds)
        lasting = 0.0 if kind == "reset" else chance.uniform(0.5, LONGEST_LINK_FAULT)
        # One at a time.
        if at >= free:
            yield LinkFault(at, kind, lasting)
            free = at + lasting
