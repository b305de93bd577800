"""How quickly the host recovers: `make bench-recovery`. Takes some four minutes.

Prints a Markdown table. Times are measured by the plugins' own clock, from what was
done to the host until a plugin was told.
"""

import functools
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Literal

import trio
from tests.soak.processes import usage

from benchmarks.rig import LOOK, PATIENCE, PLUGINS, Rig, rig_on
from hydra_notify.database import connect
from hydra_notify.demo.server.postgres import Server, private_postgres
from hydra_notify.limits import SWEEP_INTERVAL

RUNS = 5

BACKLOG = 100_000

LIVE = 20
"""Builds that finish while the backlog is worked off."""

SEED_BACKLOG = """
insert into builds
  (finished, timestamp, jobset_id, job, nixname, drvpath, system, starttime, stoptime,
   iscachedbuild, buildstatus, notificationpendingsince)
select 1, 1795000000, (select min(id) from jobsets), 'job' || n, 'job-' || n,
       '/nix/store/' || md5(n::text) || '-job-' || n || '.drv', 'x86_64-linux',
       1795000000, 1795000000 + n %% 1000, 0, 0, 1795000000 + n %% 1000
from generate_series(1, %s) n
"""

SOME_PENDING = """
select exists (select from builds where notificationpendingsince is not null)
"""

Figures = dict[str, list[float]]
"""Measured values of one thing each."""


async def restarts(rig: Rig, mode: Literal["fast", "immediate"]) -> Figures:
    """A build that finishes right after the server is back."""
    await rig.start()
    waits: list[float] = []
    for build in rig.queue(RUNS):
        await trio.to_thread.run_sync(rig.server.restart, mode)
        back = time.monotonic()
        event = await trio.to_thread.run_sync(rig.finish, build)
        waits.append(await rig.first_told(event) - back)
    return {f"Postgres back ({mode}) to first delivery, s (target < 2)": waits}


async def black_holes(rig: Rig) -> Figures:
    """A link that swallows everything, while new connections get through."""
    await rig.start()
    waits: list[float] = []
    for number, build in enumerate(rig.queue(3)):
        # At different times after the last proof that the link lives.
        await trio.sleep(3 * number)
        rig.proxy.blackhole()
        fault = time.monotonic()
        rig.proxy.normal()
        event = await trio.to_thread.run_sync(rig.finish, build)
        waits.append(await rig.first_told(event) - fault)
    return {"black hole to delivery over a new link, s (target < 20)": waits}


async def never_sent(rig: Rig) -> Figures:
    """Builds whose notification is never sent, finished at different times."""
    await rig.start()
    listening = time.monotonic()
    waits: list[float] = []
    sweeps: list[float] = []
    finished: list[tuple[float, str]] = []
    for build in rig.queue(RUNS):
        unsent = functools.partial(rig.finish, build, notify=False)
        event = await trio.to_thread.run_sync(unsent)
        finished.append((time.monotonic(), event))
        await trio.sleep(SWEEP_INTERVAL / RUNS)
    for at, event in finished:
        told = await rig.first_told(event)
        waits.append(told - at)
        first, last = ((t - listening) // SWEEP_INTERVAL for t in (at, told + 0.5))
        sweeps.append(last - first)
    return {
        "NOTIFY never sent: sweeps until delivery (target <= 2)": sweeps,
        "NOTIFY never sent: until delivery, s": waits,
    }


async def backlog(rig: Rig) -> Figures:
    """Everything pending at the start, and live events in the middle of it."""
    with connect(rig.hydra.url) as connection:
        connection.execute(SEED_BACKLOG, (BACKLOG,))
        connection.execute("vacuum analyze builds")
    builds = rig.queue(LIVE)
    began = time.monotonic()
    await rig.start()
    live: list[tuple[float, str]] = []
    for build in builds:
        event = await trio.to_thread.run_sync(rig.finish, build)
        live.append((time.monotonic(), event))
        await trio.sleep(0.2)
    left = len(rig.told(PLUGINS[0]))
    assert left < BACKLOG, "the backlog was gone before the live events"
    with connect(rig.hydra.url) as connection, trio.fail_after(PATIENCE):
        while connection.execute(SOME_PENDING).fetchone() == (True,):  # noqa: ASYNC110
            await trio.sleep(LOOK)
    seconds = time.monotonic() - began
    told = [rig.told(plugin) for plugin in PLUGINS]
    first = [min(at for e, at in t.items() if e != "ready") - t["ready"] for t in told]
    name = f"{BACKLOG:,} pending"
    return {
        f"{name}: handshake to first event, s (target < 1)": first,
        f"{name}: start to all flags clear, s": [seconds],
        f"{name}: deliveries a second": [len(PLUGINS) * BACKLOG / seconds],
        f"{name}: peak memory of the host, MB (target < 150)": [
            usage(rig.host.pid).peak / 2**20
        ],
        f"{name}: wait of a live event meanwhile, s": [
            times[event] - at for at, event in live for times in told
        ],
    }


async def kills(rig: Rig) -> Figures:
    """SIGKILL, a build that finishes without a host, and the next host."""
    await rig.start()
    listening: list[float] = []
    waits: list[float] = []
    for build in rig.queue(RUNS):
        await rig.host.kill()
        event = await trio.to_thread.run_sync(rig.finish, build)
        began = time.monotonic()
        listening.append(await rig.start())
        waits.append(await rig.first_told(event) - began)
    return {
        "start after SIGKILL to listening, s": listening,
        "start after SIGKILL to first delivery, s": waits,
    }


Measurement = Callable[[Rig], Awaitable[Figures]]

MEASUREMENTS: tuple[tuple[Measurement, ...], ...] = (
    (functools.partial(restarts, mode="fast"),),
    (functools.partial(restarts, mode="immediate"),),
    # These do nothing but wait, and may do so together.
    (black_holes, never_sent),
    (backlog,),
    (kills,),
)


async def measure(server: Server) -> None:
    """Measure everything, and print what has been measured as it comes."""
    print("| what | min | median | max | values |")
    print("|---|---|---|---|---|")
    for together in MEASUREMENTS:
        async with trio.open_nursery() as nursery:
            # Ends with the longest of them.
            for measurement in together:
                nursery.start_soon(print_measured, server, measurement)


async def print_measured(server: Server, measurement: Measurement) -> None:
    async with rig_on(server) as rig:
        figures = await measurement(rig)
    for what, values in figures.items():
        row = (min(values), median(values), max(values))
        cells = " | ".join(map(_figure, row))
        print(f"| {what} | {cells} | {len(values)} |", flush=True)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main() -> None:
    with private_postgres(tcp=True, durable=True) as server:
        trio.run(measure, server)


if __name__ == "__main__":
    main()
