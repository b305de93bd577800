"""Many events: memory stays flat, and a slow plugin is nobody else's trouble."""

import sys
from pathlib import Path

import trio
from tests.end_to_end.stage import PATIENCE, PUPPET, Stage

from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build

YES_MAN = [sys.executable, "-I", "-S", str(PUPPET.with_name("yes_man.py"))]

EVENTS = 100_000
BUILDS = 2_000

FINISH_ALL = """
update builds set finished = 1, buildstatus = 0, starttime = %(stop)s - 1,
                  stoptime = %(stop)s, notificationpendingsince = %(stop)s
where id = any(%(builds)s)
"""
NOTIFY_ALL = "select pg_notify('build_finished', id::text) from unnest(%s::int[]) id"

DROP_INDEXES = """
do $$
declare name text;
begin
  for name in
    select indexrelid::regclass from pg_index
    where indrelid = 'builds'::regclass and not indisprimary
      and indexrelid <> 'indexbuildsonnotificationpendingsince'::regclass
  loop
    execute 'drop index ' || name;
  end loop;
end $$
"""
"""What Hydra's web pages need, and the host does not: most of the work for Postgres."""

ROUND_PATIENCE = 60.0
"""Seconds for one round of builds on a busy machine."""


def resident_kilobytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"no VmRSS of {pid}")


async def test_memory_is_flat_over_a_hundred_thousand_events(stage: Stage) -> None:
    stage.plugins["yes-man"] = {"command": YES_MAN}
    host = await stage.start_host()
    await host.logged("yes-man: ready")
    await host.logged("listening")
    builds: list[int] = []
    while len(builds) < BUILDS:
        builds += queue_builds(stage.hydra, 500)
    stage.watcher.execute(DROP_INDEXES)
    sizes = []
    for number in range(EVENTS // BUILDS):
        stop = 1_800_000_000 + number
        stage.watcher.execute(FINISH_ALL, {"stop": stop, "builds": builds})
        stage.watcher.execute(NOTIFY_ALL, (builds,))
        await stage.all_cleared(ROUND_PATIENCE)
        sizes.append(resident_kilobytes(host.process.pid))
    settled = sizes[len(sizes) // 5]
    assert max(sizes[len(sizes) // 5 :]) - settled < 8 * 1024, sizes


async def test_a_plugin_that_never_answers_delays_nobody(stage: Stage) -> None:
    stage.puppet("slow")
    stage.puppet("quick", manifest={"max_in_flight": 8})
    await stage.listening()
    builds = queue_builds(stage.hydra, 500)
    for build in builds:
        finish_build(stage.hydra, build)
    held = await stage.event("slow")
    with trio.fail_after(PATIENCE):
        for _ in builds:
            await (await stage.event("quick")).succeed()
    assert stage.events_waiting("slow") == []
    assert stage.pending() == len(builds)
    await held.succeed()
    await stage.cleared(held.data["build"])


async def test_a_plugin_that_comes_back_gets_what_it_missed_in_order(
    stage: Stage,
) -> None:
    """More than is kept as payloads: the rest was kept as ids and is read again."""
    stage.limit(RESTART_BASE=0.1)
    stage.puppet("away", manifest={"max_in_flight": 64})
    stage.plugins["yes-man"] = {"command": YES_MAN}
    host = await stage.listening()
    await host.logged("yes-man: ready")
    builds = [b for _ in range(10) for b in queue_builds(stage.hydra, 500)]
    first = builds[0]
    finish_build(stage.hydra, first)
    held = await stage.event("away")
    stop = 1_800_000_000
    stage.watcher.execute(FINISH_ALL, {"stop": stop, "builds": builds[1:]})
    stage.watcher.execute(NOTIFY_ALL, (builds[1:],))
    await held.exit(1)
    told: list[int] = []
    while len(told) < len(builds):
        event = await stage.event("away")
        told.append(event.data["build"])
        await event.succeed()
    assert told == builds
    await stage.all_cleared()


async def test_a_thousand_builds_at_once_cost_tens_of_statements(stage: Stage) -> None:
    """Seven for a batch that is read, one for a batch that is cleared."""
    for name in ("one", "two", "three"):
        stage.plugins[name] = {"command": YES_MAN}
    stage.puppet("last", manifest={"max_in_flight": 64})
    counts = await stage.start_inside(sweep_interval=1_000)
    builds = [*queue_builds(stage.hydra, 500), *queue_builds(stage.hydra, 500)]
    before = counts.load_batches, counts.clear_batches
    stop = 1_800_000_000
    stage.watcher.execute(FINISH_ALL, {"stop": stop, "builds": builds})
    stage.watcher.execute(NOTIFY_ALL, (builds,))
    # The flags wait for the last plugin, so they are ready to be cleared as it answers.
    for _ in builds:
        await (await stage.event("last")).succeed()
    await stage.all_cleared()
    assert counts.events["build_finished"] == len(builds)
    assert counts.load_batches - before[0] <= 6
    assert counts.clear_batches - before[1] < len(builds) / 10


async def test_plugins_that_keep_pace_have_nothing_read_twice(stage: Stage) -> None:
    for name in ("one", "two", "three", "four"):
        stage.plugins[name] = {
            "command": YES_MAN,
            # One at a time: more than fits is announced before it can be delivered.
            "max_in_flight": 1,
        }
    counts = await stage.start_inside(sweep_interval=1_000)
    first, *builds = [b for _ in range(6) for b in queue_builds(stage.hydra, 500)]
    # One that starts later than the others has all of it read again: when this flag is
    # cleared, each of them has started.
    finish_build(stage.hydra, first)
    await stage.all_cleared()
    before = counts.reloads
    stop = 1_800_000_000
    stage.watcher.execute(FINISH_ALL, {"stop": stop, "builds": builds})
    stage.watcher.execute(NOTIFY_ALL, (builds,))
    await stage.all_cleared(ROUND_PATIENCE)
    assert counts.events["build_finished"] == 1 + len(builds)
    assert counts.reloads - before < len(builds) / 10
