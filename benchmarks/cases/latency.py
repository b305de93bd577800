"""A steady trickle of builds: how soon plugins are told, and flags are clear."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.bench import Bench
from benchmarks.heard import Heard, hearing
from benchmarks.host import Host, program, running_host
from benchmarks.hydra import Hydra
from benchmarks.measurement import Measurement, at_most, quantiles
from benchmarks.waiting import pause, wait_until

RATE = 50
"""Builds a second."""

OTHERS = ("one", "two", "three")
LAST = "four"

SLEEP = 0.05
"""Seconds for each event of the plugin that sleeps: it falls ever further behind."""

WINDOW = 16

PATIENCE = 30.0
"""Seconds for what is left when the last build was announced."""


@dataclass(frozen=True)
class Trickle:
    """Times in milliseconds from just before the notification was sent.

    Attributes:
        heard: Until a client that does nothing else has heard of it.
        told: Until a plugin has read the event, for each plugin and build.
        others: The same without the last plugin.
        cleared: Until that client has heard that the flag is clear.
    """

    heard: list[float]
    told: list[float]
    others: list[float]
    cleared: list[float]


@dataclass(frozen=True)
class Trial:
    hydra: Hydra
    host: Host
    heard: Heard
    sleeping: bool

    def run(self, seconds: int) -> Trickle:
        first, last = self.hydra.some(RATE * seconds)
        builds = range(first, last + 1)
        self.heard.clear()
        sent: dict[int, float] = {}
        began = time.monotonic()
        for number, build in enumerate(builds):
            pause(max(0.0, began + number / RATE - time.monotonic()))
            self.hydra.flag(build, build)
            sent[build] = self.hydra.announce_one(str(build))
        plugins = OTHERS if self.sleeping else (*OTHERS, LAST)

        def done() -> bool:
            told = all(
                self.host.told(plugin).keys() >= sent.keys() for plugin in plugins
            )
            return told and (self.sleeping or len(self.heard) == 2 * len(builds))

        wait_until(done, PATIENCE, "plugins to be told and flags to be clear")
        by_plugin = {plugin: _since(sent, self.host.told(plugin)) for plugin in plugins}
        heard: dict[str, dict[int, float]] = {}
        for (channel, build), at in self.heard.items():
            heard.setdefault(channel, {})[build] = at
        return Trickle(
            heard=_since(sent, heard["build_finished"]),
            told=[time for times in by_plugin.values() for time in times],
            others=[time for plugin in OTHERS for time in by_plugin[plugin]],
            cleared=[] if self.sleeping else _since(sent, heard["flag_cleared"]),
        )


def latency(bench: Bench) -> Iterator[Measurement]:
    seconds = bench.size(6, 2)
    builds = RATE * (1 + seconds * (bench.runs + 1))
    with ExitStack() as stack:
        trials = []
        for sleep in (0.0, SLEEP):
            hydra = stack.enter_context(bench.hydra(builds))
            command = program("told.py", WINDOW)
            plugins = {name: {"command": command} for name in OTHERS}
            plugins[LAST] = {"command": program("told.py", WINDOW, sleep)}
            host = stack.enter_context(running_host(hydra, plugins))
            heard = stack.enter_context(hearing(hydra))
            trials.append(Trial(hydra, host, heard, bool(sleep)))
            trials[-1].run(1)
        plain, hampered = [], []
        for _ in range(bench.runs):
            plain.append(trials[0].run(seconds))
            hampered.append(trials[1].run(seconds))
    yield from measurements(plain, hampered)


def measurements(
    plain: list[Trickle], hampered: list[Trickle]
) -> Iterator[Measurement]:
    words = f"{RATE} builds a second, 4 plugins"
    for part, told, cleared in ((0.5, 3, 8), (0.99, 10, None)):
        percentile = f"p{100 * part:.0f}"
        yield Measurement(
            name=f"{words}: NOTIFY until the plugin has read, {percentile}",
            unit="ms",
            series=quantiles([run.told for run in plain], part),
            floor=quantiles([run.heard for run in plain], part),
            beside="bare LISTEN",
            target=at_most(told),
        )
        yield Measurement(
            name=f"{words}: NOTIFY until the flag is clear, {percentile}",
            unit="ms",
            series=quantiles([run.cleared for run in plain], part),
            target=None if cleared is None else at_most(cleared),
        )
    for part in (0.5, 0.99):
        yield Measurement(
            name=f"{words}, one sleeps {1000 * SLEEP:.0f} ms over each: NOTIFY until"
            f" the other three have read, p{100 * part:.0f}",
            unit="ms",
            series=quantiles([run.others for run in hampered], part),
            floor=quantiles([run.others for run in plain], part),
            beside="nobody sleeps",
            target=at_most(1.1, "ratio"),
        )


def _since(sent: dict[int, float], reached: dict[int, float]) -> list[float]:
    return [1000 * (reached[build] - at) for build, at in sent.items()]
