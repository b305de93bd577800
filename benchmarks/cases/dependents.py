"""One notification that speaks for many builds."""

from collections.abc import Iterator

from benchmarks import floors
from benchmarks.bench import Bench
from benchmarks.burst import PATIENCE, Stand, echo_stand
from benchmarks.heard import Heard, hearing
from benchmarks.measurement import Measurement, Series, at_most
from benchmarks.waiting import wait_until

DEPENDENTS = 100
BUILDS = DEPENDENTS + 1
PLUGINS, WINDOW = 4, 16
WARM = 3


def dependents(bench: Bench) -> Iterator[Measurement]:
    tries = bench.size(4 * bench.runs, 3)
    with (
        bench.hydra(BUILDS * (WARM + tries)) as bare,
        bench.hydra(BUILDS * (WARM + tries)) as hydra,
        # The floor's flags are announced, too.
        hearing(bare),
        hearing(hydra) as heard,
        echo_stand(hydra, PLUGINS, WINDOW) as stand,
    ):
        for _ in range(WARM):
            floors.clear(bare, BUILDS)
            until_cleared(stand, heard)
        bottoms, times = [], []
        for _ in range(tries):
            bottoms.append(1000 * BUILDS / floors.clear(bare, BUILDS))
            times.append(until_cleared(stand, heard))
    yield Measurement(
        name=f"build_finished with {DEPENDENTS} dependents, {PLUGINS} plugins: NOTIFY"
        " until all flags are clear",
        unit="ms",
        series=Series(times),
        floor=Series(bottoms),
        beside="bare clear",
        target=at_most(15),
    )


def until_cleared(stand: Stand, heard: Heard) -> float:
    """Milliseconds."""
    first, last = stand.hydra.some(BUILDS)
    stand.hydra.flag(first, last)
    heard.clear()
    sent = stand.hydra.announce_one("\t".join(map(str, range(first, last + 1))))

    def cleared() -> list[float]:
        return [at for (channel, _), at in heard.items() if channel == "flag_cleared"]

    # One more is the notification itself.
    wait_until(lambda: len(heard) == BUILDS + 1, PATIENCE, "all flags to be clear")
    return 1000 * (max(cleared()) - sent)
