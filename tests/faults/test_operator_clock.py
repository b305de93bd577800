"""The wall clock may jump: nothing that is promised hangs on it."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest
from tests.end_to_end.stage import Stage

import hydra_notify
from hydra_notify.demo.simulation.evaluator import queue_builds
from hydra_notify.demo.simulation.queue_runner import finish_build

LIBFAKETIME = "libfaketimeMT.so.1"

JUMP = timedelta(days=1, hours=3)
"""The log shows hours, so a jump of whole days would not be seen there."""

HOST = Path(hydra_notify.__file__).parent

WALL_CLOCKS = {
    *("time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.strftime"),
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.date.today"),
}

MAY_READ_IT = {
    *(Path("cli", f"{name}.py") for name in ("plugin_record", "status")),
    Path("daemon", "watch.py"),
    *(Path("listener", "listener.py"), Path("supervisor", "supervisor.py")),
    *(Path("dispatcher", f"{name}.py") for name in ("chronicle", "dispatcher")),
    *(Path("dispatcher", f"{name}.py") for name in ("report", "settler", "sweeper")),
}
"""A line of log, a recording and the host's status say when something was. (And the
simulated Hydra sets times as Hydra does.) Nothing that is done depends on it."""


def faketime_library() -> str:
    found = sorted(Path("/usr/lib").glob(f"*/faketime/{LIBFAKETIME}"))
    if not found:
        pytest.fail("this test needs libfaketime: apt-get install libfaketime")
    return str(found[0])


@pytest.mark.parametrize("direction", [1, -1], ids=["ahead", "back"])
async def test_a_clock_that_jumps_a_day_neither_ends_nor_delays_anything(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, direction: int
) -> None:
    offset = stage.directory / "offset"
    offset.write_text("+0")
    monkeypatch.setenv("LD_PRELOAD", faketime_library())
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(offset))
    monkeypatch.setenv("FAKETIME_NO_CACHE", "1")
    # As on a real machine: the monotonic clock does not jump with the other one.
    monkeypatch.setenv("DONT_FAKE_MONOTONIC", "1")
    stage.puppet("one", manifest={"max_in_flight": 2})
    host = await stage.listening()
    first, (held,) = await stage.one_build("one")
    second, (failing,) = await stage.one_build("one")
    await failing.fail(500, retry_after_ms=1)
    before = clock_of(await host.logged("as told"))
    offset.write_text(f"{direction * JUMP.total_seconds():+.0f}")
    retried = await stage.event("one")
    await retried.fail(500, retry_after_ms=1)
    after = clock_of(await host.logged("as told", times=2))
    assert (after - before) % DAY in near(direction * JUMP)
    await (await stage.event("one")).succeed()
    await held.succeed()
    third, (event,) = await stage.one_build("one")
    await event.succeed()
    await stage.cleared(first, second, third)
    assert not any("starting it again" in line for line in host.log)
    assert not any("not listening" in line for line in host.log)


async def test_flags_of_another_day_are_delivered_and_cleared(stage: Stage) -> None:
    """The flag is a time of Hydra's clock, and is compared with nothing of ours."""
    stage.puppet("one", manifest={"max_in_flight": 2})
    await stage.listening()
    past, future = queue_builds(stage.hydra, 2)
    finish_build(stage.hydra, past, start=1, stop=2)
    finish_build(stage.hydra, future, start=2**31 - 3, stop=2**31 - 2)
    for build in (past, future):
        event = await stage.event("one")
        assert event.data["build"] == build
        await event.succeed()
    await stage.cleared(past, future)


def test_nothing_but_what_people_read_reads_the_wall_clock() -> None:
    """What waits, waits by a monotonic clock; what outlives us is the database's."""
    readers = {
        path.relative_to(HOST)
        for path in HOST.rglob("*.py")
        if wall_clocks_in(path.read_text())
    }
    assert {path for path in readers if path.parts[0] != "demo"} <= MAY_READ_IT


def test_the_test_above_knows_a_wall_clock_when_it_sees_one() -> None:
    assert wall_clocks_in("import time\nx = time.time()")
    assert wall_clocks_in("from time import time, sleep")
    assert wall_clocks_in("import datetime\nx = datetime.datetime.now(datetime.UTC)")
    assert not wall_clocks_in("import time\nx = time.monotonic()")
    assert wall_clocks_in((HOST / "demo/simulation/hydra.py").read_text())


def wall_clocks_in(source: str) -> set[str]:
    found = set[str]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            found.add(ast.unparse(node))
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found & WALL_CLOCKS


DAY = 86_400


def clock_of(line: str) -> int:
    """Seconds since midnight at which a line of the log was written."""
    found = re.search(r"(\d\d):(\d\d):(\d\d)", line)
    assert found is not None, line
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds


def near(jump: timedelta) -> range:
    """What a clock that jumped shows more than before, in seconds of the day.

    Up to half an hour may have passed besides: the jump is much longer.
    """
    shown = int(jump.total_seconds()) % DAY
    return range(shown, shown + 1_800)
